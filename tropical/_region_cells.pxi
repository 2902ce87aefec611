# Cells by double description, as in tests/tropical/region_reference.py; included by _regions.pyx.


@cython.no_gc  # of integers alone: no cycles
cdef class Cell:
    """The cone over a convex cell by its generators.

    rays and lines are whole primitive vectors (s, t), tuples, as the collector of cycles leaves those alone. doubles are the
    rays up to positive factors. tight[r] has a bit for each constraint that is 0 on ray r. Constraints without
    such a ray are left out, as no facet lies on them, once there are no lines.
    """

    cdef Py_ssize_t count, width, constraints, words
    cdef list rays, lines
    cdef double *doubles
    cdef uint64_t *tight
    cdef int32_t *names

    def __cinit__(self, Py_ssize_t count, Py_ssize_t width, Py_ssize_t constraints):
        self.count, self.width, self.constraints = count, width, constraints
        self.words = (constraints + 63) // 64
        self.tight = <uint64_t *>PyMem_Calloc(
            count * self.words + count * width + (constraints + 1), 8
        )
        if self.tight is NULL:
            raise MemoryError(f"no memory for a cell of {count} rays")
        self.doubles = <double *>(self.tight + count * self.words)
        self.names = <int32_t *>(self.doubles + count * width)

    def __dealloc__(self):
        PyMem_Free(self.tight)


cdef int set_doubles(double *to, tuple ray, Py_ssize_t width) except -1:
    """A ray to a relative error of 2^-53, up to a positive factor; the largest entry is at least 1."""
    cdef Py_ssize_t c, bits = 0
    cdef double largest = 0
    cdef int e = 0
    try:
        for c in range(width):
            to[c] = ray[c]
            if fabs(to[c]) > largest:
                largest = fabs(to[c])
    except OverflowError:
        for entry in ray:
            bits = max(bits, (<object>entry).bit_length())
        for c in range(width):
            # below 2^1000 floor division loses less than 1 of 2^999, within what the filter allows for
            to[c] = ray[c] >> (bits - 1000)
        largest = ldexp(1.0, 1000)
    if largest > 1e100:
        frexp(largest, &e)
        for c in range(width):
            to[c] = ldexp(to[c], 300 - e)
    return 0


cdef Cell cell_of(Py_ssize_t width, list lines, list rays, list tight, Py_ssize_t constraints, list names):
    """A cell from lists; bits of Python's integers become words."""
    cdef Cell cell = Cell(len(rays), width, constraints)
    cdef Py_ssize_t r, k
    cell.lines, cell.rays = lines, rays
    for r in range(cell.count):
        set_doubles(cell.doubles + r * width, rays[r], width)
        for k in range(cell.words):
            cell.tight[r * cell.words + k] = (tight[r] >> (64 * k)) & 0xFFFFFFFFFFFFFFFF
    for k in range(constraints):
        cell.names[2 * k], cell.names[2 * k + 1] = names[k]
    return cell


cdef int signs_on(Cell cell, Form form, int8_t *signs) except -1:
    """The signs of a form on the rays of a cell, by the filter of the header or exactly, and what they mean."""
    cdef Py_ssize_t r, c, width = cell.width
    cdef double total, size, term
    cdef double bound = (width + 8) * 2.0**-52
    cdef const double *f = form.doubles
    cdef const double *ray = cell.doubles
    cdef bint above = False, below = False, on = False
    for r in range(cell.count):
        total = size = 0
        for c in range(width):
            term = f[c] * ray[c]
            total += term
            size += fabs(term)
        ray += width
        size = bound * size + 1e-80
        if total > size:
            signs[r] = 1
        elif total < -size:
            signs[r] = -1
        else:
            value = form.at(cell.rays[r])
            signs[r] = (value > 0) - (value < 0)
        above |= signs[r] > 0
        below |= signs[r] < 0
        on |= signs[r] == 0
    if above and below:
        return CUTS
    if above:
        return POSITIVE_TOUCHING if on else POSITIVE
    return NEGATIVE_TOUCHING if on else NEGATIVE


cdef tuple primitive_of(list vector):
    """The vector divided by the greatest common divisor of its entries; the list is lost."""
    cdef Py_ssize_t k
    factor = gcd(*vector)
    if factor > 1:
        for k in range(len(vector)):
            vector[k] = vector[k] // factor
    return tuple(vector)


