/* Messages along chains (hidden Markov models): forward, backward and Viterbi's recursions over any semiring.
 *
 * Formula:  x_t = (x_{t-1} ⊗ A_t) ⊗ e_t, at eps = 0 by matmul.template.c, at eps > 0 by log_matmul.template.c.
 * Domain:   entries that are neither NaN nor the infinity that is not the zero; those that are, and overflow, turn up
 *           in the states, and chain says so.
 * Error:    that of one product and one sum a step.
 * Source:   L. R. Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989), with scaling by the largest
 *           number of each row in the place of his; G. D. Forney, "The Viterbi algorithm", Proc. IEEE 61 (1973).
 *
 * Phases, per step: 1. the product, for all chains together where they share A, else one after another.  2. emissions
 *   and messages.  Backtracking: from the last state on, the first state before it that attains its message.
 */
static INLINE const TYPE *NAME(transition)(const tp_chain *c, size_t step, size_t chain)
{
    return (const TYPE *)c->transitions + (ptrdiff_t)step * c->a_strides[0] + (ptrdiff_t)chain * c->a_strides[1];
}

/* `next` = state ⊗ A of one step. How it is done does not depend on how many chains there are here: threads do that. */
static INLINE void NAME(step)(const tp_chain *c, size_t step, const TYPE *state, TYPE *next, void *prepared,
                              TYPE *scratch)
{
    const size_t n = c->states, together = c->fixed || c->shared ? c->batch : 1;
    for (size_t chain = 0; chain < c->batch; chain += together) {
        const tp_matmul m = {
            .rows = together, .inner = n, .columns = n, .sign = c->sign, .eps = c->eps, .no_nan = 1,
            .a = state + chain * n, .a_strides = {(ptrdiff_t)n, 1}, .b = NAME(transition)(c, step, chain),
            .b_strides = {c->a_strides[2], c->a_strides[3]}, .c = next + chain * n, .c_stride = n,
        };
        if (c->eps == 0) {
            NAME(matmul)(&m, scratch);
            continue;
        }
        if (c->shared && !c->fixed)
            NAME(log_prepare)(&m, prepared);
        NAME(log_matmul)(&m, c->fixed || c->shared ? prepared : NULL, scratch);
    }
}

static TARGET int NAME(chain)(const tp_chain *c, size_t first, size_t count, void *states, void *prepared,
                              void *scratch)
{
    const size_t n = c->states;
    const TYPE sign = (TYPE)c->sign;
    TYPE *state = states, *next = scratch;
    IVEC fine = (IVEC){0} - 1;
    int ok = 1;
    for (size_t t = first; t < first + count; ++t) {
        NAME(step)(c, t, state, next, prepared, next + c->batch * n);
        for (size_t chain = 0; chain < c->batch; ++chain) {
            const TYPE *e = !c->emissions ? NULL
                                          : (const TYPE *)c->emissions + (ptrdiff_t)t * c->e_strides[0] +
                                                (ptrdiff_t)chain * c->e_strides[1];
            const ptrdiff_t along = c->e_strides[2];
            TYPE *x = state + chain * n, *from = next + chain * n;
            TYPE *message = !c->messages ? NULL
                                         : (TYPE *)c->messages + (ptrdiff_t)t * c->m_strides[0] +
                                               (ptrdiff_t)chain * c->m_strides[1];
            size_t i = 0;
            for (; i + LANES <= n && (along == 1 || !e); i += LANES) {
                const VEC v = NAME(load)(from + i);
                VEC y = v;
                if (e) {
                    y += NAME(load)(e + i);
                    __builtin_prefetch(e + i + c->e_strides[0]); /* the next step, too far to be guessed */
                }
                fine &= (IVEC)(SPLAT(sign) * y < SPLAT(INFINITY));
                NAME(store)(x + i, y);
                if (message)
                    NAME(store)(message + i, c->bare ? v : y);
            }
            for (; i < n; ++i) {
                x[i] = e ? from[i] + e[(ptrdiff_t)i * along] : from[i];
                ok &= sign * x[i] < INFINITY;
                if (message)
                    message[i] = c->bare ? from[i] : x[i];
            }
        }
    }
    for (size_t l = 0; l < LANES; ++l)
        ok &= fine[l] != 0;
    return !ok;
}

static TARGET void NAME(backtrack)(const tp_chain *c, size_t steps, int64_t *path)
{
    const TYPE sign = (TYPE)c->sign;
    for (size_t t = steps; t-- > 0;)
        for (size_t chain = 0; chain < c->batch; ++chain) {
            const int64_t after = path[(t + 1) * c->batch + chain];
            const TYPE *a = NAME(transition)(c, t, chain) + (ptrdiff_t)after * c->a_strides[3];
            const TYPE *x = (const TYPE *)c->messages + (ptrdiff_t)t * c->m_strides[0] +
                            (ptrdiff_t)chain * c->m_strides[1];
            TYPE best = -INFINITY;
            int64_t where = -1;
            for (size_t i = 0; after >= 0 && i < c->states; ++i) {
                const TYPE sum = sign * (x[i] + a[(ptrdiff_t)i * c->a_strides[2]]);
                if (sum > best)
                    best = sum, where = (int64_t)i;
            }
            path[t * c->batch + chain] = where;
        }
}
