# Exact generators of cells in Python's integers, and facets; included by _regions.pyx.


cdef object integer_of(const uint64_t *limbs, Py_ssize_t count):
    """Python's integer of some limbs."""
    cdef Py_ssize_t k
    cdef object total = <int64_t>limbs[count - 1]
    for k in range(count - 2, -1, -1):
        total = total << 64 | limbs[k]
    return total


cdef tuple integers_of(const uint64_t *limbs, Py_ssize_t count, Py_ssize_t width):
    cdef Py_ssize_t c
    cdef list integers = []
    for c in range(width):
        integers.append(integer_of(limbs + c * count, count))
    return tuple(integers)


cdef object dot(tuple form, tuple vector):
    cdef Py_ssize_t c
    total = form[0] * vector[0]
    for c in range(1, len(form)):
        total = total + form[c] * vector[c]
    return total


cdef tuple primitive_of(list vector):
    cdef Py_ssize_t c
    factor = gcd(*vector)
    if factor > 1:
        for c in range(len(vector)):
            vector[c] = vector[c] // factor
    return tuple(vector)


cdef tuple opposite(tuple vector):
    cdef list negative = []
    for a in vector:
        negative.append(-a)
    return tuple(negative)


cdef tuple moved(tuple vector, tuple form, tuple line, object slope):
    """The vector, moved along a line on which the form has this slope > 0 onto the form's hyperplane."""
    cdef Py_ssize_t c
    cdef list there = []
    at = dot(form, vector)
    for c in range(len(line)):
        there.append(slope * vector[c] - at * line[c])
    return primitive_of(there)


cdef int set_doubles(double *to, tuple ray, Py_ssize_t width) except -1:
    """A ray to a relative error of 2^-53, up to a positive factor; the largest entry is from 1/2 to 1."""
    cdef Py_ssize_t c, bits = 0
    cdef double largest = 0
    cdef int e = 0
    for entry in ray:
        bits = max(bits, (<object>entry).bit_length())
    for c in range(width):
        # below 2^1000 floor division loses less than 1 of 2^999, within what the filter allows for
        to[c] = ray[c] >> (bits - 1000) if bits > 1000 else ray[c]
        largest = max(largest, fabs(to[c]))
    frexp(largest, &e)
    for c in range(width):
        to[c] = ldexp(to[c], -e)
    return 0


cdef class Generators:
    """Rays and lines, by number.

    Attributes
    ----------
    known : dict
        Rays known exactly, as tuples of integers; the others follow from those that they were made from.
    lines : list
        Sets of lines, lists of such tuples.
    """

    cdef readonly dict known
    cdef readonly list lines
    cdef tp_ray *rays
    cdef const uint64_t *limbs
    cdef const int64_t *start
    cdef double *at  # where doubles of rays are kept, or NULL
    cdef Py_ssize_t width
    cdef object _kept

    def __init__(self, width):
        self.width, self.known, self.lines = width, {}, []

    @staticmethod
    def of(width, unsigned char[::1] rays, const uint64_t[::1] limbs, const int64_t[::1] start, known, lines):
        """From the arrays of a search that has ended."""
        cdef Generators made = Generators(width)
        made.known, made.lines = dict(known), lines
        made._kept = rays, limbs, start
        made.rays = <tp_ray *>&rays[0]
        if start.shape[0]:
            made.limbs, made.start = &limbs[0], &start[0]
        return made

    cpdef tuple vector(self, int32_t ray):
        """The exact ray, whole and primitive."""
        cdef dict known = self.known
        cdef list waiting = [ray]
        cdef int32_t r
        cdef const tp_ray *made
        while waiting:
            r = waiting[len(waiting) - 1]
            made = self.rays + r
            if r in known:
                waiting.pop()
            elif made.a not in known:
                waiting.append(made.a)
            elif made.b not in known:
                waiting.append(made.b)
            else:
                known.setdefault(r, self._combined(made))  # never replaced under a thread that reads it
                if self.at is not NULL:
                    set_doubles(self.at + r * self.width, known[r], self.width)
                    self.rays[r].error = 0
        return known[ray]

    cdef tuple _combined(self, const tp_ray *made):
        """f(a) b − f(b) a, on which f is 0."""
        cdef Py_ssize_t c, first = self.start[made.form], size = self.start[made.form + 1] - first
        cdef tuple form = integers_of(self.limbs + first, size // self.width, self.width)
        cdef tuple a = self.known[made.a], b = self.known[made.b]
        cdef list combined = []
        p, q = dot(form, a), dot(form, b)
        for c in range(self.width):
            combined.append(p * b[c] - q * a[c])
        return primitive_of(combined)

    def is_infinite(self, int32_t ray):
        return self.rays[ray].infinite != 0


def facets_of(const int32_t[:, ::1] names, const uint64_t[:, ::1] tight, infinite):
    """Names of the constraints on each facet: the largest sets of rays that constraints are 0 on, of which not all
    are directions to infinity. The sets are Python's integers."""
    cdef Py_ssize_t r, k, word, constraints = names.shape[0]
    cdef uint64_t bits
    cdef list on = [0] * constraints, facets = []
    for r in range(tight.shape[0]):
        bit = PyLong_FromLong(1) << r
        for word in range(tight.shape[1]):
            bits = tight[r, word]
            while bits:
                k = 64 * word + lowest_bit(bits)
                bits &= bits - 1
                on[k] = on[k] | bit
    finite = ~infinite
    cdef dict sets = {}
    for k in range(constraints):
        if names[k, 0] != TP_INFINITY_PLANE and on[k] & finite:
            sets.setdefault(on[k], []).append((names[k, 0], names[k, 1]))
    for mine, names_of in sets.items():
        for other in sets:
            if other is not mine and not mine & ~other:
                break
        else:
            facets.append(names_of)
    return facets
