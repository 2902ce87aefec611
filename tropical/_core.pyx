# cython: boundscheck=False, wraparound=False, freethreading_compatible=True
"""Guards and dispatches the C kernels: shapes are checked here, results are written to the caller's arrays.

Arrays come in as C-contiguous memoryviews of one floating type; outputs are None where not wanted.
The GIL is released around the work, which is cut into slices so that Ctrl-C is honoured.
"""

import numpy

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport INT32_MAX, SIZE_MAX, int32_t, int64_t

cdef extern from "tropical_core.h" nogil:
    ctypedef struct tp_polynomial:
        size_t terms, variables
        int sign
        double eps
        const void *panels
        const void *coefficients
    ctypedef struct tp_outputs:
        void *values
        void *excess
        void *entropy
        int64_t *argmax
        void *gradient
        void *weights
    ctypedef void tp_polynomial_kernel(
        const tp_polynomial *, size_t, const void *, void *, const tp_outputs *) noexcept nogil
    ctypedef void tp_hessian_kernel(
        const tp_polynomial *, size_t, const void *, void *, void *) noexcept nogil
    ctypedef void tp_reduce_kernel(
        size_t, size_t, const void *, int, double, const tp_outputs *) noexcept nogil
    ctypedef struct tp_layer:
        tp_polynomial all
        size_t count
        const int64_t *first
        const int64_t *terms
    ctypedef void tp_layer_kernel(
        const tp_layer *, int, size_t, const void *, void *, void *) noexcept nogil
    ctypedef struct tp_gates:
        size_t count, rows, columns
        int sign
        double eps
        const void *const *branches
        const ptrdiff_t *strides
        void *to
        size_t to_stride
    ctypedef void tp_gate_kernel(const tp_gates *) noexcept nogil
    ctypedef struct tp_matmul:
        size_t rows, inner, columns
        int sign, accumulate, no_nan, same_b
        double eps
        const void *a
        const void *b
        ptrdiff_t a_strides[2]
        ptrdiff_t b_strides[2]
        void *c
        size_t c_stride
        int64_t *index
    ctypedef int tp_matmul_kernel(const tp_matmul *, void *) noexcept nogil
    ctypedef void tp_log_prepare_kernel(const tp_matmul *, void *) noexcept nogil
    ctypedef void tp_log_matmul_kernel(const tp_matmul *, void *, void *) noexcept nogil
    ctypedef struct tp_chain:
        size_t batch, states
        int sign, bare, fixed, shared
        double eps
        const void *transitions
        ptrdiff_t a_strides[4]
        const void *emissions
        ptrdiff_t e_strides[3]
        void *messages
        ptrdiff_t m_strides[2]
    ctypedef int tp_chain_kernel(const tp_chain *, size_t, size_t, void *, void *, void *) noexcept nogil
    ctypedef void tp_backtrack_kernel(const tp_chain *, size_t, int64_t *) noexcept nogil
    ctypedef void tp_close_kernel(size_t, int, void *, size_t) noexcept nogil
    ctypedef void tp_elementwise_kernel(size_t, const void *, void *) noexcept nogil
    ctypedef struct tp_sparse:
        size_t rows, columns
        const int64_t *offsets
        const int32_t *places
        const void *entries
    ctypedef void tp_pull_kernel(
        const tp_sparse *, size_t, const int64_t *, size_t, const void *, void *) noexcept nogil
    ctypedef struct tp_lines:
        size_t outer, length, results, inner
        int single, sign
        const void *source "from"
        void *to
        int64_t *winners
    ctypedef void tp_legendre_kernel(
        const tp_lines *, size_t, size_t, const double *, const double *, void *) noexcept nogil
    ctypedef void tp_hopf_lax_kernel(
        const tp_lines *, size_t, size_t, const double *, double, void *) noexcept nogil
    ctypedef void tp_soft_kernel(
        const tp_lines *, size_t, size_t, size_t, int, double, double, double, void *) noexcept nogil
    ctypedef struct tp_kernels:
        const char *name
        tp_polynomial_kernel *rows_f64
        tp_polynomial_kernel *rows_f32
        tp_polynomial_kernel *tiles_f64
        tp_polynomial_kernel *tiles_f32
        tp_hessian_kernel *hessian_f64
        tp_hessian_kernel *hessian_f32
        tp_reduce_kernel *reduce_f64
        tp_reduce_kernel *reduce_f32
        tp_layer_kernel *layer_f64
        tp_layer_kernel *layer_f32
        tp_gate_kernel *gate_f64
        tp_gate_kernel *gate_f32
        tp_matmul_kernel *matmul_f64
        tp_matmul_kernel *matmul_f32
        tp_log_prepare_kernel *log_prepare_f64
        tp_log_prepare_kernel *log_prepare_f32
        tp_log_matmul_kernel *log_matmul_f64
        tp_log_matmul_kernel *log_matmul_f32
        tp_chain_kernel *chain_f64
        tp_chain_kernel *chain_f32
        tp_backtrack_kernel *backtrack_f64
        tp_backtrack_kernel *backtrack_f32
        tp_close_kernel *close_f64
        tp_close_kernel *close_f32
        tp_elementwise_kernel *exp_f64
        tp_elementwise_kernel *exp_f32
        tp_elementwise_kernel *log_f64
        tp_elementwise_kernel *log_f32
        tp_pull_kernel *pull_f64
        tp_pull_kernel *pull_f32
        tp_legendre_kernel *legendre
        tp_hopf_lax_kernel *hopf_lax
        tp_soft_kernel *hopf_cole
    const tp_kernels *tp_select_kernels(const char *ceiling)
    const char *TP_COMPILER
    size_t PANEL
    size_t TP_TILE_MAX
    size_t TP_GROUP
    size_t TP_ROWS_SCRATCH(size_t d)
    size_t TP_TILES_SCRATCH(size_t d)
    size_t TP_HESSIAN_SCRATCH(size_t d)
    size_t TP_MATMUL_HEIGHT
    size_t TP_MATMUL_SCRATCH(size_t rows, size_t inner)
    size_t TP_LOG_PREPARED(size_t inner, size_t columns)
    size_t TP_LOG_SCRATCH(size_t inner)
    size_t TP_CHAIN_SCRATCH(size_t batch, size_t states)
    size_t TP_SOFT_STEP
    size_t TP_BLOCK(const tp_lines *t)
    size_t TP_BLOCKS(const tp_lines *t)
    size_t TP_LINE_SCRATCH(const tp_lines *t)
    size_t TP_SOFT_SCRATCH(const tp_lines *t)

