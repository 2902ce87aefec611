# Forms of the steps of a program, in limbs; included by _regions.pyx.


cdef object integer_of(const uint64_t *limbs, Py_ssize_t count):
    """Python's integer of some limbs."""
    cdef Py_ssize_t k
    cdef object total = <int64_t>limbs[count - 1]
    for k in range(count - 2, -1, -1):
        total = total << 64 | limbs[k]
    return total


@cython.no_gc
cdef class Form:
    """A difference of two forms: in limbs, in doubles up to a factor, and on demand in Python's integers."""

    cdef uint64_t *limbs_of
    cdef double *doubles
    cdef Py_ssize_t width, limbs
    cdef bint is_zero
    cdef tuple _integers

    def __cinit__(self, Py_ssize_t width, Py_ssize_t limbs):
        self.width, self.limbs = width, limbs
        self.limbs_of = <uint64_t *>PyMem_Malloc(width * limbs * 8)
        self.doubles = <double *>PyMem_Malloc(width * sizeof(double))
        if self.limbs_of is NULL or self.doubles is NULL:
            raise MemoryError(f"no memory for a form of {width} integers of {limbs} limbs")

    def __dealloc__(self):
        PyMem_Free(self.limbs_of)
        PyMem_Free(self.doubles)

    cdef void subtract(self, const uint64_t *a, const uint64_t *b) noexcept:
        self.is_zero = tp_subtract(self.limbs_of, a, b, self.width, self.limbs)
        tp_to_doubles(self.doubles, self.limbs_of, self.width, self.limbs)
        self._integers = None

    cdef int take(self, tuple integers) except -1:
        """Become the form of these integers; it has no limbs then."""
        self.is_zero = not any(integers)
        set_doubles(self.doubles, integers, self.width)
        self._integers = integers
        return 0

    cdef tuple integers(self):
        cdef Py_ssize_t c
        cdef list entries
        if self._integers is None:
            entries = []
            for c in range(self.width):
                entries.append(integer_of(self.limbs_of + c * self.limbs, self.limbs))
            self._integers = tuple(entries)
        return self._integers

    cdef object at(self, tuple vector):
        """Its exact value on a whole vector."""
        cdef Py_ssize_t c
        cdef tuple integers = self.integers()
        total = integers[0] * vector[0]
        for c in range(1, self.width):
            total = total + integers[c] * vector[c]
        return total


cdef class Weights:
    """The weights of a linear step on one operand, column after column."""

    cdef readonly Py_ssize_t step, limbs
    cdef const int32_t[::1] start, rows
    cdef const uint64_t[::1] weights
    cdef const int8_t[::1] negative

    def __cinit__(self, operand):
        self.step, self.limbs = operand.step, operand.weight_limbs
        self.start, self.rows, self.negative = operand.start, operand.rows, operand.negative
        self.weights = operand.weights

    cdef void add_column(self, uint64_t *forms, size_t width, size_t limbs, Py_ssize_t j, const uint64_t *x,
                         size_t x_limbs) noexcept:
        cdef Py_ssize_t first = self.start[j], count = self.start[j + 1] - first
        if count:
            tp_add_column(forms, width, limbs, x, x_limbs, count, &self.rows[first],
                          &self.weights[first * self.limbs], self.limbs, &self.negative[first])


cdef class Step:
    """The current forms of a step, size × width × limbs."""

    cdef uint64_t *forms
    cdef readonly Py_ssize_t size, width, limbs

    cdef int take_room(self, Py_ssize_t size, Py_ssize_t width, Py_ssize_t limbs) except -1:
        self.size, self.width, self.limbs = size, width, limbs
        self.forms = <uint64_t *>PyMem_Calloc(size * width * limbs + 1, 8)
        if self.forms is NULL:
            raise MemoryError(f"no memory for {size} forms of {width} integers of {limbs} limbs")
        return 0

    def __dealloc__(self):
        PyMem_Free(self.forms)

    cdef uint64_t *at(self, Py_ssize_t i) noexcept:
        return self.forms + i * self.width * self.limbs


cdef bytes forms_of(Step step, Py_ssize_t width):
    return PyBytes_FromStringAndSize(<char *>step.forms, step.size * width * step.limbs * 8)


