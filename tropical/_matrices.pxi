# Products and closures of matrices; included by _core.pyx.


cdef int describe_product(
    tp_matmul *m,
    const cython.floating[:, :, :] a,
    const cython.floating[:, :, :] b,
    cython.floating[:, :, :] c,
    int sign,
) except -1:
    """Fill `m` but for the matrices themselves, once shapes are checked."""
    check_length(a, 0, c.shape[0], "a")
    check_length(b, 0, c.shape[0], "b")
    check_length(a, 1, c.shape[1], "a")
    check_length(b, 1, a.shape[2], "b")
    check_length(b, 2, c.shape[2], "b")
    if c.shape[2] > 1 and c.shape[1] and c.strides[2] != sizeof(cython.floating):
        raise ValueError("rows of c are not contiguous")
    m.rows, m.inner, m.columns = a.shape[1], a.shape[2], b.shape[2]
    m.sign, m.eps, m.accumulate, m.no_nan, m.same_b, m.index = sign, 0, False, False, False, NULL
    for axis in range(2):
        m.a_strides[axis] = a.strides[axis + 1] // <Py_ssize_t>sizeof(cython.floating)
        m.b_strides[axis] = b.strides[axis + 1] // <Py_ssize_t>sizeof(cython.floating)
    m.c_stride = c.strides[1] // <Py_ssize_t>sizeof(cython.floating)
    return 0