cdef const tp_kernels *kernels = tp_select_kernels(NULL)

# Multiply-adds between two looks at pending signals: a few tens of milliseconds.
cdef size_t SLICE = 1 << 24


PANEL_SIZE = PANEL


def set_ceiling(ceiling):
    """Use at most this instruction set: "baseline", "avx2", "avx512", or None for the best there is."""
    global kernels
    cdef bytes name
    cdef const char *at_most = NULL
    if ceiling is not None:
        name = ceiling.encode()
        at_most = name
    cdef const tp_kernels *chosen = tp_select_kernels(at_most)
    if chosen is NULL:
        raise ValueError(
            f"unknown instruction set {ceiling!r}; TROPICAL_CPU is one of baseline, avx2, avx512"
        )
    kernels = chosen


def instruction_set():
    """Name of the instruction set whose kernels run."""
    return kernels.name.decode()


def compiler():
    """The compiler of the kernels and its version."""
    return TP_COMPILER.decode()


cdef inline size_t slice_length(size_t items, size_t cost) noexcept:
    """How many of `items` to do between two looks at pending signals, each costing `cost`: whole tiles."""
    return min(items, max(TP_TILE_MAX, SLICE // max(1, cost) // TP_TILE_MAX * TP_TILE_MAX))


cdef int check_length(object view, Py_ssize_t axis, size_t expected, str name) except -1:
    if view is not None and <size_t>view.shape[axis] != expected:
        raise ValueError(f"{name} has shape {tuple(view.shape)}, length {expected} needed on axis {axis}")
    return 0


cdef void *take_scratch(size_t count, size_t size) except NULL:
    """Memory for `count` items of `size` bytes, to be freed by PyMem_Free; taken before any output is written."""
    cdef void *scratch = PyMem_Malloc(count * size)
    if scratch is NULL:
        raise MemoryError(f"no memory for {count * size} bytes of scratch; pass fewer variables or shorter lines")
    return scratch


cdef class Polynomial:
    """A polynomial packed for the kernels: `panels` and `coefficients` are as tropical_core.h says.

    The arrays are kept, not copied. Filling outputs needs no Python beyond their buffers, which is what
    keeps a call at a single point cheap.
    """

    cdef tp_polynomial p
    cdef bint double_precision
    cdef object arrays

    def __cinit__(self, panels, coefficients, size_t terms, int sign, double eps):
        self.arrays = panels, coefficients
        self.double_precision = panels.dtype.itemsize == sizeof(double)
        self.p.terms, self.p.sign, self.p.eps = terms, sign, eps
        if self.double_precision:
            self._take[double](panels, coefficients)
        else:
            self._take[float](panels, coefficients)

    cdef _take(self, const cython.floating[:, :, ::1] panels, const cython.floating[::1] coefficients):
        self.p.variables = panels.shape[1]
        check_length(panels, 0, (self.p.terms + PANEL - 1) // PANEL, "panels")
        check_length(panels, 2, PANEL, "panels")
        check_length(coefficients, 0, panels.shape[0] * PANEL, "coefficients")
        # With bounds checks off, the address of a first element is taken, not read: empty arrays are fine.
        self.p.panels = &panels[0, 0, 0]
        self.p.coefficients = &coefficients[0]

    def parts(self, size_t panels):
        """The polynomials of `panels` panels of monomials each, in order; they share this one's memory."""
        slopes, coefficients = self.arrays
        parts = []  # not by a comprehension: see _regions.pyx
        for i in range(0, len(slopes), panels):
            end = i + panels
            terms = min(self.p.terms - i * PANEL, panels * PANEL)
            parts.append(
                Polynomial(
                    slopes[i:end], coefficients[i * PANEL : end * PANEL], terms, self.p.sign, self.p.eps
                )
            )
        return parts

    def fill(self, points, bint tiles, values=None, gradient=None, argmax=None, excess=None, entropy=None,
             weights=None):
        """Fill the given outputs at `points`, (B, d); see csrc/rows.template.c for what they are.

        `tiles` chooses the kernel for many points, which gives values and gradient, or excess and entropy, or
        the argmax. Every array is C-contiguous and of the polynomial's type, the argmax int64.
        """
        if self.double_precision:
            self._fill[double](points, tiles, values, gradient, argmax, excess, entropy, weights)
        else:
            self._fill[float](points, tiles, values, gradient, argmax, excess, entropy, weights)

    def at(self, point, gradient=None):
        """The value at one point, (d,), and the gradient, (d,), if given: `fill` without arrays of one entry."""
        if self.double_precision:
            return self._at[double](point, gradient)
        return self._at[float](point, gradient)

    cdef _at(self, const cython.floating[::1] point, cython.floating[::1] gradient):
        cdef cython.floating value
        cdef tp_outputs out = tp_outputs(&value, NULL, NULL, NULL, NULL, NULL)
        cdef size_t d = self.p.variables
        if <size_t>point.shape[0] != d:
            check_length(point, 0, d, "point")
        if gradient is not None:
            if <size_t>gradient.shape[0] != d:
                check_length(gradient, 0, d, "gradient")
            out.gradient = &gradient[0]
        cdef void *scratch = take_scratch(TP_ROWS_SCRATCH(d), sizeof(cython.floating))
        with nogil:
            if cython.floating is double:
                kernels.rows_f64(&self.p, 1, &point[0], scratch, &out)
            else:
                kernels.rows_f32(&self.p, 1, &point[0], scratch, &out)
        PyMem_Free(scratch)
        return value

    cdef int _check_tiles(self, bint values, bint excess, bint argmax, bint weights) except -1:
        """Refuse what the kernel for many points does not give in one pass."""
        soft = self.p.eps > 0
        if weights or (excess and not soft) or (soft and values + excess + argmax > 1):
            raise ValueError(
                "for many points the outputs are values and gradient, or excess and entropy (eps > 0), or argmax"
            )
        return 0

    cdef _fill(
        self,
        const cython.floating[:, ::1] points,
        bint tiles,
        cython.floating[::1] values,
        cython.floating[:, ::1] gradient,
        int64_t[::1] argmax,
        cython.floating[::1] excess,
        cython.floating[::1] entropy,
        cython.floating[:, ::1] weights,
    ):
        cdef size_t n = points.shape[0], d = self.p.variables
        if <size_t>points.shape[1] != d:
            check_length(points, 1, d, "points")
        if values is not None and <size_t>values.shape[0] != n:
            check_length(values, 0, n, "values")
        if argmax is not None:
            check_length(argmax, 0, n, "argmax")
        if gradient is not None:
            check_length(gradient, 0, n, "gradient")
            check_length(gradient, 1, d, "gradient")
        if excess is not None or entropy is not None or weights is not None:
            check_length(excess, 0, n, "excess")
            check_length(entropy, 0, n, "entropy")
            check_length(weights, 0, n, "weights")
            check_length(weights, 1, self.p.terms, "weights")
        if tiles:
            self._check_tiles(
                values is not None or gradient is not None, excess is not None or entropy is not None,
                argmax is not None, weights is not None,
            )
        if n == 0:
            return
        cdef tp_outputs out
        cdef const cython.floating *x
        cdef size_t cost = self.p.terms * (d + 8), group = TP_GROUP * TP_TILE_MAX, start = 0, count
        cdef size_t step = slice_length(n, cost)
        if step < group and cost < 16 * SLICE // group:
            step = group  # tiles that pass over the monomials together, some 10 ms
        cdef tp_polynomial_kernel *run
        if cython.floating is double:
            run = kernels.tiles_f64 if tiles else kernels.rows_f64
        else:
            run = kernels.tiles_f32 if tiles else kernels.rows_f32
        cdef size_t numbers = TP_TILES_SCRATCH(d) if tiles else TP_ROWS_SCRATCH(d)
        cdef void *scratch = take_scratch(numbers, sizeof(cython.floating))
        try:
            while start < n:
                count = min(step, n - start)
                x = &points[start, 0]
                out.values = &values[start] if values is not None else NULL
                out.excess = &excess[start] if excess is not None else NULL
                out.entropy = &entropy[start] if entropy is not None else NULL
                out.argmax = &argmax[start] if argmax is not None else NULL
                out.gradient = &gradient[start, 0] if gradient is not None else NULL
                out.weights = &weights[start, 0] if weights is not None else NULL
                with nogil:
                    run(&self.p, count, x, scratch, &out)
                start += count
                PyErr_CheckSignals()
        finally:
            PyMem_Free(scratch)

    def fill_hessian(self, points, hessians):
        """Fill `hessians`, (B, d, d), at `points`, (B, d); needs eps > 0."""
        if not self.p.eps > 0:
            raise ValueError("hessian needs eps > 0")
        if self.double_precision:
            self._fill_hessian[double](points, hessians)
        else:
            self._fill_hessian[float](points, hessians)

    cdef _fill_hessian(self, const cython.floating[:, ::1] points, cython.floating[:, :, ::1] hessians):
        cdef size_t n = points.shape[0], d = self.p.variables, start = 0, count
        check_length(points, 1, d, "points")
        check_length(hessians, 0, n, "hessians")
        check_length(hessians, 1, d, "hessians")
        check_length(hessians, 2, d, "hessians")
        cdef size_t step = slice_length(n, self.p.terms * (d + 8) * (d + 1))
        cdef tp_hessian_kernel *run
        if cython.floating is double:
            run = kernels.hessian_f64
        else:
            run = kernels.hessian_f32
        cdef void *scratch = take_scratch(TP_HESSIAN_SCRATCH(d), sizeof(cython.floating))
        try:
            while start < n:
                count = min(step, n - start)
                with nogil:
                    run(&self.p, count, &points[start, 0], scratch, &hessians[start, 0, 0])
                start += count
                PyErr_CheckSignals()
        finally:
            PyMem_Free(scratch)


def reduce(
    const cython.floating[:, ::1] z not None,
    int sign,
    double eps,
    cython.floating[::1] values not None,
    cython.floating[:, ::1] weights=None,
):
    """Fill `values` with the semiring sum of each row of z, and `weights` with its Gibbs weights."""
    cdef size_t rows = z.shape[0], columns = z.shape[1]
    check_length(values, 0, rows, "values")
    check_length(weights, 0, rows, "weights")
    check_length(weights, 1, columns, "weights")
    if rows == 0:
        return
    cdef tp_outputs out = tp_outputs(NULL, NULL, NULL, NULL, NULL, NULL)
    cdef const cython.floating *row
    cdef size_t step = slice_length(rows, columns * 8), start = 0, count
    cdef tp_reduce_kernel *run
    if cython.floating is double:
        run = kernels.reduce_f64
    else:
        run = kernels.reduce_f32
    while start < rows:
        count = min(step, rows - start)
        row = &z[start, 0]
        out.values = &values[start]
        out.weights = &weights[start, 0] if weights is not None else NULL
        with nogil:
            run(count, columns, row, sign, eps, &out)
        start += count
        PyErr_CheckSignals()


def exp_nonpositive(const cython.floating[::1] a not None, cython.floating[::1] out not None):
    """Fill `out` with e^a for finite a <= 0: the exponential inside the kernels, for accuracy tests."""
    check_length(out, 0, a.shape[0], "out")
    if cython.floating is double:
        kernels.exp_f64(a.shape[0], &a[0], &out[0])
    else:
        kernels.exp_f32(a.shape[0], &a[0], &out[0])


def log_positive(const cython.floating[::1] s not None, cython.floating[::1] out not None):
    """Fill `out` with log s for finite normal s > 0: the logarithm inside the kernels, for accuracy tests."""
    check_length(out, 0, s.shape[0], "out")
    if cython.floating is double:
        kernels.log_f64(s.shape[0], &s[0], &out[0])
    else:
        kernels.log_f32(s.shape[0], &s[0], &out[0])


include "_layers.pxi"
include "_matrices.pxi"
include "_chains.pxi"
include "_lines.pxi"
include "_sparse.pxi"
