/* One polynomial at many points, points in the lanes: every result but the weights.
 *
 * Formula, special values, ties: as rows.template.c; z_j is the same chain of fused multiply-adds, so that
 *   results at eps = 0 are the same bits. At eps > 0, f = top + eps log(sum_j e^{(z_j - top)/eps}).
 * Error: rounding of z, then 4 ulp of |top| + eps log N + 1 (tests/tropical/test_kernels.py).
 *
 * A tile is TILE points, four vectors; TP_GROUP tiles go through the monomials together. Phases, per group:
 *   1. pack:     coordinates to (d, TILE), times the sign; the last tile repeats its last point.
 *   2. per panel of monomials, per tile
 *      a. forward:  z, ROWS monomials x four vectors in registers, and the maximum. Where d > TP_DEPTH,
 *                   z of the whole group comes from deep.template.c first.
 *      b. absorb:   (eps > 0) the running maximum moves, what was summed shrinks, e^a is summed.
 *      c. backward: (gradient) sum_j e_j slopes_j.
 *   3. finish:   results; a point with a non-finite coordinate or no finite maximum goes to `row`.
 *
 * The argmax at eps = 0 costs the loop little: only the block of BLOCK monomials that holds it is kept, and that
 * block is searched at the end.
 */
#define BLOCK 16

/* the maximum of a tile moves to `top`, which block `here` may have raised */
static INLINE void NAME(raise)(NAME(tile) *tile, const VEC top[4], INT here)
{
    for (int r = 0; r < 4; ++r) {
        const IVEC moved = (IVEC)(top[r] > tile->top[r]), there = (IVEC){0} + here;
        tile->block[r] = (moved & there) | (~moved & tile->block[r]);
        tile->top[r] = top[r];
    }
}

/* z of monomials 0 <= j < n of one panel (n a multiple of ROWS), kept unless NULL, and top = max(top, z). With
 * a tile, its maximum and block follow, blocks counted from `first`.                                  */
static INLINE void NAME(forward)(const TYPE *slopes, const TYPE *b, size_t d, size_t n, const TYPE *x, TYPE *z,
                                 VEC top[4], NAME(tile) *tile, INT first)
{
    for (size_t j = 0; j < n; j += ROWS) {
        VEC a[ROWS][4];
        for (int q = 0; q < ROWS; ++q)
            for (int r = 0; r < 4; ++r)
                a[q][r] = SPLAT(b[j + q]);
        for (size_t k = 0; k < d; ++k) {
            VEC xk[4];
            for (int r = 0; r < 4; ++r)
                xk[r] = NAME(load)(x + k * TILE + r * LANES);
            for (int q = 0; q < ROWS; ++q) {
                const VEC w = SPLAT(slopes[k * PANEL + j + q]);
                for (int r = 0; r < 4; ++r)
                    a[q][r] = VFMA(w, xk[r], a[q][r]);
            }
        }
        for (int q = 0; z && q < ROWS; ++q)
            for (int r = 0; r < 4; ++r)
                NAME(store)(z + (j + q) * TILE + r * LANES, a[q][r]);
        for (int q = 0; q < ROWS; ++q)
            for (int r = 0; r < 4; ++r)
                top[r] = VMAX(a[q][r], top[r]);
        if (tile && ((j + ROWS) % BLOCK == 0 || j + ROWS >= n))
            NAME(raise)(tile, top, first + (INT)(j / BLOCK));
    }
}

/* forward, where z is there already */
static INLINE void NAME(survey)(size_t n, const TYPE *z, VEC top[4], NAME(tile) *tile, INT first)
{
    for (size_t j = 0; j < n; ++j) {
        for (int r = 0; r < 4; ++r)
            top[r] = VMAX(NAME(load)(z + j * TILE + r * LANES), top[r]);
        if (tile && ((j + 1) % BLOCK == 0 || j + 1 == n))
            NAME(raise)(tile, top, first + (INT)(j / BLOCK));
    }
}

