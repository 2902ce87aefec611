# Several polynomials at the same points, and gates; included by _core.pyx.


cdef class Layer:
    """Polynomials of one semiring packed for the kernels: `panels` and `coefficients` hold the monomials of all.

    `first` and `terms` say where those of each polynomial are: in one panel, behind those of the one before.
    """

    cdef tp_layer l
    cdef bint double_precision
    cdef object arrays

    def __cinit__(self, panels, coefficients, const int64_t[::1] first, const int64_t[::1] terms, int sign, double eps):
        cdef int64_t end = 0
        cdef size_t s
        self.arrays = panels, coefficients, first, terms
        self.l.count = first.shape[0]
        check_length(terms, 0, self.l.count, "terms")
        for s in range(self.l.count):
            if first[s] < end or terms[s] < 1 or terms[s] > <int64_t>(PANEL - first[s] % PANEL):
                raise ValueError(f"polynomial {s} starts at {first[s]} with {terms[s]} monomials: not in one panel")
            if first[s] // <int64_t>PANEL > (end + <int64_t>PANEL - 1) // <int64_t>PANEL:
                raise ValueError(f"no polynomial lies in the panel before monomial {first[s]}")
            end = first[s] + terms[s]
        self.l.first, self.l.terms = &first[0], &terms[0]
        self.l.all.sign, self.l.all.eps = sign, eps
        self.double_precision = panels.dtype.itemsize == sizeof(double)
        if self.double_precision:
            self._take[double](panels, coefficients, end)
        else:
            self._take[float](panels, coefficients, end)

    cdef _take(self, const cython.floating[:, :, ::1] panels, const cython.floating[::1] coefficients, size_t places):
        self.l.all.variables, self.l.all.terms = panels.shape[1], places
        check_length(panels, 0, (places + PANEL - 1) // PANEL, "panels")
        check_length(panels, 2, PANEL, "panels")
        check_length(coefficients, 0, panels.shape[0] * PANEL, "coefficients")
        self.l.all.panels = &panels[0, 0, 0]
        self.l.all.coefficients = &coefficients[0]

    def fill(self, points, bint tiles, values):
        """Fill `values`, (B, m), at `points`, (B, d); `tiles` chooses the kernel for many points."""
        if self.double_precision:
            self._fill[double](points, tiles, values)
        else:
            self._fill[float](points, tiles, values)

    cdef _fill(self, const cython.floating[:, ::1] points, bint tiles, cython.floating[:, ::1] values):
        cdef size_t n = points.shape[0], d = self.l.all.variables, start = 0, count
        check_length(points, 1, d, "points")
        check_length(values, 0, n, "values")
        check_length(values, 1, self.l.count, "values")
        if n == 0 or self.l.count == 0:
            return
        # a group of tiles at least, which is TP_GROUP looks away from what one tile would take
        cdef size_t step = max(slice_length(n, self.l.all.terms * (d + 8)), min(n, TP_GROUP * TP_TILE_MAX))
        cdef tp_layer_kernel *run
        if cython.floating is double:
            run = kernels.layer_f64
        else:
            run = kernels.layer_f32
        cdef void *scratch = take_scratch(TP_TILES_SCRATCH(d), sizeof(cython.floating))
        try:
            while start < n:
                count = min(step, n - start)
                with nogil:
                    run(&self.l, tiles, count, &points[start, 0], scratch, &values[start, 0])
                start += count
                PyErr_CheckSignals()
        finally:
            PyMem_Free(scratch)


def gate(list branches not None, cython.floating[:, ::1] out not None, int sign, double eps):
    """Fill `out` with the semiring sum at eps > 0 of arrays of its shape, number by number.

    Rows of the arrays are contiguous, in any order; those of one row, (1, columns), are shared by all rows.
    """
    cdef size_t k, i = 0, j, rows, columns, width, step
    cdef const cython.floating[:, :] branch
    cdef tp_gates g
    cdef tp_gate_kernel *run
    rows, columns, g.count = out.shape[0], out.shape[1], len(branches)
    if g.count == 0:
        raise ValueError("a gate has at least one branch")
    if not eps > 0:
        raise ValueError("gate needs eps > 0")
    if rows == 0 or columns == 0:
        return
    cdef void *room = take_scratch(2 * g.count, 8)
    cdef const cython.floating **starts = <const cython.floating **>room
    cdef ptrdiff_t *strides = <ptrdiff_t *>room + g.count
    if cython.floating is double:
        run = kernels.gate_f64
    else:
        run = kernels.gate_f32
    try:
        for k in range(g.count):
            branch = branches[k]
            if branch.shape[0] != 1:
                check_length(branch, 0, rows, "branch")
            check_length(branch, 1, columns, "branch")
            if columns > 1 and branch.strides[1] != sizeof(cython.floating):
                raise ValueError("rows of a branch are not contiguous")
            starts[k] = &branch[0, 0]
            strides[k] = branch.strides[0] // <ptrdiff_t>sizeof(cython.floating) if branch.shape[0] != 1 else 0
        g.sign, g.eps, g.strides, g.branches = sign, eps, strides, <const void *const *>room
        g.to_stride = columns
        width = slice_length(columns, 8 * g.count)  # numbers of one row, or several rows, between two looks at signals
        step = max(1, SLICE // (8 * g.count * columns))
        while i < rows:
            g.rows = min(step, rows - i)
            j = 0
            while j < columns:
                g.columns = min(width, columns - j)
                g.to = &out[i, j]
                with nogil:
                    run(&g)
                for k in range(g.count):
                    starts[k] += g.columns
                j += g.columns
                PyErr_CheckSignals()
            for k in range(g.count):
                starts[k] += <ptrdiff_t>g.rows * strides[k] - <ptrdiff_t>columns
            i += g.rows
    finally:
        PyMem_Free(room)
