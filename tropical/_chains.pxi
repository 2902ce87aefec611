# Messages along chains; included by _core.pyx.


cdef int describe_transitions(tp_chain *c, const cython.floating[:, :, :, :] transitions) except -1:
    check_length(transitions, 1, c.batch, "transitions")
    check_length(transitions, 2, c.states, "transitions")
    check_length(transitions, 3, c.states, "transitions")
    c.transitions = &transitions[0, 0, 0, 0]
    for axis in range(4):
        c.a_strides[axis] = transitions.strides[axis] // <Py_ssize_t>sizeof(cython.floating)
    return 0


cdef int describe_messages(tp_chain *c, cython.floating[:, :, :] messages, size_t count) except -1:
    check_length(messages, 0, count, "messages")
    check_length(messages, 1, c.batch, "messages")
    check_length(messages, 2, c.states, "messages")
    if c.states > 1 and messages.strides[2] != sizeof(cython.floating):
        raise ValueError("states of messages are not contiguous")
    c.messages = &messages[0, 0, 0]
    for axis in range(2):
        c.m_strides[axis] = messages.strides[axis] // <Py_ssize_t>sizeof(cython.floating)
    return 0


def chain(
    cython.floating[:, ::1] state not None,
    const cython.floating[:, :, :, :] transitions not None,
    const cython.floating[:, :, :] emissions,
    cython.floating[:, :, :] messages,
    int sign,
    double eps,
    bint bare,
    bint fixed,
    bint shared,
):
    """Replace `state`, (batch, states), by the last message along (steps, batch, states, states) transitions.

    Emissions and messages, (steps, batch, states), may be None; `bare` messages are without their emissions.
    Transitions are `fixed` where all steps and chains have the first one, or `shared` by several chains. Returns
    whether NaN or the infinity that is not the zero turned up, and results are not to be used. See
    csrc/chain.template.c.
    """
    cdef tp_chain c
    cdef size_t steps = transitions.shape[0], start = 0, count
    c.batch, c.states, c.sign, c.eps, c.bare = state.shape[0], state.shape[1], sign, eps, bare
    c.fixed, c.shared = fixed, shared
    describe_transitions(&c, transitions)
    c.emissions = c.messages = NULL
    if emissions is not None:
        check_length(emissions, 0, steps, "emissions")
        check_length(emissions, 1, c.batch, "emissions")
        check_length(emissions, 2, c.states, "emissions")
        c.emissions = &emissions[0, 0, 0]
        for axis in range(3):
            c.e_strides[axis] = emissions.strides[axis] // <Py_ssize_t>sizeof(cython.floating)
    if messages is not None:
        describe_messages(&c, messages, steps)
    if steps == 0 or c.batch == 0 or c.states == 0:
        return False
    cdef tp_matmul m
    m.inner = m.columns = c.states
    m.sign, m.eps, m.b = sign, eps, c.transitions
    m.b_strides = [c.a_strides[2], c.a_strides[3]]
    cdef tp_chain_kernel *run
    cdef tp_log_prepare_kernel *prepare
    if cython.floating is double:
        run, prepare = kernels.chain_f64, kernels.log_prepare_f64
    else:
        run, prepare = kernels.chain_f32, kernels.log_prepare_f32
    cdef size_t step = max(1, SLICE // (c.batch * c.states * c.states))
    cdef bint unusable = False
    cdef void *prepared = NULL
    cdef void *scratch = take_scratch(TP_CHAIN_SCRATCH(c.batch, c.states), sizeof(cython.floating))
    try:
        if eps > 0:
            prepared = take_scratch(TP_LOG_PREPARED(c.states, c.states), sizeof(cython.floating))
            if fixed:
                prepare(&m, prepared)
        while start < steps and not unusable:
            count = min(step, steps - start)
            with nogil:
                unusable = run(&c, start, count, &state[0, 0], prepared, scratch)
            start += count
            PyErr_CheckSignals()
    finally:
        PyMem_Free(scratch)
        PyMem_Free(prepared)
    return unusable


def backtrack(
    cython.floating[:, :, :] messages not None,
    const cython.floating[:, :, :, :] transitions not None,
    int64_t[:, ::1] path not None,
    int sign,
):
    """Fill `path`, (steps + 1, batch), whose last row is given, with best states before it; messages are those of
    eps = 0, the one before the first step included."""
    cdef tp_chain c
    cdef size_t steps = transitions.shape[0]
    c.batch, c.states, c.sign = messages.shape[1], messages.shape[2], sign
    describe_transitions(&c, transitions)
    describe_messages(&c, messages, steps + 1)
    check_length(path, 0, steps + 1, "path")
    check_length(path, 1, c.batch, "path")
    with nogil:
        if cython.floating is double:
            kernels.backtrack_f64(&c, steps, &path[0, 0])
        else:
            kernels.backtrack_f32(&c, steps, &path[0, 0])