/* forward with the number of variables known to the compiler where it is small; survey where it is large */
static INLINE void NAME(forward_any)(const TYPE *slopes, const TYPE *b, size_t d, size_t n, const TYPE *x,
                                     TYPE *z, VEC top[4], NAME(tile) *tile, INT first)
{
    switch (d) {
    case 1: NAME(forward)(slopes, b, 1, n, x, z, top, tile, first); break;
    case 2: NAME(forward)(slopes, b, 2, n, x, z, top, tile, first); break;
    case 3: NAME(forward)(slopes, b, 3, n, x, z, top, tile, first); break;
    case 4: NAME(forward)(slopes, b, 4, n, x, z, top, tile, first); break;
    default:
        if (d > TP_DEPTH)
            NAME(survey)(n, z, top, tile, first);
        else
            NAME(forward)(slopes, b, d, n, x, z, top, tile, first);
    }
}

/* sum += sum_j e^((z_j - top)/eps); z becomes those exponentials if `keep` */
static INLINE void NAME(absorb)(const NAME(thermal) *t, size_t n, TYPE *z, const VEC top[4], VEC sum[4], int keep)
{
    for (size_t j = 0; j < n; ++j) {
        VEC e[4];
        for (int r = 0; r < 4; ++r)
            e[r] = NAME(load)(z + j * TILE + r * LANES) - top[r];
        NAME(exp_x4)(e, t->scale, t->floor);
        for (int r = 0; r < 4; ++r)
            sum[r] += e[r];
        for (int r = 0; keep && r < 4; ++r)
            NAME(store)(z + j * TILE + r * LANES, e[r]);
    }
}

/* gradient_k += sum_j e_j slopes_jk for `count` <= ROWS variables from k on */
static INLINE void NAME(backward)(const TYPE *slopes, size_t k, int count, size_t n, const TYPE *e, TYPE *gradient)
{
    VEC a[ROWS][4];
    for (int q = 0; q < count; ++q)
        for (int r = 0; r < 4; ++r)
            a[q][r] = NAME(load)(gradient + (k + q) * TILE + r * LANES);
    for (size_t j = 0; j < n; ++j) {
        VEC ej[4];
        for (int r = 0; r < 4; ++r)
            ej[r] = NAME(load)(e + j * TILE + r * LANES);
        for (int q = 0; q < count; ++q) {
            const VEC w = SPLAT(slopes[(k + q) * PANEL + j]);
            for (int r = 0; r < 4; ++r)
                a[q][r] = MULADD(w, ej[r], a[q][r]);
        }
    }
    for (int q = 0; q < count; ++q)
        for (int r = 0; r < 4; ++r)
            NAME(store)(gradient + (k + q) * TILE + r * LANES, a[q][r]);
}

static INLINE void NAME(backward_all)(const TYPE *slopes, size_t d, size_t n, const TYPE *e, TYPE *gradient)
{
    size_t k = 0;
    for (; k + ROWS <= d; k += ROWS)
        NAME(backward)(slopes, k, ROWS, n, e, gradient);
    for (; k + 2 <= d; k += 2)
        NAME(backward)(slopes, k, 2, n, e, gradient);
    if (k < d)
        NAME(backward)(slopes, k, 1, n, e, gradient);
}

/* coordinates of a tile to (d, TILE), times the sign; past `count` the last point is repeated */
static INLINE void NAME(pack_tile)(size_t d, size_t count, TYPE sign, const TYPE *from, TYPE *x)
{
    for (size_t k = 0; k < d; ++k)
        for (size_t l = 0; l < TILE; ++l)
            x[k * TILE + l] = sign * from[(l < count ? l : count - 1) * d + k];
}

