/* Excess and entropy at many points at eps > 0, points in the lanes; the panels are those of tiles.template.c.
 *
 * Formula: with T terms equal to the largest, top, and a_j = (z_j - top)/eps over the others,
 *            rest = T - 1 + sum_j e^{a_j},    excess = eps log(1 + rest),
 *            entropy = log(1 + rest) - sum_j a_j e^{a_j} / (1 + rest).
 * Error:   as rows.template.c: both are sums of positive numbers, so that they keep their relative accuracy when
 *          one term is far ahead. Terms below e^-700 (float: e^-86) of the largest count as nothing.
 */

/* a panel of n terms z joins a tile whose maximum is `top` */
static INLINE void NAME(absorb_apart)(const NAME(thermal) *t, size_t n, const TYPE *z, const VEC top[4],
                                      NAME(tile) *tile)
{
    VEC rest[4], moment[4], ties[4];
    for (int r = 0; r < 4; ++r) {
        rest[r] = tile->sum[r];
        moment[r] = tile->moment[r];
        ties[r] = tile->ties[r];
    }
    for (size_t j = 0; j < n; ++j) {
        VEC gap[4], e[4];
        for (int r = 0; r < 4; ++r)
            e[r] = gap[r] = VMAX(NAME(load)(z + j * TILE + r * LANES) - top[r], t->floor);
        NAME(exp_x4)(e, t->scale, t->floor);
        for (int r = 0; r < 4; ++r) {
            const IVEC counts = (IVEC)(gap[r] < SPLAT(0)) & (IVEC)(gap[r] > t->floor);
            e[r] = NAME(select)(counts, e[r], SPLAT(0));
            rest[r] += e[r];
            moment[r] = MULADD(gap[r], e[r], moment[r]);
            ties[r] += NAME(select)((IVEC)(gap[r] == SPLAT(0)), SPLAT(1), SPLAT(0));
        }
    }
    for (int r = 0; r < 4; ++r) {
        tile->sum[r] = rest[r];
        tile->moment[r] = moment[r];
        tile->ties[r] = ties[r];
    }
}

/* what was summed over earlier panels, where the maximum has moved to `next`: former ties are now terms behind it */
static INLINE void NAME(shrink_apart)(const NAME(thermal) *t, const VEC next[4], NAME(tile) *tile)
{
    VEC gap[4], factor[4];
    for (int r = 0; r < 4; ++r)
        factor[r] = gap[r] = VMAX(tile->top[r] - next[r], t->floor);
    NAME(exp_x4)(factor, t->scale, t->floor);
    for (int r = 0; r < 4; ++r) {
        const IVEC moved = (IVEC)(gap[r] < SPLAT(0));
        const VEC f = NAME(select)((IVEC)(gap[r] > t->floor), factor[r], SPLAT(0));
        const VEC total = tile->ties[r] + tile->sum[r];
        tile->moment[r] = NAME(select)(moved, f * (tile->moment[r] + gap[r] * total), tile->moment[r]);
        tile->sum[r] = NAME(select)(moved, f * total, tile->sum[r]);
        tile->ties[r] = NAME(select)(moved, SPLAT(0), tile->ties[r]);
    }
}

/* excess and entropy of a tile; log(1 + rest) by log u, u = 1 + rest rounded, and what that rounding took */
static INLINE void NAME(finish_apart)(const NAME(tile) *tile, TYPE eps, TYPE sign, TYPE *excess, TYPE *entropy)
{
    VEC rest[4], total[4], logs[4];
    for (int r = 0; r < 4; ++r) {
        rest[r] = tile->ties[r] - SPLAT(1) + tile->sum[r];
        logs[r] = total[r] = SPLAT(1) + rest[r];
    }
    NAME(log_x4)(logs);
    for (int r = 0; r < 4; ++r) {
        const VEC log1p = logs[r] + (rest[r] - (total[r] - SPLAT(1))) / total[r];
        NAME(store)(excess + r * LANES, SPLAT(sign * eps) * log1p + SPLAT(0));
        NAME(store)(entropy + r * LANES, log1p - tile->moment[r] / SPLAT(eps) / total[r]);
    }
}
