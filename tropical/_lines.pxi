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


def line_blocks(size_t outer, size_t length, size_t inner):
    """How many blocks the lines of an array of shape (outer, length, inner) come in, and lines in a block."""
    cdef tp_lines t
    t.outer, t.length, t.inner = outer, length, inner
    return TP_BLOCKS(&t), TP_BLOCK(&t)


def legendre(
    const cython.floating[:, :, ::1] f not None,
    const double[::1] x not None,
    const double[::1] p not None,
    cython.floating[:, :, ::1] out not None,
    int64_t[:, :, ::1] winners=None,
    size_t first=0,
    size_t stop=SIZE_MAX,
):
    """Fill `out` with max_i (p_j x_i - f_i) in the blocks from `first` to `stop`; x increases, p does not
    decrease. See csrc/envelope.template.c."""
    cdef tp_lines t
    describe_lines(&t, f, out, winners, 1)
    check_length(x, 0, t.length, "x")
    check_length(p, 0, t.results, "p")
    hard_transform(&t, &x[0], &p[0], 0.0, first, stop)


def hopf_lax(
    const cython.floating[:, :, ::1] f not None,
    const double[::1] x,
    double w,
    int sign,
    cython.floating[:, :, ::1] out not None,
    int64_t[:, :, ::1] winners=None,
    size_t first=0,
    size_t stop=SIZE_MAX,
):
    """Fill `out` with min_i (f_i + w (x_j - x_i)^2), or its mirror image where `sign` is -1, in the blocks from
    `first` to `stop`; x = None is 0, 1, 2, ... `f` and `out` may be one array. See csrc/envelope.template.c."""
    cdef tp_lines t
    describe_lines(&t, f, out, winners, sign)
    check_length(x, 0, t.length, "x")
    check_length(out, 1, t.length, "out")
    hard_transform(&t, &x[0] if x is not None else NULL, NULL, w, first, stop)


cdef int hard_transform(
    tp_lines *t, const double *x, const double *p, double w, size_t first, size_t stop
) except -1:
    cdef size_t blocks = min(stop, TP_BLOCKS(t)), start = first, count
    cdef size_t step = max(1, SLICE // (16 * TP_BLOCK(t) * (t.length + t.results) + 1))
    if start >= blocks or t.results == 0:
        return 0
    # NumPy's memory comes in large pages, which is half of the time for a line of a million.
    cdef unsigned char[::1] scratch = numpy.empty(TP_LINE_SCRATCH(t), numpy.uint8)
    while start < blocks:
        count = min(step, blocks - start)
        with nogil:
            if p is not NULL:
                kernels.legendre(t, start, count, x, p, &scratch[0])
            else:
                kernels.hopf_lax(t, start, count, x, w, &scratch[0])
        start += count
        PyErr_CheckSignals()
    return 0


def compose_winners(const int64_t[:, :, ::1] earlier, int64_t[:, :, ::1] winners not None):
    """Turn indices along the middle axis into those of `earlier` there, or in the raveled array if it is None."""
    cdef size_t outer = winners.shape[0], length = winners.shape[1], inner = winners.shape[2], o, j, i
    cdef int64_t *won = &winners[0, 0, 0]
    cdef const int64_t *from_ = &earlier[0, 0, 0] if earlier is not None else NULL
    for axis in range(3):
        check_length(earlier, axis, winners.shape[axis], "earlier")
    with nogil:
        for o in range(outer):
            for j in range(length):
                for i in range(inner):
                    if won[i] >= 0:
                        won[i] = (o * length + won[i]) * inner + i
                        if from_ is not NULL:
                            won[i] = from_[won[i]]
                won += inner


cdef class SoftTransform:
    """u_j = -eps log sum_i e^(-(f_i + w (j - i)^2)/eps), up to terms e^-cut of the largest, piece by piece.

    The results of a block of lines come in pieces of `step`, a multiple of TP_SOFT_STEP, the last one shorter;
    pieces are counted through all blocks. Each thread needs an object of its own. `f` and `out` may be one array
    if all pieces of a block are filled by one object. See csrc/softmin.template.c.
    """

    cdef tp_lines t
    cdef double w, eps, cut
    cdef size_t step, pieces, prepared
    cdef unsigned char[::1] scratch
    cdef object arrays

    def __cinit__(self, f, double w, double eps, double cut, size_t step, out):
        if step == 0 or step % TP_SOFT_STEP:
            raise ValueError(f"step is {step}; pass a multiple of {TP_SOFT_STEP}")
        if f.dtype.itemsize == sizeof(double):
            self._take[double](f, out)
        else:
            self._take[float](f, out)
        check_length(out, 1, self.t.length, "out")
        self.arrays = f, out
        self.w, self.eps, self.cut, self.step, self.prepared = w, eps, cut, step, SIZE_MAX
        self.pieces = (self.t.length + step - 1) // step
        self.scratch = numpy.zeros(TP_SOFT_SCRATCH(&self.t), numpy.uint8)

    cdef _take(self, const cython.floating[:, :, ::1] f, cython.floating[:, :, ::1] out):
        cdef int64_t[:, :, ::1] no_winners = None
        describe_lines(&self.t, f, out, no_winners, 1)

    def fill(self, size_t first=0, size_t stop=SIZE_MAX):
        """Fill the pieces from `first` to `stop`."""
        cdef size_t piece, block, begin, end, total = TP_BLOCKS(&self.t) * self.pieces
        cdef bint fresh
        for piece in range(first, min(stop, total)):
            block, begin = piece // self.pieces, piece % self.pieces * self.step
            end = min(begin + self.step, self.t.length)
            fresh = block != self.prepared
            with nogil:
                kernels.hopf_cole(
                    &self.t, block, begin, end, fresh, self.w, self.eps, self.cut, &self.scratch[0])
            self.prepared = block
            PyErr_CheckSignals()