static INLINE void NAME(pack_tile_any)(size_t d, size_t count, TYPE sign, const TYPE *from, TYPE *x)
{
    if (count < TILE)
        NAME(pack_tile)(d, count, sign, from, x);
    else
        switch (d) {
        case 1: NAME(pack_tile)(1, TILE, sign, from, x); break;
        case 2: NAME(pack_tile)(2, TILE, sign, from, x); break;
        case 3: NAME(pack_tile)(3, TILE, sign, from, x); break;
        case 4: NAME(pack_tile)(4, TILE, sign, from, x); break;
        default: NAME(pack_tile)(d, TILE, sign, from, x);
        }
}

/* what was summed over earlier panels, now that the maximum is `next` */
static INLINE void NAME(shrink)(const NAME(thermal) *t, const VEC top[4], const VEC next[4], VEC sum[4],
                                size_t d, TYPE *gradient)
{
    VEC factor[4];
    for (int r = 0; r < 4; ++r)
        factor[r] = top[r] - next[r];
    NAME(exp_x4)(factor, t->scale, t->floor);
    for (int r = 0; r < 4; ++r)
        sum[r] *= factor[r];
    for (size_t k = 0; gradient && k < d; ++k)
        for (int r = 0; r < 4; ++r)
            NAME(store)(gradient + k * TILE + r * LANES,
                        NAME(load)(gradient + k * TILE + r * LANES) * factor[r]);
}

/* one panel, of which n monomials count, joins a tile at eps > 0; z is room for it, or holds it if d > TP_DEPTH */
static INLINE void NAME(soft_panel)(const NAME(temperature) *t, const TYPE *slopes, const TYPE *b, size_t d, size_t n,
                                    const TYPE *x, TYPE *z, int first, NAME(tile) *tile, TYPE *gradient)
{
    VEC top[4], sum[4];
    for (int r = 0; r < 4; ++r) {
        top[r] = tile->top[r];
        sum[r] = tile->sum[r];
    }
    NAME(forward_any)(slopes, b, d, n, x, z, top, NULL, 0);
    if (!first)
        NAME(shrink)(&t->thermal, tile->top, top, sum, d, gradient);
    if (gradient) {
        NAME(absorb)(&t->thermal, n, z, top, sum, 1);
        NAME(backward_all)(slopes, d, n, z, gradient);
    } else {
        NAME(absorb)(&t->thermal, n, z, top, sum, 0);
    }
    for (int r = 0; r < 4; ++r) {
        tile->top[r] = top[r];
        tile->sum[r] = sum[r];
    }
}

/* the same for excess and entropy */
static INLINE void NAME(apart_panel)(const NAME(temperature) *t, const TYPE *slopes, const TYPE *b, size_t d, size_t n,
                                     const TYPE *x, TYPE *z, NAME(tile) *tile)
{
    VEC top[4];
    for (int r = 0; r < 4; ++r)
        top[r] = tile->top[r];
    NAME(forward_any)(slopes, b, d, n, x, z, top, NULL, 0);
    NAME(shrink_apart)(&t->thermal, top, tile);
    NAME(absorb_apart)(&t->thermal, n, z, top, tile);
    for (int r = 0; r < 4; ++r)
        tile->top[r] = top[r];
}

/* the same at eps = 0; `first` counts the blocks before this panel */
static INLINE void NAME(hard_panel)(const TYPE *slopes, const TYPE *b, size_t d, size_t n, const TYPE *x, TYPE *z,
                                    INT first, NAME(tile) *tile)
{
    VEC top[4];
    for (int r = 0; r < 4; ++r)
        top[r] = tile->top[r];
    NAME(forward_any)(slopes, b, d, n, x, d > TP_DEPTH ? z : NULL, top, tile, first);
}

/* argmax and gradient of point i at eps = 0, from the block that holds its maximum; x is its first coordinate in
 * a tile                                                                                              */
