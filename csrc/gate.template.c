/* The semiring sum of several arrays at eps > 0, number by number: a layer of soft max gates.
 *
 * Formula (sign = -1 is its mirror image): top + eps log1p(rest), top = max_k a_k, where rest sums e^{(a_k - top)/eps}
 *   over all terms but one that is top.
 * Special values: -inf is neutral, +inf wins, NaN spoils its own number.
 * Error: one rounding, and 4 ulp of eps log1p(rest), which is a sum of positive numbers: so the small terms are seen
 *   where top is 0. Terms below e^-700 (float: e^-86) of the largest count as nothing.
 * Phases, per four vectors: 1. top, and NaN.  2. the terms behind it are summed, those equal to it counted; of two
 *   terms one is behind.  3. log1p, as in entropy.template.c.
 * Rejected: eps = 0 here as well. One pass over 2 to 8 arrays took up to three times as long as NumPy's maxima of two.
 */
#define TILE (4 * LANES)

/* where number j of row i of branch k is */
static INLINE const TYPE *NAME(at_branch)(const tp_gates *g, size_t k, size_t i, size_t j)
{
    return (const TYPE *)g->branches[k] + (ptrdiff_t)i * g->strides[k] + j;
}

/* `count` <= TILE numbers times the sign, with zeros behind them */
static INLINE void NAME(load_tile)(const TYPE *from, size_t count, TYPE sign, VEC v[4])
{
    TYPE some[TILE];
    if (count < TILE) {
        for (size_t l = 0; l < TILE; ++l)
            some[l] = l < count ? from[l] : 0;
        from = some;
    }
    for (int r = 0; r < 4; ++r)
        v[r] = SPLAT(sign) * NAME(load)(from + r * LANES);
}

/* sum += e^(gap/eps) for those behind the top, ties += 1 for those that are it; gap = max(a - top, floor) */
static INLINE void NAME(join_gate)(const NAME(thermal) *t, const VEC gap[4], VEC sum[4], VEC ties[4])
{
    VEC e[4];
    for (int r = 0; r < 4; ++r)
        e[r] = gap[r];
    NAME(exp_x4)(e, t->scale, t->floor);
    for (int r = 0; r < 4; ++r) {
        const IVEC behind = (IVEC)(gap[r] < SPLAT(0)) & (IVEC)(gap[r] > t->floor);
        sum[r] += NAME(select)(behind, e[r], SPLAT(0));
        ties[r] += NAME(select)((IVEC)(gap[r] == SPLAT(0)), SPLAT(1), SPLAT(0));
    }
}

/* top + eps log1p(rest) in place of top; `low` is the smaller of two terms */
static INLINE void NAME(soften_gate)(const tp_gates *g, const NAME(temperature) *t, size_t i, size_t j, size_t count,
                                     const VEC low[4], VEC top[4])
{
    VEC sum[4], ties[4], gap[4], total[4], logs[4];
    const size_t others = g->count == 2 ? 1 : g->count; /* with the top itself, unless there are two */
    for (int r = 0; r < 4; ++r) {
        sum[r] = SPLAT(0);
        ties[r] = SPLAT(g->count == 2 ? 1 : 0);
        gap[r] = low[r];
    }
    for (size_t k = 0; k < others; ++k) {
        if (g->count != 2)
            NAME(load_tile)(NAME(at_branch)(g, k, i, j), count, (TYPE)g->sign, gap);
        for (int r = 0; r < 4; ++r)
            gap[r] = VMAX(gap[r] - top[r], t->thermal.floor);
        NAME(join_gate)(&t->thermal, gap, sum, ties);
    }
    for (int r = 0; r < 4; ++r) {
        sum[r] += ties[r] - SPLAT(1);
        logs[r] = total[r] = SPLAT(1) + sum[r];
    }
    NAME(log_x4)(logs);
    for (int r = 0; r < 4; ++r) {
        const VEC log1p = logs[r] + (sum[r] - (total[r] - SPLAT(1))) / total[r];
        const IVEC finite = (IVEC)(top[r] - top[r] == SPLAT(0));
        top[r] = NAME(select)(finite, top[r] + SPLAT(t->eps) * log1p, top[r]);
    }
}

/* one number by the C library, where 1/eps is not to be trusted; `top` is that of its terms */
static TARGET TYPE NAME(extreme_gate)(const tp_gates *g, TYPE eps, size_t i, size_t j, TYPE top)
{
    TYPE rest = 0;
    int left_out = 0; /* a term that is top */
    if (top - top != 0)
        return top;
    for (size_t k = 0; k < g->count; ++k) {
        const TYPE gap = (TYPE)g->sign * *NAME(at_branch)(g, k, i, j) - top;
        if (gap == 0 && !left_out)
            left_out = 1;
        else
            rest += EXP(gap / eps);
    }
    return rest > 0 ? top + eps * LOG1P(rest) : top;
}

/* numbers j <= l < j + count of row i */
static INLINE void NAME(gate_tile)(const tp_gates *g, const NAME(temperature) *t, size_t i, size_t j, size_t count)
{
    VEC top[4], low[4], v[4];
    IVEC spoiled[4];
    TYPE results[TILE], *to = (TYPE *)g->to + i * g->to_stride + j;
    NAME(load_tile)(NAME(at_branch)(g, 0, i, j), count, (TYPE)g->sign, top);
    for (int r = 0; r < 4; ++r) {
        low[r] = top[r];
        spoiled[r] = (IVEC)(top[r] != top[r]);
    }
    for (size_t k = 1; k < g->count; ++k) {
        NAME(load_tile)(NAME(at_branch)(g, k, i, j), count, (TYPE)g->sign, v);
        for (int r = 0; r < 4; ++r) {
            spoiled[r] |= (IVEC)(v[r] != v[r]);
            low[r] = VMIN(v[r], low[r]);
            top[r] = VMAX(v[r], top[r]);
        }
    }
    if (!t->extreme)
        NAME(soften_gate)(g, t, i, j, count, low, top);
    for (int r = 0; r < 4; ++r)
        NAME(store)(results + r * LANES, NAME(select)(spoiled[r], SPLAT(NAN), top[r]));
    for (size_t l = 0; t->extreme && l < count; ++l)
        results[l] = NAME(extreme_gate)(g, t->eps, i, j + l, results[l]);
    for (size_t l = 0; l < count; ++l)
        to[l] = (TYPE)g->sign * results[l];
}

static TARGET void NAME(gate)(const tp_gates *g)
{
    const NAME(temperature) t = NAME(temperature_of)(g->eps);
    for (size_t i = 0; i < g->rows; ++i) {
        size_t j = 0;
        for (; j + TILE <= g->columns; j += TILE)
            NAME(gate_tile)(g, &t, i, j, TILE);
        if (j < g->columns)
            NAME(gate_tile)(g, &t, i, j, g->columns - j);
    }
}
#undef TILE
