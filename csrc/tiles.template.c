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
            VEC w[ROWS];
            for (int q = 0; q < ROWS; ++q) {
                w[q] = SPLAT(slopes[k * PANEL + j + q]);
                IN_REGISTER(w[q]);
            }
            for (int r = 0; r < 4; ++r) {
                VEC xk = NAME(load)(x + k * TILE + r * LANES);
                IN_REGISTER(xk);
                for (int q = 0; q < ROWS; ++q)
                    a[q][r] = VFMA(w[q], xk, a[q][r]);
            }
        }
        if (z)
            for (int q = 0; q < ROWS; ++q)
                for (int r = 0; r < 4; ++r)
                    NAME(store)(z + (j + q) * TILE + r * LANES, a[q][r]);
        for (int q = 0; q < ROWS; ++q)
            for (int r = 0; r < 4; ++r)
                top[r] = VMAX(a[q][r], top[r]);
        if (tile && ((j + ROWS) % BLOCK == 0 || j + ROWS >= n))
            NAME(raise)(tile, top, first + (INT)(j / BLOCK));
    }
}

/* forward for d <= 4, known to the compiler: the coordinates stay in registers */
static INLINE void NAME(forward_small)(const TYPE *slopes, const TYPE *b, size_t d, size_t n, const TYPE *x, TYPE *z,
                                       VEC top[4], NAME(tile) *tile, INT first)
{
    VEC xs[4][4], highest[4];
    for (size_t k = 0; k < d; ++k)
        for (int r = 0; r < 4; ++r)
            xs[k][r] = NAME(load)(x + k * TILE + r * LANES);
    for (int r = 0; r < 4; ++r)
        highest[r] = top[r];
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        const size_t end = begin + BLOCK < n ? begin + BLOCK : n;
        for (size_t j = begin; j < end; j += 2) {
#pragma GCC unroll 2
            for (size_t q = 0; q < 2; ++q) {
                VEC a[4];
                for (int r = 0; r < 4; ++r)
                    a[r] = SPLAT(b[j + q]);
                for (size_t k = 0; k < d; ++k) {
                    const VEC w = SPLAT(slopes[k * PANEL + j + q]);
                    for (int r = 0; r < 4; ++r)
                        a[r] = VFMA(w, xs[k][r], a[r]);
                }
                if (z)
                    for (int r = 0; r < 4; ++r)
                        NAME(store)(z + (j + q) * TILE + r * LANES, a[r]);
                for (int r = 0; r < 4; ++r)
                    highest[r] = VMAX(a[r], highest[r]);
            }
        }
        if (tile)
            NAME(raise)(tile, highest, first + (INT)(begin / BLOCK));
    }
    for (int r = 0; r < 4; ++r)
        top[r] = highest[r];
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
    case 1: NAME(forward_small)(slopes, b, 1, n, x, z, top, tile, first); break;
    case 2: NAME(forward_small)(slopes, b, 2, n, x, z, top, tile, first); break;
    case 3: NAME(forward_small)(slopes, b, 3, n, x, z, top, tile, first); break;
    case 4: NAME(forward_small)(slopes, b, 4, n, x, z, top, tile, first); break;
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
        if (!keep) {
            NAME(exp_sum_x4)(e, t->scale, t->floor, sum);
            continue;
        }
        NAME(exp_x4)(e, t->scale, t->floor);
        for (int r = 0; r < 4; ++r) {
            sum[r] += e[r];
            NAME(store)(z + j * TILE + r * LANES, e[r]);
        }
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
        VEC w[ROWS];
        for (int q = 0; q < count; ++q) {
            w[q] = SPLAT(slopes[(k + q) * PANEL + j]);
            IN_REGISTER(w[q]);
        }
        for (int r = 0; r < 4; ++r) {
            VEC ej = NAME(load)(e + j * TILE + r * LANES);
            IN_REGISTER(ej);
            for (int q = 0; q < count; ++q)
                a[q][r] = MULADD(w[q], ej, a[q][r]);
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

#ifdef HAS_PERMUTE /* a whole tile of two variables, which the compiler takes apart number by number */
static INLINE void NAME(pack_pairs)(TYPE sign, const TYPE *from, TYPE *x)
{
    IVEC even;
    for (size_t l = 0; l < LANES; ++l)
        even[l] = (INT)(2 * l);
    for (int r = 0; r < 4; ++r, from += 2 * LANES, x += LANES) {
        const VEC low = NAME(load)(from), high = NAME(load)(from + LANES);
        NAME(store)(x, SPLAT(sign) * VPICK(low, high, even));
        NAME(store)(x + TILE, SPLAT(sign) * VPICK(low, high, even + 1));
    }
}
#endif

static INLINE void NAME(pack_tile_any)(size_t d, size_t count, TYPE sign, const TYPE *from, TYPE *x)
{
    if (count < TILE)
        NAME(pack_tile)(d, count, sign, from, x);
    else
        switch (d) {
        case 1: NAME(pack_tile)(1, TILE, sign, from, x); break;
#ifdef HAS_PERMUTE
        case 2: NAME(pack_pairs)(sign, from, x); break;
#else
        case 2: NAME(pack_tile)(2, TILE, sign, from, x); break;
#endif
        case 3: NAME(pack_tile)(3, TILE, sign, from, x); break;
        case 4: NAME(pack_tile)(4, TILE, sign, from, x); break;
        default: NAME(pack_tile)(d, TILE, sign, from, x);
        }
}

/* a gradient from (d, TILE), divided by the sums, to (count, d); it changes */
static INLINE void NAME(unpack_gradient)(size_t d, size_t count, TYPE *gradient, const VEC sum[4], TYPE *to)
{
    for (size_t k = 0; k < d; ++k)
        for (int r = 0; r < 4; ++r)
            NAME(store)(gradient + k * TILE + r * LANES, NAME(load)(gradient + k * TILE + r * LANES) / sum[r]);
    for (size_t l = 0; l < count; ++l)
        for (size_t k = 0; k < d; ++k)
            to[l * d + k] = gradient[k * TILE + l];
}

static INLINE void NAME(unpack_gradient_any)(size_t d, size_t count, TYPE *gradient, const VEC sum[4], TYPE *to)
{
    switch (count < TILE ? 0 : d) {
    case 1: NAME(unpack_gradient)(1, TILE, gradient, sum, to); break;
    case 2: NAME(unpack_gradient)(2, TILE, gradient, sum, to); break;
    case 3: NAME(unpack_gradient)(3, TILE, gradient, sum, to); break;
    case 4: NAME(unpack_gradient)(4, TILE, gradient, sum, to); break;
    default: NAME(unpack_gradient)(d, count, gradient, sum, to);
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

/* the same at eps = 0; `first` counts the blocks before this panel, if they are asked for */
static INLINE void NAME(hard_panel)(const TYPE *slopes, const TYPE *b, size_t d, size_t n, const TYPE *x, TYPE *z,
                                    int mode, INT first, NAME(tile) *tile)
{
    VEC top[4];
    for (int r = 0; r < 4; ++r)
        top[r] = tile->top[r];
    NAME(forward_any)(slopes, b, d, n, x, d > TP_DEPTH ? z : NULL, top, mode == NAME(LOCATED) ? tile : NULL, first);
    for (int r = 0; r < 4; ++r)
        tile->top[r] = top[r];
}

/* argmax and gradient at eps = 0 of the points of a tile, from the block that holds the maximum of each; those with
 * a non-zero `check` are left                                                                             */
static INLINE void NAME(find)(const tp_polynomial *p, size_t d, size_t count, const TYPE *x, const TYPE *top,
                              const INT *block, const TYPE *check, size_t i, const tp_outputs *out)
{
    TYPE *gradient = out->gradient;
    for (size_t l = 0; l < count; ++l) {
        if (check[l] != 0)
            continue;
        const size_t begin = (size_t)block[l] * BLOCK;
        const TYPE *slopes = (const TYPE *)p->panels + begin / PANEL * d * PANEL + begin % PANEL;
        uint32_t attained = 0; /* bit j: z_j = top, which one of them is */
        for (size_t j = 0; j < BLOCK; j += LANES) {
            VEC z = NAME(load)((const TYPE *)p->coefficients + begin + j);
            for (size_t k = 0; k < d; ++k)
                z = VFMA(NAME(load)(slopes + k * PANEL + j), SPLAT(x[k * TILE + l]), z);
            attained |= VSAME(z, SPLAT(top[l])) << j;
        }
        const size_t j = (size_t)__builtin_ctz(attained);
        if (out->argmax)
            out->argmax[i + l] = (int64_t)(begin + j);
        for (size_t k = 0; gradient && k < d; ++k)
            gradient[(i + l) * d + k] = slopes[k * PANEL + j];
    }
}

static INLINE void NAME(find_any)(const tp_polynomial *p, size_t count, const TYPE *x, const TYPE *top,
                                  const INT *block, const TYPE *check, size_t i, const tp_outputs *out)
{
    switch (p->variables) {
    case 1: NAME(find)(p, 1, count, x, top, block, check, i, out); break;
    case 2: NAME(find)(p, 2, count, x, top, block, check, i, out); break;
    case 3: NAME(find)(p, 3, count, x, top, block, check, i, out); break;
    case 4: NAME(find)(p, 4, count, x, top, block, check, i, out); break;
    default: NAME(find)(p, p->variables, count, x, top, block, check, i, out);
    }
}

/* results of the `count` points of a tile, the first of which is point i */
static INLINE void NAME(finish_tile)(const tp_polynomial *p, const NAME(temperature) *t, int mode, size_t i,
                                     size_t count, const TYPE *from, const TYPE *x, NAME(tile) *tile,
                                     TYPE *gradient, TYPE *point, const tp_outputs *out)
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
    if (out->values && count == TILE) /* a length that the compiler knows */
        memcpy((TYPE *)out->values + i, values, TILE * sizeof(TYPE));
    else if (out->values)
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
    TYPE top[TILE], point_check[TILE];
    for (int r = 0; r < 4; ++r) {
        NAME(store)(top + r * LANES, tile->top[r]);
        NAME(store)(point_check + r * LANES, checks[r]);
    }
    if (mode == NAME(LOCATED)) {
        INT block[TILE];
        for (int r = 0; r < 4; ++r)
            memcpy(block + r * LANES, &tile->block[r], sizeof tile->block[r]);
        NAME(find_any)(p, count, x, top, block, point_check, i, out);
    } else if (out->gradient)
        NAME(unpack_gradient_any)(d, count, gradient, tile->sum, (TYPE *)out->gradient + i * d);
    for (size_t l = 0; NAME(lane_sum)(check) != 0 && l < count; ++l) {
        if (point_check[l] == 0)
            continue;
        NAME(signed_point)(d, p->sign, from + l * d, point);
        NAME(row)(p, t, i + l, point, out);
    }
}

/* monomials of the panel that starts at `begin`, up to a multiple of ROWS */
static INLINE size_t NAME(in_panel)(const tp_polynomial *p, size_t begin)
{
    const size_t left = p->terms - begin;
    return left < PANEL ? (left + ROWS - 1) / ROWS * ROWS : PANEL;
}

/* one panel joins a tile; z is room for it, or holds it if d > TP_DEPTH */
static INLINE void NAME(join_panel)(const tp_polynomial *p, const NAME(temperature) *t, int mode, size_t begin,
                                    const TYPE *x, TYPE *z, NAME(tile) *tile, TYPE *gradient)
{
    const size_t d = p->variables, n = NAME(in_panel)(p, begin);
    const TYPE *slopes = (const TYPE *)p->panels + begin * d, *b = (const TYPE *)p->coefficients + begin;
    if (mode == NAME(SOFT))
        NAME(soft_panel)(t, slopes, b, d, n, x, z, begin == 0, tile, gradient);
    else if (mode == NAME(APART))
        NAME(apart_panel)(t, slopes, b, d, n, x, z, tile);
    else
        NAME(hard_panel)(slopes, b, d, n, x, z, mode, (INT)(begin / BLOCK), tile);
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
    const int apart = out->excess || out->entropy, deep = d > TP_DEPTH;
    const int hard = !(t.eps > 0) || out->argmax, located = out->gradient || out->argmax;
    const int mode = hard ? (located ? NAME(LOCATED) : NAME(HARD)) : apart ? NAME(APART) : NAME(SOFT);
    TYPE *x = (TYPE *)(((uintptr_t)scratch + 63) / 64 * 64); /* vectors do not straddle cache lines */
    TYPE *gradients = x + TP_GROUP * TILE * d, *z = gradients + TP_GROUP * TILE * d;
    TYPE *point = z + (deep ? TP_GROUP : 1) * TILE * PANEL;
    NAME(tile) tiles[TP_GROUP];
    for (size_t first = 0; first < points; first += TP_GROUP * TILE) {
        const size_t left = points - first;
        const size_t group = left < TP_GROUP * TILE ? (left + TILE - 1) / TILE : TP_GROUP;
        const TYPE *from = (const TYPE *)points_x + first * d;
        for (size_t q = 0; q < group; ++q) {
            const size_t count = left - q * TILE < TILE ? left - q * TILE : TILE;
            NAME(pack_tile_any)(d, count, sign, from + q * TILE * d, x + q * d * TILE);
            if (mode != NAME(HARD))
                tiles[q] = (NAME(tile)){0};
            for (int r = 0; r < 4; ++r)
                tiles[q].top[r] = SPLAT(-INFINITY);
        }
        for (size_t k = 0; mode == NAME(SOFT) && out->gradient && k < group * TILE * d; ++k)
            gradients[k] = 0;
        for (size_t begin = 0; begin < N; begin += PANEL) {
            if (deep)
                NAME(deep_panel)((const TYPE *)p->panels + begin * d, (const TYPE *)p->coefficients + begin, d,
                                 NAME(in_panel)(p, begin), group, x, z);
            for (size_t q = 0; q < group; ++q)
                NAME(join_panel)(p, &t, mode, begin, x + q * d * TILE, deep ? z + q * PANEL * TILE : z, &tiles[q],
                                 out->gradient ? gradients + q * d * TILE : NULL);
        }
        for (size_t q = 0; q < group; ++q) {
            const size_t count = left - q * TILE < TILE ? left - q * TILE : TILE;
            NAME(finish_tile)(p, &t, mode, first + q * TILE, count, from + q * TILE * d, x + q * d * TILE, &tiles[q],
                              gradients + q * d * TILE, point, out);
        }
    }
}
#undef BLOCK
#undef TILE