static INLINE void NAME(find)(const tp_polynomial *p, size_t d, size_t block, TYPE top, const TYPE *x, size_t i,
                              const tp_outputs *out)
{
    const size_t begin = block * BLOCK;
    const TYPE *slopes = (const TYPE *)p->panels + begin / PANEL * d * PANEL + begin % PANEL;
    TYPE z[BLOCK], *gradient = out->gradient;
    uint32_t attained = 0; /* bit j: z_j = top, which one of them is */
    NAME(affine)(p, d, x, TILE, begin, BLOCK, z);
    for (size_t j = 0; j < BLOCK; j += LANES)
        attained |= VSAME(NAME(load)(z + j), SPLAT(top)) << j;
    const size_t j = (size_t)__builtin_ctz(attained);
    if (out->argmax)
        out->argmax[i] = (int64_t)(begin + j);
    for (size_t k = 0; gradient && k < d; ++k)
        gradient[i * d + k] = slopes[k * PANEL + j];
}

static INLINE void NAME(find_any)(const tp_polynomial *p, size_t block, TYPE top, const TYPE *x, size_t i,
                                  const tp_outputs *out)
{
    switch (p->variables) {
    case 1: NAME(find)(p, 1, block, top, x, i, out); break;
    case 2: NAME(find)(p, 2, block, top, x, i, out); break;
    case 3: NAME(find)(p, 3, block, top, x, i, out); break;
    case 4: NAME(find)(p, 4, block, top, x, i, out); break;
    default: NAME(find)(p, p->variables, block, top, x, i, out);
    }
}

/* results of the `count` points of a tile, the first of which is point i */
static INLINE void NAME(finish_tile)(const tp_polynomial *p, const NAME(temperature) *t, int mode, size_t i,
                                     size_t count, const TYPE *from, const TYPE *x, NAME(tile) *tile,
                                     const TYPE *gradient, TYPE *point, const tp_outputs *out)
{
    const size_t d = p->variables;
    const TYPE sign = (TYPE)p->sign;
    VEC logs[4], checks[4], check = SPLAT(0);
    TYPE values[TILE];
    for (int r = 0; r < 4; ++r)
        logs[r] = tile->sum[r];
    if (mode == NAME(SOFT))
        NAME(log_x4)(logs);
    for (int r = 0; r < 4; ++r) {
        /* v - v is 0 for finite v and NaN for the others, which `row` settles. */
        checks[r] = tile->top[r] - tile->top[r];
        for (size_t k = 0; k < d; ++k) {
            const VEC v = NAME(load)(x + k * TILE + r * LANES);
            checks[r] += v - v;
        }
        check += checks[r];
        VEC f = tile->top[r];
        if (mode == NAME(SOFT))
            f += SPLAT(t->eps) * logs[r];
        NAME(store)(values + r * LANES, SPLAT(sign) * f + SPLAT(0));
    }
    if (out->values)
        memcpy((TYPE *)out->values + i, values, count * sizeof(TYPE));
    if (mode == NAME(APART)) {
        TYPE excess[TILE], entropy[TILE];
        NAME(finish_apart)(tile, t->eps, sign, excess, entropy);
        if (out->excess)
            memcpy((TYPE *)out->excess + i, excess, count * sizeof(TYPE));
        if (out->entropy)
            memcpy((TYPE *)out->entropy + i, entropy, count * sizeof(TYPE));
    }
    if (NAME(lane_sum)(check) == 0 && !out->gradient && !out->argmax)
        return;
    TYPE top[TILE], sum[TILE], point_check[TILE];
    INT block[TILE];
    for (int r = 0; r < 4; ++r) {
        NAME(store)(top + r * LANES, tile->top[r]);
        NAME(store)(sum + r * LANES, tile->sum[r]);
        NAME(store)(point_check + r * LANES, checks[r]);
        memcpy(block + r * LANES, &tile->block[r], sizeof tile->block[r]);
    }
    for (size_t l = 0; l < count; ++l) {
        if (point_check[l] != 0) {
            NAME(signed_point)(d, p->sign, from + l * d, point);
            NAME(row)(p, t, i + l, point, out);
        } else if (mode == NAME(SOFT)) {
            for (size_t k = 0; out->gradient && k < d; ++k)
                ((TYPE *)out->gradient)[(i + l) * d + k] = gradient[k * TILE + l] / sum[l];
        } else if (mode == NAME(HARD)) {
            NAME(find_any)(p, (size_t)block[l], top[l], x + l, i + l, out);
        }
    }
}

