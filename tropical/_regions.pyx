# cython: boundscheck=False, wraparound=False, freethreading_compatible=True
"""Finds the regions of a packed program: the search is csrc/regions.h, without the interpreter; integers are Python's.

The algorithm is that of the plain Python in tests/tropical/region_reference.py: gates are taken one after another,
depth first, and each cuts the current cell, which is held by the generators of the cone over it. Forms are added up in
limbs. Generators are known in doubles with a proved error; a sign that those leave open is decided by Python's
integers, from the exact generators: whole, primitive, and computed when somebody asks for them.

Lists grow by `append`, here and in the files included: in a comprehension whose list finds no memory to grow, Cython
3.3 gives its item back twice, and the process crashes later.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
from cpython.long cimport PyLong_FromLong
from libc.math cimport fabs, frexp, ldexp
from libc.stdint cimport int8_t, int32_t, int64_t, uint64_t
from libc.string cimport memcpy

from math import gcd

import numpy as np

from tropical._region_pack import PackedGates
from tropical._region_table import Part

include "_region_declarations.pxi"
include "_region_generators.pxi"


def fail_allocation(long k):
    """Make the k-th allocation of C from here on fail, none for k = 0; only in a build for tests, see csrc/memory.h."""
    tp_fail_at(k)


def blocks_held():
    """How many blocks of C are not given back yet; None but in a build for tests."""
    return tp_blocks_held() if TP_HAS_FAULTS else None


cdef class Walk:
    """One search, which `run` does.

    Parameters
    ----------
    inputs, packed
        Of `tropical._region_pack.pack`.
    outputs : sequence of int
        Steps whose forms are of interest.
    branch_counts : sequence of int
        Per gate.
    limit : int
        Of regions.
    partial : bool
        Go on where a cell has too many corners.
    progress : callable or None
        Gets the number of regions found, now and then.
    prefix : sequence of int
        Winners of the first gates, to whose cell the search keeps.
    stop : int or None
        Cells with that many gates decided are left out.
    """

    cdef tp_search *_s
    cdef list _kept
    cdef Generators _generators
    cdef dict _given
    cdef object _progress

    def __cinit__(self, inputs, packed, outputs, branch_counts, limit, partial, progress, prefix=(), stop=None):
        cdef tp_search *s = <tp_search *>tp_zeros(1, sizeof(tp_search))
        cdef Py_ssize_t k
        if s is NULL:
            raise MemoryError("no memory for a search")
        self._s = s
        self._kept, self._given, self._progress = [], {}, progress
        s.width = len(inputs) // (packed[0].size * packed[0].limbs)
        self._generators = Generators(s.width)
        s.gates, s.limit, s.partial = len(branch_counts), limit, partial
        s.winner_size = 4 if max(branch_counts, default=0) > 256 else 1
        s.stop = <size_t>-1 if stop is None else stop
        s.rays.width, s.rays.edges.words, s.known.words = s.width, 3, 1
        s.steps = <tp_step *>room(len(packed), sizeof(tp_step))
        s.step_count = len(packed)
        for k, step in enumerate(packed):
            self._take_step(s.steps + k, step)
        self._copy(s.steps[0].forms, inputs)
        s.winners = <int32_t *>room(s.gates, 4)
        s.line_state = <int8_t *>room(s.gates, 1)
        s.first_branch = <int32_t *>room(s.gates + 1, 4)
        for k, branches in enumerate(branch_counts):
            s.first_branch[k + 1] = s.first_branch[k] + branches
        s.same_as = <int32_t *>room(s.first_branch[s.gates], 4)
        for k in range(s.gates):
            for branch in range(s.first_branch[k + 1] - s.first_branch[k]):
                s.same_as[s.first_branch[k] + branch] = branch
        s.prefix = <int32_t *>room(len(prefix), 4)
        s.prefix_count = len(prefix)
        for k, winner in enumerate(prefix):
            s.prefix[k] = winner
        self._take_outputs(outputs)
        limbs = max(step.limbs for step in packed)
        s.spare_limbs = <uint64_t *>room(s.width * limbs, 8)
        s.spare.at = <double *>room(s.width, sizeof(double))
        s.calls = tp_calls(<void *>self, exact_signs, crosses_lines, parts_across_lines, poll)

    def __dealloc__(self):
        if self._s is not NULL:
            tp_search_free(self._s)
            tp_free(self._s)

    cdef int _take_outputs(self, outputs) except -1:
        cdef tp_search *s = self._s
        cdef Py_ssize_t k
        cdef tp_step *step
        s.outputs = <size_t *>room(len(outputs), sizeof(size_t))
        s.output_forms = <tp_numbering *>room(len(outputs), sizeof(tp_numbering))
        s.output_count = len(outputs)
        for k, number in enumerate(outputs):
            s.outputs[k] = number
            step = s.steps + <Py_ssize_t>number
            s.output_forms[k].words = step.size * s.width * step.limbs
        return 0

    cdef int _copy(self, uint64_t *to, given) except -1:
        cdef const uint64_t[::1] view = given
        if view.shape[0]:
            memcpy(to, &view[0], view.shape[0] * 8)
        return 0

    cdef int _take_step(self, tp_step *to, step) except -1:
        cdef Py_ssize_t k, width = self._s.width
        cdef Operand view
        to.size, to.limbs = step.size, step.limbs
        to.forms = <uint64_t *>room(step.size * width * step.limbs, 8)
        if isinstance(step, PackedGates):
            return self._take_gates(to, step)
        view = Operand(None, step.bias)
        self._kept.append(view)
        to.bias = view.weights_at()
        to.operands = <tp_operand *>room(len(step.operands), sizeof(tp_operand))
        to.operand_count = len(step.operands)
        for k, operand in enumerate(step.operands):
            view = Operand(operand, operand.weights)
            self._kept.append(view)
            to.operands[k] = tp_operand(operand.step, operand.weight_limbs, &view.start[0], &view.rows[0],
                                        &view.weights[0], &view.negative[0])
        return 0

    cdef int _take_gates(self, tp_step *to, step) except -1:
        cdef Py_ssize_t k, width = self._s.width, block = width * step.limbs
        to.first_gate = step.first_gate
        to.branches = <int32_t *>room(len(step.branches), 4)
        for k, branch in enumerate(step.branches):
            to.branches[k] = branch
        to.arity = len(step.branches)
        to.taken = <int32_t *>room(step.size, 4)
        to.changed = <int32_t *>room(step.size, 4)
        to.change = <uint64_t *>room(step.size * block, 8)
        to.spare = <uint64_t *>room(to.arity * block, 8)
        if to.arity == 2:
            to.differences = <tp_form *>room(step.size, sizeof(tp_form))
            for k in range(to.size):
                to.differences[k].limbs = <uint64_t *>room(block, 8)
                to.differences[k].at = <double *>room(width, sizeof(double))
        return 0

    def run(self, list bounds):
        """The `Part` found where all bounds are >= 0; None if that has no interior."""
        cdef tp_search *s = self._s
        cdef Py_ssize_t k, j, d = s.width - 1
        cdef list unit = [], row
        for k in range(d + 1):
            row = [0] * (d + 1)
            row[k] = 1
            unit.append(tuple(row))
        cdef int status = 0
        cdef tp_cell *cell = self._cell(unit[:d], unit[d:], [0], 1, [(TP_INFINITY_PLANE, 0)])
        try:
            for k, bound in enumerate(bounds):
                status = self._clip_by(&cell, k, bound)
                if status < 0:
                    raise MemoryError("no memory for the domain")
                if status:
                    s.reason = status
                    if tp_leave_out(s, 0) < 0:
                        raise MemoryError("no memory for the domain")
                    return self._found()
                if cell is NULL:
                    return None
        except BaseException:
            tp_drop(cell)
            raise
        with nogil:
            status = tp_search_in(s, cell)
        if status < 0:
            raise MemoryError(f"no memory for more than {s.found} regions")
        return self._found()

    cdef int _clip_by(self, tp_cell **cell, Py_ssize_t k, bound) except? -1:
        """Keep the part where the k-th bound, (limbs an integer, limbs), is >= 0."""
        cdef const uint64_t[::1] limbs = bound[1]
        cdef tp_form *form = &self._s.spare
        cdef Py_ssize_t j
        cdef uint64_t name[2]
        form.limbs, form.count, form.is_zero = &limbs[0], bound[0], 1
        for j in range(limbs.shape[0]):
            if limbs[j]:
                form.is_zero = 0
        if form.is_zero:
            return 0
        tp_form_measure(form, self._s.width)
        name[0], name[1] = 0xFFFFFFFF, k
        return tp_clip(self._s, cell[0], form, -1, k, name, cell)

    # ---- what takes integers of any length ------------------------------------------------------------------

    cdef tuple _vector(self, int32_t ray):
        """The exact ray; the doubles of all that this computes become as good as doubles can be."""
        cdef tp_rays *rays = &self._s.rays
        cdef Generators g = self._generators
        g.rays, g.limbs, g.start, g.at = rays.rays, rays.limbs, rays.start, rays.at
        return g.vector(ray)

    cdef int32_t _ray(self, tuple vector) except -1:
        """The number of a ray that no cut of an edge has made."""
        cdef tp_rays *rays = &self._s.rays
        cdef int32_t number
        if vector in self._given:
            return self._given[vector]
        number = tp_new_ray(rays)
        if number < 0:
            raise MemoryError("no memory for a ray")
        rays.rays[number] = tp_ray(0, -1, -1, -1, vector[len(vector) - 1] == 0)
        set_doubles(rays.at + number * rays.width, vector, rays.width)
        self._given[vector] = number
        self._generators.known[number] = vector
        return number

    cdef tp_cell *_cell(self, list lines, list rays, list tight, Py_ssize_t constraints, list names) except NULL:
        """A cell from lists; bits of Python's integers become words."""
        cdef Py_ssize_t r, k
        cdef list sets = self._generators.lines
        cdef tp_cell *cell
        if not sets or sets[len(sets) - 1] != lines:
            sets.append(lines)
        cell = tp_new_cell(len(rays), constraints, len(sets) - 1, len(lines))
        if cell is NULL:
            raise MemoryError(f"no memory for a cell of {len(rays)} rays")
        try:
            for r in range(len(rays)):
                cell.rays[r] = self._ray(rays[r])
                for k in range(cell.words):
                    cell.tight[r * cell.words + k] = (tight[r] >> (64 * k)) & 0xFFFFFFFFFFFFFFFF
            for k in range(constraints):
                cell.names[2 * k], cell.names[2 * k + 1] = names[k]
        except BaseException:
            tp_drop(cell)
            raise
        return cell

    cdef int _cut_lines(self, const tp_cell *cell, const tp_form *form, int gate, int loses_above, int loses_below,
                        tp_cell **above, tp_cell **below) except -1:
        """The two parts of a cell when the form is not 0 on a line: all else moves along it onto the hyperplane."""
        cdef tuple line, integers = integers_of(form.limbs, form.count, self._s.width)
        cdef list lines = self._generators.lines[cell.lines], kept = [], rays = [], tight = [], names = []
        cdef Py_ssize_t r, k, number = 0
        while not dot(integers, lines[number]):
            number += 1
        line = lines[number]
        slope = dot(integers, line)
        if slope < 0:
            line, slope = opposite(line), -slope
        for k in range(len(lines)):
            if k != number:
                kept.append(moved(lines[k], integers, line, slope))
        for r in range(cell.count):
            rays.append(moved(self._vector(cell.rays[r]), integers, line, slope))
        bit = PyLong_FromLong(1) << <object>cell.constraints  # not of C, which would overflow
        for r in range(cell.count):
            bits = bit
            for k in range(cell.words):
                word = <object>cell.tight[r * cell.words + k]
                bits |= word << (64 * k)
            tight.append(bits)
        tight.append(bit - 1)
        for k in range(cell.constraints):
            names.append((cell.names[2 * k], cell.names[2 * k + 1]))
        names.append((gate, loses_above))
        rays.append(line)
        above[0] = self._cell(kept, rays, tight, cell.constraints + 1, names)
        names[cell.constraints], rays[cell.count] = (gate, loses_below), opposite(line)
        below[0] = self._cell(kept, rays, tight, cell.constraints + 1, names)
        return 0

    # ---- what was found ---------------------------------------------------------------------------------------

    cdef object _found(self):
        """All of it as arrays."""
        cdef tp_search *s = self._s
        cdef Py_ssize_t k, gates = s.gates, words = 0, numbers = 0
        cdef tp_cell *cell
        for k in range(s.found):
            words += s.cells[k].count * s.cells[k].words
            numbers += s.cells[k].count + 2 * s.cells[k].constraints
        heads, all_tight = np.empty((s.found + 1, 5), np.int64), np.empty(words + 1, np.uint64)
        all_numbers = np.empty(numbers + 1, np.int32)
        cdef int64_t[:, ::1] head = heads
        cdef uint64_t[::1] tight = all_tight
        cdef int32_t[::1] number = all_numbers
        words = numbers = 0
        for k in range(s.found):
            cell = s.cells[k]
            head[k, 0], head[k, 1], head[k, 2] = cell.count, cell.constraints, cell.lines
            head[k, 3], head[k, 4] = words, numbers
            memcpy(&tight[words], cell.tight, cell.count * cell.words * 8)
            memcpy(&number[numbers], cell.names, (cell.count + 2 * cell.constraints) * 4)
            words += cell.count * cell.words
            numbers += cell.count + 2 * cell.constraints
        cdef tp_rays *rays = &s.rays
        cdef list forms = []
        for k in range(s.output_count):
            forms.append(self._forms(k))
        return Part(
            width=s.width,
            winners=np.frombuffer(taken(s.all_winners, s.found * gates * s.winner_size),
                                  np.uint8 if s.winner_size == 1 else np.int32).reshape(s.found, gates),
            heads=heads, tight=all_tight, numbers=all_numbers,
            rays=np.frombuffer(taken(rays.rays, rays.count * sizeof(tp_ray)), np.uint8),
            limbs=np.frombuffer(taken(rays.limbs, rays.start[rays.cuts] * 8 if rays.cuts else 0), np.uint64),
            start=np.frombuffer(taken(rays.start, (rays.cuts + 1) * 8 if rays.cuts else 0), np.int64),
            given={ray: vector for vector, ray in self._given.items()},
            lines=self._generators.lines,
            equal=self._list(&s.equal).reshape(-1, 3),
            equal_start=np.append(self._list(&s.equal_start), np.int32(s.equal.count // 3) * 3),
            output_numbers=self._list(&s.output_numbers).reshape(s.found, s.output_count),
            output_forms=forms,
            gaps=self._gaps(),
            reason=s.reason,
        )

    def doubles(self):
        """The rays in doubles, up to a positive factor each, and the errors of those; see csrc/rays.h."""
        cdef tp_rays *rays = &self._s.rays
        at = np.frombuffer(taken(rays.at, rays.count * rays.width * sizeof(double)))
        errors = np.empty(rays.count)
        for k in range(rays.count):
            errors[k] = rays.rays[k].error
        return at.reshape(rays.count, rays.width), errors

    cdef object _list(self, const tp_list *items):
        return np.frombuffer(taken(items.at, items.count * 4), np.int32)

    cdef object _forms(self, Py_ssize_t k):
        cdef tp_numbering *forms = self._s.output_forms + k
        data = np.frombuffer(taken(forms.keys, forms.count * forms.words * 8), np.uint64)
        return data.reshape(forms.count, forms.words)

    cdef list _gaps(self):
        """Winners of the first gates of the cells left out."""
        cdef const tp_list *items = &self._s.gaps
        cdef Py_ssize_t at = 0, k
        cdef list gaps = [], winners
        while at < items.count:
            winners = []
            for k in range(items.at[at]):
                winners.append(items.at[at + 1 + k])
            gaps.append(tuple(winners))
            at += 1 + items.at[at]
        return gaps


cdef bytes taken(const void *data, Py_ssize_t size):
    return PyBytes_FromStringAndSize(<const char *>data, size) if size else b""


cdef void *room(size_t count, size_t size) except NULL:
    cdef void *got = tp_zeros(count + 1, size)
    if got is NULL:
        raise MemoryError(f"no memory for {count} items of {size} bytes")
    return got


cdef class Operand:
    """Views of the arrays of an operand, or of biases, which keep them alive."""

    cdef const int32_t[::1] start, rows
    cdef const uint64_t[::1] weights
    cdef const int8_t[::1] negative

    def __cinit__(self, operand, weights):
        self.weights = weights
        if operand is not None:
            self.start, self.rows, self.negative = operand.start, operand.rows, operand.negative

    cdef const uint64_t *weights_at(self):
        return &self.weights[0] if self.weights.shape[0] else NULL


# ---- calls from the search ---------------------------------------------------------------------------------------


cdef int exact_signs(void *owner, const tp_form *form, size_t n, const int32_t *rays, int8_t *signs) except -1 with gil:
    cdef Walk walk = <Walk>owner
    cdef tuple integers = integers_of(form.limbs, form.count, walk._s.width)
    cdef size_t k
    for k in range(n):
        value = dot(integers, walk._vector(rays[k]))
        signs[k] = (value > 0) - (value < 0)
    return 0


cdef int crosses_lines(void *owner, int32_t lines, const tp_form *form) except -1 with gil:
    cdef Walk walk = <Walk>owner
    cdef tuple integers = integers_of(form.limbs, form.count, walk._s.width)
    for line in walk._generators.lines[lines]:
        if dot(integers, line):
            return 1
    return 0


cdef int parts_across_lines(void *owner, const tp_cell *cell, const tp_form *form, int32_t gate, int32_t loses_above,
                            int32_t loses_below, tp_cell **above, tp_cell **below) except -1 with gil:
    return (<Walk>owner)._cut_lines(cell, form, gate, loses_above, loses_below, above, below)


cdef int poll(void *owner, size_t found) except -1 with gil:
    cdef Walk walk = <Walk>owner
    PyErr_CheckSignals()
    if walk._progress is not None:
        walk._progress(found)
    return 0