def matmul(
    const cython.floating[:, :, :] a not None,
    const cython.floating[:, :, :] b not None,
    cython.floating[:, :, :] c not None,
    int sign,
    bint accumulate=False,
    int64_t[:, :, ::1] index=None,
):
    """Fill c with the tropical products a ⊗ b of a batch of matrices; see csrc/matmul.template.c.

    a is (batch, m, k) and b (batch, k, n) with any strides, c (batch, m, n) with contiguous rows. Returns whether
    there may be NaN, which is passed over; with `accumulate`, where c ⊕= a ⊗ b, there must be none.
    """
    cdef tp_matmul m
    describe_product(&m, a, b, c, sign)
    if index is not None:
        if accumulate:
            raise ValueError("index cannot be accumulated")
        for axis in range(3):
            check_length(index, axis, c.shape[axis], "index")
    m.accumulate = m.no_nan = accumulate
    cdef size_t batch = c.shape[0], s, start, rows = m.rows
    if batch == 0 or rows == 0 or m.columns == 0:
        return False
    cdef tp_matmul_kernel *run
    if cython.floating is double:
        run = kernels.matmul_f64
    else:
        run = kernels.matmul_f32
    cdef void *scratch = take_scratch(TP_MATMUL_SCRATCH(rows, m.inner), sizeof(cython.floating))
    # Rows of C are independent, so a slice of rows is the unit between two looks at pending signals. A sum and a maximum
    # take some 0.04 ns, and B is packed again for each block of TP_MATMUL_HEIGHT rows, but not for TP_TILE_MAX alone.
    cdef size_t step = max(slice_length(rows, 1 + m.inner * m.columns // 128), min(rows, 2 * TP_TILE_MAX))
    if step > TP_MATMUL_HEIGHT:
        step -= step % TP_MATMUL_HEIGHT
    cdef size_t look = 1 + SLICE // (rows * (m.inner + 1) * m.columns)
    cdef bint may_have_nan = False
    try:
        for s in range(batch):
            start = 0
            while start < rows:
                m.rows = min(step, rows - start)
                m.a = &a[s, start, 0]
                m.b = &b[s, 0, 0]
                m.c = &c[s, start, 0]
                m.same_b = start > 0 or (s > 0 and b.strides[0] == 0)
                m.index = &index[s, start, 0] if index is not None else NULL
                with nogil:
                    may_have_nan |= run(&m, scratch)
                start += m.rows
            if s % look == 0:
                PyErr_CheckSignals()
    finally:
        PyMem_Free(scratch)
    return may_have_nan


def log_matmul(
    const cython.floating[:, :, :] a not None,
    const cython.floating[:, :, :] b not None,
    cython.floating[:, :, :] c not None,
    int sign,
    double eps,
    cython.floating[::1] prepared=None,
):
    """Fill c with products at eps > 0, shapes as for `matmul`; see csrc/log_matmul.template.c.

    `prepared`: what `log_prepare` made of b, for a single product.
    """
    cdef tp_matmul m
    describe_product(&m, a, b, c, sign)
    cdef size_t batch = c.shape[0], s, start, rows = m.rows
    if batch == 0 or rows == 0 or m.columns == 0 or m.inner == 0:
        raise ValueError("the product is empty")
    m.eps = eps
    cdef bint as_row = m.columns == 1 and rows > 1 and m.c_stride == 1
    if as_row:  # (A x)ᵀ = xᵀ Aᵀ
        m.rows, m.columns = 1, rows
        m.a_strides, m.b_strides = [1, m.b_strides[0]], [m.a_strides[1], m.a_strides[0]]
        rows = 1
    cdef bint directly = rows == 1  # never by the number of products, which depends on threads
    cdef void *room = NULL
    cdef void *scratch = NULL
    cdef tp_log_prepare_kernel *prepare
    cdef tp_log_matmul_kernel *run
    if cython.floating is double:
        prepare, run = kernels.log_prepare_f64, kernels.log_matmul_f64
    else:
        prepare, run = kernels.log_prepare_f32, kernels.log_matmul_f32
    cdef size_t step = slice_length(rows, 1 + m.inner * m.columns // 8)
    cdef size_t look = 1 + SLICE // (rows * m.inner * m.columns)
    try:
        scratch = take_scratch(TP_LOG_SCRATCH(m.inner), sizeof(cython.floating))
        if prepared is not None:
            check_length(prepared, 0, TP_LOG_PREPARED(m.inner, m.columns), "prepared")
        elif not directly:
            room = take_scratch(TP_LOG_PREPARED(m.inner, m.columns), sizeof(cython.floating))
        for s in range(batch):
            start = 0
            while start < rows:
                m.rows = min(step, rows - start)
                m.a = &a[s, start, 0]
                m.b = &b[s, 0, 0]
                if as_row:
                    m.a, m.b = m.b, m.a
                m.c = &c[s, start, 0]
                with nogil:
                    if room is not NULL and start == 0:
                        prepare(&m, room)
                    run(&m, &prepared[0] if prepared is not None else room, scratch)
                start += m.rows
            if s % look == 0:
                PyErr_CheckSignals()
    finally:
        PyMem_Free(scratch)
        PyMem_Free(room)


def log_prepared_size(size_t inner, size_t columns):
    """Length of the array that `log_prepare` fills."""
    return TP_LOG_PREPARED(inner, columns)


def log_prepare(
    const cython.floating[:, :] b not None, int sign, double eps, cython.floating[::1] prepared not None
):
    """Fill `prepared` with the exponentials of a matrix b, for `log_matmul`."""
    cdef tp_matmul m
    m.inner, m.columns, m.sign, m.eps = b.shape[0], b.shape[1], sign, eps
    check_length(prepared, 0, TP_LOG_PREPARED(m.inner, m.columns), "prepared")
    for axis in range(2):
        m.b_strides[axis] = b.strides[axis] // <Py_ssize_t>sizeof(cython.floating)
    m.b = &b[0, 0]
    with nogil:
        if cython.floating is double:
            kernels.log_prepare_f64(&m, &prepared[0])
        else:
            kernels.log_prepare_f32(&m, &prepared[0])


def close(cython.floating[:, :] c not None, int sign):
    """Replace the small square matrix c, with contiguous rows, by its closure c ⊕ c² ⊕ c³ ⊕ …"""
    check_length(c, 1, c.shape[0], "c")
    if c.shape[0] == 0:
        return
    if c.shape[0] > 1 and c.strides[1] != sizeof(cython.floating):
        raise ValueError("rows of c are not contiguous")
    cdef size_t stride = c.strides[0] // <Py_ssize_t>sizeof(cython.floating)
    if cython.floating is double:
        kernels.close_f64(c.shape[0], sign, &c[0, 0], stride)
    else:
        kernels.close_f32(c.shape[0], sign, &c[0, 0], stride)