cdef class LinearStep(Step):
    """Weighted sums of the forms of other steps, plus constants."""

    cdef list operands
    cdef const uint64_t[::1] bias

    def __cinit__(self, packed, width):
        self.take_room(packed.size, width, packed.limbs)
        self.operands = []
        for operand in packed.operands:
            self.operands.append(Weights(operand))
        self.bias = packed.bias

    cdef int update(self, list steps, Py_ssize_t changed) except -1:
        """New forms; where `changed` is a step of gates, by what its scalars changed, where that is less work."""
        cdef Weights weights
        cdef GateStep gates
        cdef Step operand
        cdef Py_ssize_t j, i, n
        cdef bint concerned = False, simple = changed >= 0
        if changed >= 0:
            gates = steps[changed]
            for weights in self.operands:
                concerned = concerned or weights.step >= changed
                simple = simple and weights.step <= changed
            simple = simple and gates.changes * 2 < gates.size and not gates.fresh
            if not concerned and not gates.fresh:
                return 0
            if simple:
                for weights in self.operands:
                    if weights.step == changed:
                        for n in range(gates.changes):
                            j = gates.changed[n]
                            weights.add_column(self.forms, self.width, self.limbs, j,
                                               gates.change + n * self.width * gates.limbs, gates.limbs)
                return 0
        memset(self.forms, 0, self.size * self.width * self.limbs * 8)
        for i in range(self.size):
            memcpy(self.at(i) + (self.width - 1) * self.limbs, &self.bias[i * self.limbs], self.limbs * 8)
        for weights in self.operands:
            operand = steps[weights.step]
            for j in range(operand.size):
                weights.add_column(self.forms, self.width, self.limbs, j, operand.at(j), operand.limbs)
        return 0


cdef class GateStep(Step):
    """The largest of each scalar of the branches.

    `changed` are the `changes` scalars whose form `choose` changed last, `change` by what; `fresh` says that the
    branches are new, so that all have changed.
    """

    cdef readonly Py_ssize_t first_gate, arity, changes
    cdef readonly bint fresh
    cdef tuple branches
    cdef list differences
    cdef int *taken
    cdef Py_ssize_t *changed
    cdef uint64_t *change
    cdef uint64_t *spare

    def __cinit__(self, packed, width):
        self.take_room(packed.size, width, packed.limbs)
        self.branches, self.first_gate, self.arity = packed.branches, packed.first_gate, len(packed.branches)
        self.differences = []
        for _ in range(packed.size if self.arity == 2 else 0):
            self.differences.append(Form(width, packed.limbs))
        self.taken = <int *>PyMem_Calloc(self.size + 1, sizeof(int))
        self.changed = <Py_ssize_t *>PyMem_Calloc(self.size + 1, sizeof(Py_ssize_t))
        self.change = <uint64_t *>PyMem_Calloc(self.size * width * self.limbs + 1, 8)
        self.spare = <uint64_t *>PyMem_Calloc(2 * self.arity * width * self.limbs + 1, 8)
        if self.taken is NULL or self.changed is NULL or self.change is NULL or self.spare is NULL:
            raise MemoryError(f"no memory for {self.size} gates")

    def __dealloc__(self):
        PyMem_Free(self.taken)
        PyMem_Free(self.changed)
        PyMem_Free(self.change)
        PyMem_Free(self.spare)

    cdef const uint64_t *branch(self, list steps, Py_ssize_t k, Py_ssize_t i) noexcept:
        """Form i of branch k, in the limbs of this step."""
        cdef Step step = steps[self.branches[k]]
        cdef uint64_t *room
        cdef Py_ssize_t c
        if step.limbs == self.limbs:
            return step.at(i)
        room = self.spare + k * self.width * self.limbs
        for c in range(self.width):
            tp_extend(room + c * self.limbs, self.limbs, step.at(i) + c * step.limbs, step.limbs)
        return room

    cdef void compare(self, list steps) noexcept:
        """The differences of the two branches, where there are two."""
        cdef Py_ssize_t i
        for i in range(len(self.differences)):
            (<Form>self.differences[i]).subtract(self.branch(steps, 0, i), self.branch(steps, 1, i))

    cdef void choose(self, list steps, const int *winners) noexcept:
        """Take the forms of the winners; notes what changed."""
        cdef Py_ssize_t i, block = self.width * self.limbs
        cdef const uint64_t *form
        self.changes = 0
        for i in range(self.size):
            if not self.fresh and self.taken[i] == winners[self.first_gate + i]:
                continue
            self.taken[i] = winners[self.first_gate + i]
            form = self.branch(steps, self.taken[i], i)
            if not self.fresh:
                self.changed[self.changes] = i
                tp_subtract(self.change + self.changes * block, form, self.at(i), self.width, self.limbs)
                self.changes += 1
            memcpy(self.at(i), form, block * 8)
