# cython: boundscheck=False, wraparound=False, freethreading_compatible=True
"""Enumerates the regions of a packed program: cells by double description, forms in limbs.

The algorithm is that of the plain Python in tests/tropical/region_reference.py: gates are taken one after another,
depth first, and each cuts the current cell. Two things make it fast, and neither rounds a result:

Forms are added up in limbs (csrc/integers.h). From one cell to the next few gates change their winner, and what they
change in the forms behind them is added, which is exact for integers.

Signs of forms on generators are taken in doubles where those prove them. With n integers a form, each to a relative
error of 2^-51, and generators to 2^-53, the computed sum is off by less than (n + 8) 2^-52 times the sum of the sizes of
its terms, plus what underflow can do, for which 1e-80 is far enough. What is not beyond that is decided by Python's
integers. New generators are whole, primitive, and computed by Python's integers as well.

Lists grow by `append`, here and in the files included: in a comprehension whose list finds no memory to grow, Cython
3.3 gives its item back twice, and the process crashes later.
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.long cimport PyLong_FromLong
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.math cimport fabs, frexp, ldexp
from libc.stdint cimport int8_t, int32_t, int64_t, uint64_t
from libc.string cimport memcpy, memset

from math import gcd

from tropical._region_pack import MAX_LIMBS, PackedGates
from tropical.errors import BudgetExceeded

cdef extern from "integers.h" nogil:
    void tp_add_column(uint64_t *, size_t, size_t, const uint64_t *, size_t, size_t, const int32_t *,
                       const uint64_t *, size_t, const int8_t *)
    void tp_extend(uint64_t *, size_t, const uint64_t *, size_t)
    int tp_subtract(uint64_t *, const uint64_t *, const uint64_t *, size_t, size_t)
    void tp_to_doubles(double *, const uint64_t *, size_t, size_t)
    int lowest_bit "tp_lowest_bit"(uint64_t)
    int bit_count "tp_bit_count"(uint64_t)

cdef enum:
    INFINITY_PLANE = -2  # names of constraints: (gate, branch), (-1, bound of the domain), or t >= 0
    REPORT_EVERY = 256
    MAX_RAYS = 4096  # of a cell: pairs of them are compared with all others
    CHECK_FROM = 1 << 16

# What a form does to a cell.
cdef enum:
    CUTS
    POSITIVE
    NEGATIVE
    POSITIVE_TOUCHING
    NEGATIVE_TOUCHING
    CUTS_LINES

include "_region_cells.pxi"
include "_region_forms.pxi"


cdef class Walk:
    """One enumeration; `run` fills the columns below.

    winners: bytes, or tuples where a gate has more than 256 branches. facets: int32 numbers, see _packed_facets.
    outputs: numbers into `forms`, one dictionary from limbs to number for each output step.
    """

    cdef readonly list winners, ties, rays, lines, facets, outputs, forms
    cdef readonly bint complete
    cdef list _steps, _ties_of, _aliases
    cdef bint _any_aliases
    cdef tuple _outputs
    cdef object _progress
    cdef Py_ssize_t _width, _limit
    cdef bint _partial, _wide
    cdef int *_winners
    cdef unsigned char *_short_winners
    cdef Py_ssize_t _gates, _tied_gates
    cdef int8_t *_line_state  # per gate: 0 not known, 1 its form is 0 on the lines of cells, 2 it is not
    cdef int8_t *_signs
    cdef Py_ssize_t _signs_room

    def __cinit__(self, inputs, packed, outputs, branch_counts, limit, partial, progress):
        cdef Py_ssize_t k
        self._width = len(inputs) // (packed[0].size * packed[0].limbs)
        self._steps = []
        for k, step in enumerate(packed):
            if step.limbs > MAX_LIMBS:
                raise BudgetExceeded(
                    "bits of the integers that exact regions need", 64 * step.limbs, 64 * MAX_LIMBS,
                    "round the weights to fewer binary digits",
                )
            self._steps.append(
                GateStep(step, self._width) if isinstance(step, PackedGates) else LinearStep(step, self._width)
            )
        cdef LinearStep first = self._steps[0]
        cdef const uint64_t[::1] given = inputs
        memcpy(first.forms, &given[0], len(inputs) * 8)
        self._outputs = tuple(outputs)
        self._gates = len(branch_counts)
        self._wide = max(branch_counts, default=0) > 256
        self._limit, self._partial, self._progress = limit, partial, progress
        self._winners = <int *>PyMem_Calloc(self._gates + 1, sizeof(int))
        self._line_state = <int8_t *>PyMem_Calloc(self._gates + 1, 1)
        self._short_winners = <unsigned char *>PyMem_Calloc(self._gates + 1, 1)
        if self._winners is NULL or self._short_winners is NULL or self._line_state is NULL:
            raise MemoryError(f"no memory for {self._gates} gates")
        self._ties_of, self._aliases = [None] * self._gates, [None] * self._gates
        self.winners, self.ties, self.rays, self.lines, self.facets, self.outputs = [], [], [], [], [], []
        self.forms = []
        for k in range(len(outputs)):
            self.forms.append({})

    def __dealloc__(self):
        PyMem_Free(self._winners)
        PyMem_Free(self._short_winners)
        PyMem_Free(self._line_state)
        PyMem_Free(self._signs)

    def run(self, list bounds):
        """Find the regions where all bounds are >= 0; false, and nothing found, if that has no interior."""
        cdef Py_ssize_t k, d = self._width - 1
        cdef list unit = [], row
        for k in range(d + 1):
            row = [0] * (d + 1)
            row[k] = 1
            unit.append(tuple(row))
        cdef Cell cell = cell_of(self._width, unit[:d], unit[d:], [0], 1, [(INFINITY_PLANE, 0)])
        cdef Form form = Form(self._width, 1)
        for k, bound in enumerate(bounds):
            form.take(tuple(bound))
            if not form.is_zero:
                cell = self._clipped(cell, form, -1, k)
                if cell is None:
                    return False
        self.complete = self._linear_and_on(1, -1, cell)
        return True

    cdef bint _linear_and_on(self, Py_ssize_t step, Py_ssize_t changed, Cell cell) except -1:
        """Bring the forms from `step` to the next gates up to date, and go on there.

        `changed` is the step of gates of which only some scalars changed, with nothing else, or -1. Returns whether
        to go on.
        """
        while step < len(self._steps) and isinstance(self._steps[step], LinearStep):
            (<LinearStep>self._steps[step]).update(self._steps, changed)
            step += 1
        if changed >= 0:
            (<GateStep>self._steps[changed]).fresh = False
        if step == len(self._steps):
            return self._record(cell)
        cdef GateStep gates = self._steps[step]
        gates.compare(self._steps)
        gates.fresh = True
        return self._cut(step, 0, cell)

    cdef bint _cut(self, Py_ssize_t step, Py_ssize_t i, Cell cell) except -1:
        """Take the gates of a step from its i-th on."""
        cdef GateStep gates = self._steps[step]
        cdef Form form
        cdef Py_ssize_t gate, k
        cdef int what
        cdef Cell other
        while i < gates.size:
            gate = gates.first_gate + i
            if gates.arity != 2:
                parts = self._parts(gates, i, cell)
                i += 1
                for k, (winner, part, ties) in enumerate(parts):
                    self._win(gate, winner, ties)
                    if k < len(parts) - 1 and not self._cut(step, i, part):
                        return False
                    cell = part
                continue
            form = gates.differences[i]
            i += 1
            if form.is_zero:
                self._win(gate, 0, ((gate, 1),))
                continue
            what = self._classify(cell, form, gate)
            if what == CUTS or what == CUTS_LINES:
                if what == CUTS:
                    cell, other = cut_rays(cell, form, self._signs, gate, 1, 0)
                else:
                    cell, other = cut_lines(cell, form, gate, 1, 0)
                self._win(gate, 0, None)
                if not self._cut(step, i, cell):
                    return False
                cell = other
                self._win(gate, 1, None)
            elif what == POSITIVE:
                self._win(gate, 0, None)
            elif what == NEGATIVE:
                self._win(gate, 1, None)
            elif what == POSITIVE_TOUCHING:
                self._win(gate, 0, None)
                cell = touched(cell, self._signs, gate, 1)
            else:
                self._win(gate, 1, None)
                cell = touched(cell, self._signs, gate, 0)
        gates.choose(self._steps, self._winners)
        return self._linear_and_on(step + 1, step, cell)

    cdef list _parts(self, GateStep gates, Py_ssize_t i, Cell cell):
        """(winner, part of the cell where it wins, branches equal to it) of a gate of any number of branches."""
        cdef Py_ssize_t gate = gates.first_gate + i, k, j
        cdef Cell part
        cdef Form form = Form(self._width, gates.limbs)
        cdef list distinct = [], equal = [], parts = []
        for k in range(gates.arity):
            for j, first in enumerate(distinct):
                form.subtract(gates.branch(self._steps, first, i), gates.branch(self._steps, k, i))
                if form.is_zero:
                    equal[j].append((gate, k))
                    break
            else:
                distinct.append(k)
                equal.append([])
        self._aliases[gate] = dict(zip(distinct, equal))
        self._any_aliases = self._any_aliases or len(distinct) < gates.arity
        for j, winner in enumerate(distinct):
            part = cell
            for loser in distinct:
                if loser == winner:
                    continue
                form.subtract(gates.branch(self._steps, winner, i), gates.branch(self._steps, loser, i))
                part = self._clipped(part, form, gate, loser)
                if part is None:
                    break
            if part is not None:
                parts.append((winner, part, tuple(equal[j]) or None))
        return parts

    cdef Cell _clipped(self, Cell cell, Form form, Py_ssize_t gate, int branch):
        """The part of a cell where form >= 0, or None."""
        cdef int what = self._classify(cell, form, -1)
        if what == CUTS:
            return cut_rays(cell, form, self._signs, gate, branch, branch)[0]
        if what == CUTS_LINES:
            return cut_lines(cell, form, gate, branch, branch)[0]
        if what == POSITIVE_TOUCHING:
            return touched(cell, self._signs, gate, branch)
        return cell if what == POSITIVE else None

    cdef void _win(self, Py_ssize_t gate, int winner, tuple ties) noexcept:
        self._winners[gate] = winner
        self._short_winners[gate] = winner & 0xFF
        self._tied_gates += (ties is not None) - (self._ties_of[gate] is not None)
        self._ties_of[gate] = ties

    cdef int _classify(self, Cell cell, Form form, Py_ssize_t gate) except -1:
        """What the form does to the cell; leaves its signs on the rays in self._signs."""
        if cell.lines and (gate < 0 or self._line_state[gate] != 1):
            # Derivatives of a continuous function along the lines, which all cells share, are those of any cell.
            crosses = False
            for line in cell.lines:
                crosses = crosses or form.at(line) != 0
            if gate >= 0:
                self._line_state[gate] = 2 if crosses else 1
            if crosses:
                return CUTS_LINES
        cdef int8_t *grown
        if self._signs_room < cell.count:
            grown = <int8_t *>PyMem_Realloc(self._signs, 2 * cell.count)
            if grown is NULL:
                raise MemoryError(f"no memory for {cell.count} rays")
            self._signs, self._signs_room = grown, 2 * cell.count
        return signs_on(cell, form, self._signs)

    cdef bint _record(self, Cell cell) except -1:
        """Add the region to the columns."""
        cdef Py_ssize_t found = len(self.winners), k
        if found == self._limit:
            if self._partial:
                return False
            raise BudgetExceeded(
                "linear regions", found + 1, self._limit,
                "raise max_regions, look at a smaller domain, or take partial=True",
            )
        if self._wide:
            numbers = []
            for k in range(self._gates):
                numbers.append(self._winners[k])
            self.winners.append(tuple(numbers))
        else:
            self.winners.append(PyBytes_FromStringAndSize(<char *>self._short_winners, self._gates))
        self.ties.append(self._all_ties() if self._tied_gates else ())
        self.rays.append(tuple(cell.rays))
        self.lines.append(tuple(cell.lines))
        self.facets.append(self._packed_facets(facets_of(cell)))
        numbers = []
        for k, forms in enumerate(self.forms):
            data = forms_of(self._steps[self._outputs[k]], self._width)
            numbers.append(forms.setdefault(data, len(forms)))
        self.outputs.append(tuple(numbers))
        if (found + 1) % REPORT_EVERY == 0:
            PyErr_CheckSignals()
            if self._progress is not None:
                self._progress(found + 1)
        return True

    cdef bytes _packed_facets(self, list facets):
        """Facet after facet the number of names, and the names (gate, branch), with the branches that equal those."""
        cdef Py_ssize_t length = 0
        cdef int32_t *to
        if self._any_aliases:
            for names in facets:
                for gate, branch in tuple(names):
                    if gate >= 0 and self._aliases[gate] is not None:
                        names.extend(self._aliases[gate][branch])
        for names in facets:
            length += 1 + 2 * len(names)
        cdef bytes packed = PyBytes_FromStringAndSize(NULL, 4 * length)
        to = <int32_t *><char *>packed
        for names in facets:
            to[0] = len(names)
            to += 1
            for gate, branch in names:
                to[0], to[1] = gate, branch
                to += 2
        return packed

    cdef tuple _all_ties(self):
        cdef list all_ties = []
        for ties in self._ties_of:
            if ties:
                all_ties.extend(ties)
        return tuple(all_ties)