static TARGET void NAME(tiles)(const tp_polynomial *p, size_t points, const void *points_x, void *scratch,
                               const tp_outputs *out)
{
    const size_t N = p->terms, d = p->variables;
    const NAME(temperature) t = NAME(temperature_of)(p->eps);
    if (t.extreme) {
        NAME(rows)(p, points, points_x, scratch, out);
        return;
    }
    const TYPE sign = (TYPE)p->sign;
    const int apart = out->excess || out->entropy;
    const int mode = !(t.eps > 0) || out->argmax ? NAME(HARD) : apart ? NAME(APART) : NAME(SOFT);
    TYPE *x = (TYPE *)(((uintptr_t)scratch + 63) / 64 * 64); /* vectors do not straddle cache lines */
    TYPE *gradient = x + TP_GROUP * TILE * d, *z = gradient + TP_GROUP * TILE * d;
    TYPE *packed = z + (d > TP_DEPTH ? TP_GROUP : 1) * TILE * PANEL, *point = packed;
    NAME(tile) tiles[TP_GROUP];
    for (size_t first = 0; first < points; first += TP_GROUP * TILE) {
        const size_t left = points - first;
        const size_t group = left < TP_GROUP * TILE ? (left + TILE - 1) / TILE : TP_GROUP;
        const TYPE *from = (const TYPE *)points_x + first * d;
        for (size_t q = 0; q < group; ++q) {
            const size_t count = left - q * TILE < TILE ? left - q * TILE : TILE;
            NAME(pack_tile_any)(d, count, sign, from + q * TILE * d, x + q * d * TILE);
            tiles[q] = (NAME(tile)){0};
            for (int r = 0; r < 4; ++r)
                tiles[q].top[r] = SPLAT(-INFINITY);
        }
        for (size_t k = 0; mode == NAME(SOFT) && out->gradient && k < group * TILE * d; ++k)
            gradient[k] = 0;
        for (size_t begin = 0; begin < N; begin += PANEL) {
            const TYPE *slopes = (const TYPE *)p->panels + begin * d, *b = (const TYPE *)p->coefficients + begin;
            const size_t n = N - begin < PANEL ? (N - begin + ROWS - 1) / ROWS * ROWS : PANEL;
            if (d > TP_DEPTH)
                NAME(deep_panel)(slopes, b, d, n, group, x, z, packed);
            for (size_t q = 0; q < group; ++q) {
                const TYPE *xq = x + q * d * TILE;
                TYPE *zq = d > TP_DEPTH ? z + q * PANEL * TILE : z;
                if (mode == NAME(SOFT))
                    NAME(soft_panel)(&t, slopes, b, d, n, xq, zq, begin == 0, &tiles[q],
                                     out->gradient ? gradient + q * d * TILE : NULL);
                else if (mode == NAME(APART))
                    NAME(apart_panel)(&t, slopes, b, d, n, xq, zq, &tiles[q]);
                else
                    NAME(hard_panel)(slopes, b, d, n, xq, zq, (INT)(begin / BLOCK), &tiles[q]);
            }
        }
        for (size_t q = 0; q < group; ++q) {
            const size_t count = left - q * TILE < TILE ? left - q * TILE : TILE;
            NAME(finish_tile)(p, &t, mode, first + q * TILE, count, from + q * TILE * d, x + q * d * TILE, &tiles[q],
                              gradient + q * d * TILE, point, out);
        }
    }
}
#undef BLOCK
#undef TILE
