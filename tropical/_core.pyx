# cython: boundscheck=False, wraparound=False, freethreading_compatible=True
"""Guards and dispatches the C kernels: shapes are checked here, results are written to the caller's arrays.

Arrays come in as C-contiguous memoryviews of one floating type; outputs are None where not wanted.
The GIL is released around the work, which is cut into slices so that Ctrl-C is honoured.
"""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t

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
    ctypedef void tp_reduce_kernel(
        size_t, size_t, const void *, int, double, const tp_outputs *) noexcept nogil
    ctypedef void tp_exp_kernel(size_t, const void *, void *) noexcept nogil
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
        const tp_lines *, size_t, size_t, size_t, double, double, double, void *) noexcept nogil
    ctypedef struct tp_kernels:
        const char *name
        tp_polynomial_kernel *rows_f64
        tp_polynomial_kernel *rows_f32
        tp_polynomial_kernel *tiles_f64
        tp_polynomial_kernel *tiles_f32
        tp_reduce_kernel *reduce_f64
        tp_reduce_kernel *reduce_f32
        tp_exp_kernel *exp_f64
        tp_exp_kernel *exp_f32
        tp_legendre_kernel *legendre
        tp_hopf_lax_kernel *hopf_lax
        tp_soft_kernel *hopf_cole
    const tp_kernels *tp_select_kernels(const char *ceiling)
    size_t PANEL
    size_t TP_TILE_MAX
    size_t TP_SCRATCH(size_t d)
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
    name = None if ceiling is None else ceiling.encode()
    cdef const tp_kernels *chosen = tp_select_kernels(NULL if name is None else <const char *>name)
    if chosen is NULL:
        raise ValueError(
            f"unknown instruction set {ceiling!r}; TROPICAL_CPU is one of baseline, avx2, avx512"
        )
    kernels = chosen


def instruction_set():
    """Name of the instruction set whose kernels run."""
    return kernels.name.decode()


cdef inline size_t slice_length(size_t items, size_t cost) noexcept:
    """How many of `items` to do between two looks at pending signals, each costing `cost`: whole tiles."""
    return min(items, max(TP_TILE_MAX, SLICE // max(1, cost) // TP_TILE_MAX * TP_TILE_MAX))


cdef int check_length(object view, Py_ssize_t axis, size_t expected, str name) except -1:
    if view is not None and <size_t>view.shape[axis] != expected:
        raise ValueError(f"{name} has shape {tuple(view.shape)}, length {expected} needed on axis {axis}")
    return 0


def polynomial(
    const cython.floating[:, :, ::1] panels not None,
    const cython.floating[::1] coefficients not None,
    size_t terms,
    int sign,
    double eps,
    bint tiles,
    const cython.floating[:, ::1] points not None,
    cython.floating[::1] values=None,
    cython.floating[::1] excess=None,
    cython.floating[::1] entropy=None,
    int64_t[::1] argmax=None,
    cython.floating[:, ::1] gradient=None,
    cython.floating[:, ::1] weights=None,
):
    """Fill the given outputs of one polynomial at `points`; see csrc/rows.template.c.

    `panels` and `coefficients` are packed as tropical_core.h says. `tiles` chooses the kernel for many
    points, which gives values and gradient, and at eps = 0 the argmax.
    """
    cdef size_t variables = panels.shape[1], n = points.shape[0]
    check_length(panels, 0, (terms + PANEL - 1) // PANEL, "panels")
    check_length(panels, 2, PANEL, "panels")
    check_length(coefficients, 0, panels.shape[0] * PANEL, "coefficients")
    check_length(points, 1, variables, "points")
    check_length(gradient, 1, variables, "gradient")
    check_length(weights, 1, terms, "weights")
    for name, view in (("values", values), ("excess", excess), ("entropy", entropy),
                       ("argmax", argmax), ("gradient", gradient), ("weights", weights)):
        check_length(view, 0, n, name)
    if tiles and not (excess is None and entropy is None and weights is None and (eps == 0 or argmax is None)):
        raise ValueError("tiles gives values and gradient, and at eps = 0 the argmax")
    if n == 0:
        return
    # With bounds checks off, the address of a first element is taken, not read: empty arrays are fine.
    cdef tp_polynomial p
    p.terms, p.variables, p.sign, p.eps = terms, variables, sign, eps
    p.panels = &panels[0, 0, 0]
    p.coefficients = &coefficients[0]
    cdef tp_outputs out
    cdef const cython.floating *x
    cdef size_t step = slice_length(n, terms * (variables + 8)), start = 0, count
    cdef tp_polynomial_kernel *run
    if cython.floating is double:
        run = kernels.tiles_f64 if tiles else kernels.rows_f64
    else:
        run = kernels.tiles_f32 if tiles else kernels.rows_f32
    cdef void *scratch = PyMem_Malloc(TP_SCRATCH(variables) * sizeof(cython.floating))
    if scratch is NULL:
        raise MemoryError(f"no memory for {TP_SCRATCH(variables)} numbers of scratch")
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
                run(&p, count, x, scratch, &out)
            start += count
            PyErr_CheckSignals()
    finally:
        PyMem_Free(scratch)


def reduce(
    const cython.floating[:, ::1] z not None,
    int sign,
    double eps,
    cython.floating[::1] values not None,
):
    """Fill `values` with the semiring sum of each row of z."""
    cdef size_t rows = z.shape[0], columns = z.shape[1]
    check_length(values, 0, rows, "values")
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


include "_lines.pxi"
