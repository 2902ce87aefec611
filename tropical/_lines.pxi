# Transforms along the middle axis of an array of shape (outer, length, inner); included by _core.pyx.


cdef int describe_lines(
    tp_lines *t,
    const cython.floating[:, :, ::1] f,
    cython.floating[:, :, ::1] out,
    int64_t[:, :, ::1] winners,
    int sign,
) except -1:
    """Fill `t`, once shapes are checked."""
    for axis, name in ((0, "out"), (2, "out")):
        check_length(out, axis, f.shape[axis], name)
    for axis in range(3):
        check_length(winners, axis, out.shape[axis], "winners")
    t.outer, t.length, t.inner, t.results = f.shape[0], f.shape[1], f.shape[2], out.shape[1]
    t.single = cython.floating is float
    t.sign = sign
    # With bounds checks off, the address of a first element is taken, not read: empty arrays are fine.
    t.source = &f[0, 0, 0]
    t.to = &out[0, 0, 0]
    t.winners = &winners[0, 0, 0] if winners is not None else NULL
    return 0


def legendre(
    const cython.floating[:, :, ::1] f not None,
    const double[::1] x not None,
    const double[::1] p not None,
    cython.floating[:, :, ::1] out not None,
    int64_t[:, :, ::1] winners=None,
):
    """Fill `out` with max_i (p_j x_i - f_i); x increases, p does not decrease. See csrc/envelope.template.c."""
    cdef tp_lines t
    describe_lines(&t, f, out, winners, 1)
    check_length(x, 0, t.length, "x")
    check_length(p, 0, t.results, "p")
    hard_transform(&t, &x[0], &p[0], 0.0)


def hopf_lax(
    const cython.floating[:, :, ::1] f not None,
    const double[::1] x,
    double w,
    int sign,
    cython.floating[:, :, ::1] out not None,
    int64_t[:, :, ::1] winners=None,
):
    """Fill `out` with min_i (f_i + w (x_j - x_i)^2), or its mirror image where `sign` is -1; x = None is
    0, 1, 2, ... `f` and `out` may be one array. See csrc/envelope.template.c."""
    cdef tp_lines t
    describe_lines(&t, f, out, winners, sign)
    check_length(x, 0, t.length, "x")
    check_length(out, 1, t.length, "out")
    hard_transform(&t, &x[0] if x is not None else NULL, NULL, w)


cdef int hard_transform(tp_lines *t, const double *x, const double *p, double w) except -1:
    cdef size_t blocks = TP_BLOCKS(t), start = 0, count
    cdef size_t step = max(1, SLICE // (16 * TP_BLOCK(t) * (t.length + t.results) + 1))
    if blocks == 0 or t.results == 0:
        return 0
    cdef void *scratch = take_scratch(1, TP_LINE_SCRATCH(t), zeroed=True)
    try:
        while start < blocks:
            count = min(step, blocks - start)
            with nogil:
                if p is not NULL:
                    kernels.legendre(t, start, count, x, p, scratch)
                else:
                    kernels.hopf_lax(t, start, count, x, w, scratch)
            start += count
            PyErr_CheckSignals()
    finally:
        PyMem_Free(scratch)
    return 0


def hopf_cole(
    const cython.floating[:, :, ::1] f not None,
    double w,
    double eps,
    double cut,
    cython.floating[:, :, ::1] out not None,
):
    """Fill `out` with -eps log sum_i e^(-(f_i + w (j - i)^2)/eps), up to terms e^-cut of the largest.
    `f` and `out` may be one array. See csrc/softmin.template.c."""
    cdef tp_lines t
    cdef int64_t[:, :, ::1] no_winners = None
    describe_lines(&t, f, out, no_winners, 1)
    check_length(out, 1, t.length, "out")
    cdef size_t blocks = TP_BLOCKS(&t), block = 0, begin, end
    if blocks == 0 or t.length == 0:
        return
    cdef size_t step = max(1, SLICE // (TP_BLOCK(&t) * t.length + 1) // TP_SOFT_STEP) * TP_SOFT_STEP
    cdef void *scratch = take_scratch(1, TP_SOFT_SCRATCH(&t), zeroed=True)
    try:
        while block < blocks:
            begin = 0
            while begin < t.length:
                end = min(begin + step, t.length)
                with nogil:
                    kernels.hopf_cole(&t, block, begin, end, w, eps, cut, scratch)
                begin = end
                PyErr_CheckSignals()
            block += 1
    finally:
        PyMem_Free(scratch)
