# Products and closures of matrices; included by _core.pyx.


def matmul(
    const cython.floating[:, :, :] a not None,
    const cython.floating[:, :, :] b not None,
    cython.floating[:, :, :] c not None,
    int sign,
    bint accumulate=False,
    int64_t[:, :, ::1] index=None,
):
    """Fill c with the tropical products a ⊗ b of a batch of matrices; see csrc/matmul.template.c.

    a is (batch, m, k) and b (batch, k, n) with any strides, c (batch, m, n) with contiguous rows; no entry
    may be NaN or the infinity opposite to the semiring's zero.
    """
    cdef size_t batch = c.shape[0], s
    check_length(a, 0, batch, "a")
    check_length(b, 0, batch, "b")
    check_length(a, 1, c.shape[1], "a")
    check_length(b, 1, a.shape[2], "b")
    check_length(b, 2, c.shape[2], "b")
    if index is not None:
        if accumulate:
            raise ValueError("index cannot be accumulated")
        for axis in range(3):
            check_length(index, axis, c.shape[axis], "index")
    if batch == 0 or c.shape[1] == 0 or c.shape[2] == 0:
        return
    if c.shape[2] > 1 and c.strides[2] != sizeof(cython.floating):
        raise ValueError("rows of c are not contiguous")
    cdef tp_matmul m
    m.rows, m.inner, m.columns = a.shape[1], a.shape[2], b.shape[2]
    m.sign, m.accumulate = sign, accumulate
    for s in range(2):
        m.a_strides[s] = a.strides[s + 1] // <Py_ssize_t>sizeof(cython.floating)
        m.b_strides[s] = b.strides[s + 1] // <Py_ssize_t>sizeof(cython.floating)
    m.c_stride = c.strides[1] // <Py_ssize_t>sizeof(cython.floating)
    cdef tp_matmul_kernel *run
    if cython.floating is double:
        run = kernels.matmul_f64
    else:
        run = kernels.matmul_f32
    cdef void *scratch = take_scratch(TP_MATMUL_SCRATCH(m.rows, m.inner), sizeof(cython.floating))
    # Rows of C are independent, so a slice of rows is the unit between two looks at pending signals.
    cdef size_t step = slice_length(m.rows, m.inner * m.columns), start, rows = m.rows
    try:
        for s in range(batch):
            start = 0
            while start < rows:
                m.rows = min(step, rows - start)
                m.a = &a[s, start, 0]
                m.b = &b[s, 0, 0]
                m.c = &c[s, start, 0]
                m.index = &index[s, start, 0] if index is not None else NULL
                with nogil:
                    run(&m, scratch)
                start += m.rows
            if s % 256 == 0:
                PyErr_CheckSignals()
    finally:
        PyMem_Free(scratch)


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