cdef Cell child(Cell parent, list kept, list new, const uint64_t *new_tight, const int8_t *signs, int gate, int branch):
    """The cell of the `kept` rays of its parent and of new ones, on which the new constraint is 0; of the kept ones
    it is 0 on those of sign 0. `new_tight` are in the words of the parent."""
    cdef Py_ssize_t count = len(kept) + len(new), words = parent.words, width = parent.width
    cdef Py_ssize_t r, k, number, word
    cdef uint64_t bits
    cdef uint64_t *used = <uint64_t *>PyMem_Calloc(words + 1, 8)
    cdef int32_t *place = <int32_t *>PyMem_Malloc((parent.constraints + 1) * sizeof(int32_t))
    cdef Cell cell
    cdef const uint64_t *source
    cdef uint64_t *to
    try:
        if used is NULL or place is NULL:
            raise MemoryError(f"no memory for a cell of {count} rays")
        for number in kept:
            for k in range(words):
                used[k] |= parent.tight[number * words + k]
        for r in range(len(new)):
            for k in range(words):
                used[k] |= new_tight[r * words + k]
        number = 0
        for k in range(parent.constraints):
            if parent.lines or used[k >> 6] >> (k & 63) & 1:
                place[k] = number
                number += 1
            else:
                place[k] = -1
        cell = Cell(count, width, number + 1)
        for k in range(parent.constraints):
            if place[k] >= 0:
                cell.names[2 * place[k]] = parent.names[2 * k]
                cell.names[2 * place[k] + 1] = parent.names[2 * k + 1]
        cell.names[2 * number], cell.names[2 * number + 1] = gate, branch
        cell.lines = parent.lines
        cell.rays = []
        for k in kept:
            cell.rays.append(parent.rays[k])
        cell.rays.extend(new)
        for r in range(count):
            to = cell.tight + r * cell.words
            if r < len(kept):
                k = kept[r]
                source = parent.tight + k * words
                memcpy(cell.doubles + r * width, parent.doubles + k * width, width * sizeof(double))
            else:
                source = new_tight + (r - len(kept)) * words
                set_doubles(cell.doubles + r * width, cell.rays[r], width)
            if r >= len(kept) or signs[k] == 0:
                to[number >> 6] |= <uint64_t>1 << (number & 63)
            for word in range(words):
                bits = source[word]
                while bits:
                    k = 64 * word + lowest_bit(bits)
                    bits &= bits - 1
                    to[place[k] >> 6] |= <uint64_t>1 << (place[k] & 63)
        return cell
    finally:
        PyMem_Free(used)
        PyMem_Free(place)


cdef Cell touched(Cell cell, const int8_t *signs, int gate, int branch):
    """The cell with one more constraint, which is 0 on some of its rays but cuts nothing."""
    return child(cell, list(range(cell.count)), [], NULL, signs, gate, branch)


cdef bint spans_a_face(Cell cell, const uint64_t *common, Py_ssize_t i, Py_ssize_t j) noexcept:
    """Whether no third ray lies on all that two rays have in common."""
    cdef Py_ssize_t r, k, words = cell.words
    cdef const uint64_t *tight = cell.tight
    for r in range(cell.count):
        if r != i and r != j:
            for k in range(words):
                if common[k] & ~tight[k]:
                    break
            else:
                return False
        tight += words
    return True


cdef tuple cut_rays(Cell cell, Form form, const int8_t *signs, int gate, int above, int below):
    """The two parts of a cell that a form cuts; the losing branches name the constraint on either side."""
    cdef Py_ssize_t r, i, j, k, words = cell.words, needed = cell.width - len(cell.lines) - 2, room = 16, bits
    cdef list up = [], down = [], on = [], new = [], values = [None] * cell.count, vector
    cdef tuple a, b
    cdef uint64_t *grown
    for r in range(cell.count):
        (up if signs[r] > 0 else down if signs[r] < 0 else on).append(r)
    cdef uint64_t *common = <uint64_t *>PyMem_Malloc(room * words * 8)
    if common is NULL:
        raise MemoryError(f"no memory for {room} rays")
    try:
        for i in up:
            if len(down) * cell.count > CHECK_FROM:
                PyErr_CheckSignals()
            for j in down:
                if len(new) + len(on) > MAX_RAYS:
                    raise BudgetExceeded(
                        "generators of one cell", len(new) + len(on), MAX_RAYS,
                        "cells have too many corners in so many variables; look at a Slice, or without a box",
                    )
                if len(new) == room:
                    room *= 2
                    grown = <uint64_t *>PyMem_Realloc(common, room * words * 8)
                    if grown is NULL:
                        raise MemoryError(f"no memory for {room} rays")
                    common = grown
                bits = 0
                for k in range(words):
                    common[len(new) * words + k] = cell.tight[i * words + k] & cell.tight[j * words + k]
                    bits += bit_count(common[len(new) * words + k])
                if bits < needed or not spans_a_face(cell, common + len(new) * words, i, j):
                    continue
                a, b = cell.rays[i], cell.rays[j]
                for r in (i, j):
                    if values[r] is None:
                        values[r] = form.at(cell.rays[r])
                p, q = values[i], values[j]
                vector = []
                for k in range(cell.width):
                    vector.append(p * b[k] - q * a[k])
                new.append(primitive_of(vector))
        return (
            child(cell, up + on, new, common, signs, gate, above),
            child(cell, down + on, new, common, signs, gate, below),
        )
    finally:
        PyMem_Free(common)


cdef tuple moved(tuple vector, Form form, tuple line, object slope):
    """The vector, moved along a line on which the form has this slope > 0 onto the form's hyperplane."""
    cdef Py_ssize_t c
    cdef list onto = []
    at = form.at(vector)
    for c in range(len(line)):
        onto.append(slope * vector[c] - at * line[c])
    return primitive_of(onto)


cdef tuple cut_lines(Cell cell, Form form, int gate, int above, int below):
    """The two parts of a cell when the form is not 0 on a line: all else moves along it onto the hyperplane."""
    cdef tuple line, back
    cdef list opposite = [], lines = [], rays = [], tight = [], names = []
    cdef Py_ssize_t r, k, number = 0
    while not form.at(cell.lines[number]):
        number += 1
    line = cell.lines[number]
    for a in line:
        opposite.append(-a)
    back = tuple(opposite)
    slope = form.at(line)
    if slope < 0:
        line, back, slope = back, line, -slope
    for k in range(len(cell.lines)):
        if k != number:
            lines.append(moved(cell.lines[k], form, line, slope))
    for ray in cell.rays:
        rays.append(moved(ray, form, line, slope))
    bit = PyLong_FromLong(1) << cell.constraints  # not of C, which would overflow
    for r in range(cell.count):
        bits = bit
        for k in range(cell.words):
            word = <object>cell.tight[r * cell.words + k]
            bits |= word << (64 * k)
        tight.append(bits)
    tight.append(bit - 1)
    for k in range(cell.constraints):
        names.append((cell.names[2 * k], cell.names[2 * k + 1]))
    return (
        cell_of(cell.width, lines, rays + [line], tight, cell.constraints + 1, names + [(gate, above)]),
        cell_of(cell.width, lines, rays + [back], tight, cell.constraints + 1, names + [(gate, below)]),
    )


cdef bint lies_in(const uint64_t *a, const uint64_t *b, Py_ssize_t words) noexcept:
    cdef Py_ssize_t k
    for k in range(words):
        if a[k] & ~b[k]:
            return False
    return True


cdef list facets_of(Cell cell):
    """Names of the constraints on each facet: the largest sets of rays that constraints are 0 on, of which not all
    are directions to infinity."""
    cdef Py_ssize_t r, k, other, words = (cell.count + 63) // 64
    cdef int32_t *names = cell.names
    cdef list facets = [], names_of  # of (gate, branch)
    cdef bint first, largest
    cdef uint64_t *on = <uint64_t *>PyMem_Calloc((cell.constraints + 1) * words, 8)
    cdef uint64_t *at_infinity = on + cell.constraints * words
    if on is NULL:
        raise MemoryError(f"no memory for {cell.constraints} constraints")
    try:
        for r in range(cell.count):
            if not cell.rays[r][cell.width - 1]:
                at_infinity[r >> 6] |= <uint64_t>1 << (r & 63)
            for k in range(cell.constraints):
                if cell.tight[r * cell.words + (k >> 6)] >> (k & 63) & 1:
                    on[k * words + (r >> 6)] |= <uint64_t>1 << (r & 63)
        for k in range(cell.constraints):
            if names[2 * k] == INFINITY_PLANE or lies_in(on + k * words, at_infinity, words):
                continue
            first, largest, names_of = True, True, []
            for other in range(cell.constraints):
                if names[2 * other] == INFINITY_PLANE or not lies_in(on + k * words, on + other * words, words):
                    continue
                if not lies_in(on + other * words, on + k * words, words):
                    largest = False
                    break
                first = first and other >= k
                names_of.append((names[2 * other], names[2 * other + 1]))
            if first and largest:
                facets.append(names_of)
        return facets
    finally:
        PyMem_Free(on)
