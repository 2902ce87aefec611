/* Log-semiring matrix product C = A ⊗ B at eps > 0; log-min-plus by negation.
 *
 * Formula:  c_ij = eps log sum_k e^{(a_ik + b_kj)/eps}
 *                = r_i + s_j + eps log sum_k e^{(a_ik - r_i)/eps} e^{(b_kj - s_j)/eps},
 *   r_i and s_j the largest of a row and of a column.
 * Domain:   TINY_EPS < eps < HUGE_EPS.
 * Special values: the zero, -inf, absorbs the other infinity; NaN makes its row (of A) or column (of B) NaN; a +inf
 *   that meets no zero gives +inf.
 * Error, u the unit roundoff, M = max|a_i| + max|b_j| over finite entries, D = r_i + s_j - c_ij <= 2 M: the
 *   exponentials of a term bring (4 + 2 D/eps) u (8 and 3 without a fused multiply-add), their sum (DEPTH + k / DEPTH) u, the
 *   logarithm (1 + 2 D/eps) u, and the two sums at the end u M each. So c_ij is within
 *   u (12 M + eps (DEPTH + k / DEPTH + 10)).
 *   Exponentials below 2^LOWEST are lost, which matters where a sum is below SAFE = k 2^(LOWEST + 2)/u and some
 *   term could have been: there it is summed anew from the terms themselves, about the largest of them.
 * Source: scaling, exponentials and an ordinary product are folklore; which entries have to be summed anew is decided
 *   by the bound above.
 *
 * Phases: 1. log_prepare: columns of B are scaled and exponentiated, four vectors of columns (a panel) after
 *   another.  2. rows of A likewise, TP_LOG_ROWS at a time (prepare_rows).  3. their product, panel by panel,
 *   DEPTH of k at a time (sum_panel).  4. logarithms, and which entries are in doubt (finish_panel).  5. those anew
 *   (resum). One row is done by 5 alone, which is as fast there.
 */
#define DEPTH TP_LOG_DEPTH
#define MOST TP_TILE_MAX                  /* numbers in the rows of one panel, on any instruction set */
#define LOST (LITERAL(1.0) * LOWEST + 8)  /* binary exponent of products below which some may be lost */
#if REAL == 64
#define SAFE 0x1p-965                     /* 2^(LOWEST + 2) / u */
#else
#define SAFE 0x1p-98f
#endif

typedef struct {
    TYPE eps, sign, safe;
    NAME(thermal) thermal;
    size_t rows, inner, columns, height, stride; /* height rows of A in a block, `stride` apart once exponentiated */
    TYPE *a, *sums, *tops, *totals, *raw_a, *raw_b, *shift, *low;
} NAME(log_product);

static INLINE NAME(log_product) NAME(log_product_of)(const tp_matmul *m, void *scratch)
{
    NAME(log_product) p = {
        .eps = (TYPE)m->eps, .sign = (TYPE)m->sign, .thermal = NAME(thermal_of)((TYPE)m->eps), .rows = m->rows,
        .inner = m->inner, .columns = m->columns, .height = TP_LOG_ROWS(m->inner),
        .stride = (m->inner + LANES - 1) / LANES * LANES,
    };
    p.safe = (TYPE)m->inner * SAFE;
    p.a = NAME(aligned)(scratch);
    p.sums = p.a + p.height * p.stride;
    p.tops = p.sums + TP_LOG_HEIGHT * MOST;
    p.totals = p.tops + TP_LOG_HEIGHT * MOST;
    p.raw_b = p.totals + TP_LOG_HEIGHT * MOST;
    p.raw_a = p.raw_b + DEPTH * MOST;
    p.shift = p.raw_a + DEPTH;
    p.low = p.shift + TP_LOG_HEIGHT;
    return p;
}

/* ---- scaling and exponentials ----------------------------------------------------------------------------- */

/* Vectors of a panel of so many columns: 1, 2 or 4. Its rows are that many vectors long. */
static INLINE size_t NAME(vectors_of)(size_t columns) { return columns <= LANES ? 1 : columns <= 2 * LANES ? 2 : 4; }

/* From the largest and the least finite numbers of rows, or columns: what they are scaled by, 0 where nothing is to
 * be scaled, and the binary exponent of the least exponential, -inf where +inf makes all of them useless. In place,
 * `count` vectors.                                                                                    */
static INLINE void NAME(scale)(const NAME(log_product) *p, size_t count, TYPE *tops, TYPE *leasts)
{
    for (size_t l = 0; l < count * LANES; l += LANES) {
        const VEC top = NAME(load)(tops + l), zero = SPLAT(0);
        const IVEC finite = (IVEC)(top - top == zero);
        const VEC low = (NAME(load)(leasts + l) - top) * p->thermal.scale;
        NAME(store)(tops + l, NAME(select)(finite, top, zero));
        NAME(store)(leasts + l, NAME(select)(finite, low, NAME(select)((IVEC)(top > zero), SPLAT(-INFINITY), zero)));
    }
}

/* What is taken off before exponentials: +inf, so that nothing counts, where +inf occurs. */
static INLINE VEC NAME(taken_off)(VEC shift, VEC low)
{
    return NAME(select)((IVEC)(low == SPLAT(-INFINITY)), SPLAT(INFINITY), shift);
}

/* Shifts become NaN for rows of `from` that hold NaN; found first and stored then, since GCC 12 loses a store out of
 * the inner loop.                                                                                     */
static TARGET void NAME(mark_nan)(size_t rows, size_t columns, const TYPE *from, ptrdiff_t down, ptrdiff_t along,
                                  TYPE *shift)
{
    for (size_t i = 0; i < rows; ++i) {
        int nan = 0;
        for (size_t k = 0; k < columns; ++k) {
            const TYPE v = from[(ptrdiff_t)i * down + (ptrdiff_t)k * along];
            nan |= v != v;
        }
        if (nan)
            shift[i] = NAN;
    }
}

static const INT NAME(lane_indices)[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The largest, or the least, of the lanes: each with the one `step` away, and so on. */
static INLINE TYPE NAME(extreme_lane)(VEC v, int largest)
{
    IVEC lanes;
    memcpy(&lanes, NAME(lane_indices), sizeof lanes);
    for (INT step = LANES / 2; step; step /= 2) {
        const VEC w = __builtin_shuffle(v, lanes ^ step);
        v = largest ? VMAX(w, v) : VMIN(w, v);
    }
    return v[0];
}

static INLINE int NAME(is_nan_anywhere)(VEC v)
{
    TYPE sum = 0;
    for (size_t l = 0; l < LANES; ++l)
        sum += v[l];
    return sum != sum;
}

/* e^(s/eps) of `count` vectors, up to a multiple of 4, s = numbers - off by fours; -inf and NaN become 0. This and
 * take_logs stay functions of their own, so that their constants stay in registers.                   */
static TARGET __attribute__((noinline)) void NAME(exponentiate)(const NAME(log_product) *p, size_t count,
                                                                TYPE *numbers, const VEC *off)
{
    for (size_t i = 0; i < count; i += 4) {
        VEC s[4];
        for (size_t r = 0; r < 4; ++r)
            s[r] = NAME(load)(numbers + (i + r) * LANES) - off[r];
        NAME(exp_x4)(s, p->thermal.scale, p->thermal.floor);
        for (size_t r = 0; r < 4; ++r)
            NAME(store)(numbers + (i + r) * LANES, NAME(select)(s[r] > SPLAT(NEGLIGIBLE), s[r], SPLAT(0)));
    }
}

/* A panel of columns of B: `inner` rows, up to a multiple of 4, of its vectors, padding 0; shifts and lows. */
static INLINE void NAME(prepare_panel)(const NAME(log_product) *p, const TYPE *b, ptrdiff_t down, ptrdiff_t along,
                                       size_t columns, size_t vectors, TYPE *panel, TYPE *shift, TYPE *low)
{
    const size_t width = vectors * LANES, rows = (p->inner + 3) / 4 * 4;
    VEC top[4], least[4], seen = SPLAT(0), off[4];
    for (size_t r = 0; r < vectors; ++r)
        top[r] = SPLAT(-INFINITY), least[r] = SPLAT(INFINITY);
    NAME(pack_b)(b, down, along, p->inner, columns, width, p->sign, -INFINITY, panel);
    for (size_t k = 0; k < p->inner; ++k)
        for (size_t r = 0; r < vectors; ++r) {
            const VEC x = NAME(load)(panel + k * width + r * LANES);
            top[r] = VMAX(x, top[r]);
            least[r] = NAME(select)((IVEC)(x > SPLAT(-INFINITY)), VMIN(x, least[r]), least[r]);
            seen += x;
        }
    for (size_t l = p->inner * width; l < rows * width; ++l)
        panel[l] = -INFINITY;
    for (size_t r = 0; r < vectors; ++r) {
        NAME(store)(shift + r * LANES, top[r]);
        NAME(store)(low + r * LANES, least[r]);
    }
    NAME(scale)(p, vectors, shift, low);
    if (NAME(is_nan_anywhere)(seen))
        NAME(mark_nan)(columns, p->inner, b, along, down, shift);
    for (size_t r = 0; r < 4; ++r)
        off[r] = NAME(taken_off)(NAME(load)(shift + r % vectors * LANES), NAME(load)(low + r % vectors * LANES));
    NAME(exponentiate)(p, rows * vectors, panel, off);
}

/* Rows i < height of A: exponentials, shifts and lows. */
static INLINE void NAME(prepare_rows)(const NAME(log_product) *p, const TYPE *a, ptrdiff_t down, ptrdiff_t along,
                                      size_t height)
{
    const VEC none[4] = {SPLAT(0), SPLAT(0), SPLAT(0), SPLAT(0)};
    VEC seen = SPLAT(0);
    NAME(pack_b)(a, down, along, height, p->inner, p->stride, p->sign, -INFINITY, p->a);
    for (size_t i = 0; i < height; ++i) {
        VEC top = SPLAT(-INFINITY), least = SPLAT(INFINITY);
        for (size_t k = 0; k < p->stride; k += LANES) {
            const VEC x = NAME(load)(p->a + i * p->stride + k);
            top = VMAX(x, top);
            least = NAME(select)((IVEC)(x > SPLAT(-INFINITY)), VMIN(x, least), least);
            seen += x;
        }
        p->shift[i] = NAME(extreme_lane)(top, 1);
        p->low[i] = NAME(extreme_lane)(least, 0);
    }
    for (size_t i = height; i < TP_LOG_HEIGHT; ++i)
        p->shift[i] = p->low[i] = 0;
    NAME(scale)(p, (height + LANES - 1) / LANES, p->shift, p->low);
    if (NAME(is_nan_anywhere)(seen))
        NAME(mark_nan)(height, p->inner, a, down, along, p->shift);
    for (size_t i = 0; i < height; ++i) {
        const VEC shift = NAME(taken_off)(SPLAT(p->shift[i]), SPLAT(p->low[i]));
        for (size_t k = 0; k < p->stride; k += LANES)
            NAME(store)(p->a + i * p->stride + k, NAME(load)(p->a + i * p->stride + k) - shift);
    }
    NAME(exponentiate)(p, height * p->stride / LANES, p->a, none);
}

static TARGET void NAME(log_prepare)(const tp_matmul *m, void *prepared)
{
    const NAME(log_product) p = NAME(log_product_of)(m, prepared); /* its scratch is not used */
    const size_t padded = (m->columns + MOST - 1) / MOST * MOST;
    TYPE *shift = NAME(aligned)(prepared), *low = shift + padded, *panel = low + padded;
    for (size_t j = 0; j < m->columns; j += WIDTH) {
        const size_t columns = m->columns - j < WIDTH ? m->columns - j : WIDTH, vectors = NAME(vectors_of)(columns);
        const TYPE *b = (const TYPE *)m->b + (ptrdiff_t)j * m->b_strides[1];
        if (vectors == 4)
            NAME(prepare_panel)(&p, b, m->b_strides[0], m->b_strides[1], columns, 4, panel, shift + j, low + j);
        else
            NAME(prepare_panel)(&p, b, m->b_strides[0], m->b_strides[1], columns, vectors, panel, shift + j, low + j);
        panel += (m->inner + 3) / 4 * 4 * vectors * LANES;
    }
}

/* ---- the ordinary product --------------------------------------------------------------------------------- */

/* p->sums = exponentials of A times a panel of those of B, for `height` rows. */
static INLINE void NAME(sum_panel)(const NAME(log_product) *p, size_t height, size_t vectors, const TYPE *panel)
{
    const size_t width = vectors * LANES;
    for (size_t first = 0; first < p->inner; first += DEPTH) {
        const NAME(operands) o = {
            .depth = p->inner - first < DEPTH ? p->inner - first : DEPTH, .a = p->a + first,
            .down = (ptrdiff_t)p->stride, .along = 1, .b = panel + first * width, .b_down = (ptrdiff_t)width,
            .c = p->sums, .c_stride = width, .fresh = first == 0,
        };
        NAME(multiply_strip)(NAME(SUMS), vectors / 2, TALL, height, o);
    }
}

/* ---- entries in doubt ------------------------------------------------------------------------------------- */

/* Entries of a panel of C from the terms themselves: rows for which `wanted` is, or all of them where it is NULL;
 * into p->sums, rows of WIDTH. Their largest terms first, then the sums about these.               */
static TARGET void NAME(resum)(const NAME(log_product) *p, const tp_matmul *m, size_t top, size_t height, size_t j,
                               size_t columns, const unsigned char *wanted)
{
    const ptrdiff_t *as = m->a_strides, *bs = m->b_strides;
    for (int phase = 0; phase < 2; ++phase)
        for (size_t first = 0; first < p->inner; first += DEPTH) {
            const size_t depth = p->inner - first < DEPTH ? p->inner - first : DEPTH;
            NAME(pack_b)((const TYPE *)m->b + (ptrdiff_t)first * bs[0] + (ptrdiff_t)j * bs[1], bs[0], bs[1], depth,
                         columns, WIDTH, p->sign, -INFINITY, p->raw_b);
            for (size_t i = 0; i < height; ++i) {
                if (wanted && !wanted[i])
                    continue;
                const TYPE *a = (const TYPE *)m->a + (ptrdiff_t)(top + i) * as[0] + (ptrdiff_t)first * as[1];
                TYPE *largest = p->tops + i * WIDTH, *total = p->totals + i * WIDTH;
                for (size_t k = 0; k < depth; ++k)
                    p->raw_a[k] = p->sign * a[(ptrdiff_t)k * as[1]];
                if (phase == 0) {
                    const NAME(operands) o = {
                        .depth = depth, .a = p->raw_a, .along = 1, .b = p->raw_b, .b_down = WIDTH, .c = largest,
                        .fresh = first == 0,
                    };
                    NAME(product_tiles)[NAME(MAXIMA)][0][2](&o);
                    continue;
                }
                VEC t[4], sum[4];
                for (size_t r = 0; r < 4; ++r)
                    t[r] = NAME(load)(largest + r * LANES), sum[r] = SPLAT(0);
                for (size_t k = 0; k < depth; ++k) {
                    VEC s[4];
                    for (size_t r = 0; r < 4; ++r)
                        s[r] = SPLAT(p->raw_a[k]) + NAME(load)(p->raw_b + k * WIDTH + r * LANES) - t[r];
                    NAME(exp_x4)(s, p->thermal.scale, p->thermal.floor);
                    for (size_t r = 0; r < 4; ++r)
                        sum[r] += s[r];
                }
                for (size_t r = 0; r < 4; ++r) {
                    if (first)
                        sum[r] += NAME(load)(total + r * LANES);
                    NAME(store)(total + r * LANES, sum[r]);
                }
            }
        }
    for (size_t i = 0; i < height; ++i) {
        if (wanted && !wanted[i])
            continue;
        VEC s[4];
        for (size_t r = 0; r < 4; ++r)
            s[r] = NAME(load)(p->totals + i * WIDTH + r * LANES);
        NAME(log_x4)(s);
        for (size_t r = 0; r < 4; ++r) {
            const VEC t = NAME(load)(p->tops + i * WIDTH + r * LANES);
            const VEC lse = MULADD(SPLAT(p->eps), s[r], t);
            NAME(store)(p->tops + i * WIDTH + r * LANES, NAME(select)(t - t == SPLAT(0), lse, t));
        }
    }
}

/* Writes what resum found: entries in doubt only, where there are sums to judge by, else all. */
static TARGET void NAME(mend_panel)(const NAME(log_product) *p, const tp_matmul *m, size_t top, size_t height,
                                    size_t j, size_t columns, size_t width, const TYPE *shift, const TYPE *low)
{
    unsigned char wanted[TP_LOG_HEIGHT];
    for (size_t i = 0; i < height; ++i) {
        wanted[i] = 0;
        for (size_t l = 0; l < columns; ++l)
            wanted[i] |= p->sums[i * width + l] < p->safe && p->low[i] + low[l] < LOST;
    }
    NAME(resum)(p, m, top, height, j, columns, wanted);
    for (size_t i = 0; i < height; ++i)
        for (size_t l = 0; wanted[i] && l < columns; ++l) {
            const TYPE both = p->shift[i] + shift[l];
            if (p->sums[i * width + l] < p->safe && p->low[i] + low[l] < LOST && both == both)
                ((TYPE *)m->c)[(top + i) * m->c_stride + j + l] = p->sign * p->tops[i * WIDTH + l] + 0;
        }
}

/* ---- logarithms ------------------------------------------------------------------------------------------- */

/* Logarithms of `count` vectors, up to a multiple of 4. */
static TARGET __attribute__((noinline)) void NAME(take_logs)(size_t count, const TYPE *from, TYPE *to)
{
    for (size_t i = 0; i < count; i += 4) {
        VEC s[4];
        for (size_t r = 0; r < 4; ++r)
            s[r] = NAME(load)(from + (i + r) * LANES);
        NAME(log_x4)(s);
        for (size_t r = 0; r < 4; ++r)
            NAME(store)(to + (i + r) * LANES, s[r]);
    }
}

/* The least of numbers. */
static INLINE TYPE NAME(least_of)(size_t count, const TYPE *numbers)
{
    TYPE least = INFINITY;
    for (size_t l = 0; l < count; ++l)
        least = numbers[l] < least ? numbers[l] : least;
    return least;
}

/* C from p->sums, and whether some entry is in doubt; `may_lose`: terms may have been lost somewhere. */
static TARGET __attribute__((noinline)) int NAME(finish_panel)(const NAME(log_product) *p, TYPE *c, size_t c_stride,
                                                               size_t height, size_t columns, size_t vectors,
                                                               const TYPE *shift, const TYPE *low, int may_lose)
{
    const VEC eps = SPLAT(p->eps), sign = SPLAT(p->sign), safe = SPLAT(p->safe), zero = SPLAT(0);
    const TYPE *sums = p->sums, *logs = p->totals;
    IVEC doubtful = {0};
    NAME(take_logs)(height * vectors, p->sums, p->totals);
    for (size_t i = 0; i < height; ++i, c += c_stride)
        for (size_t l = 0; l < vectors * LANES; l += LANES, sums += LANES, logs += LANES) {
            const VEC s = NAME(load)(sums), both = SPLAT(p->shift[i]) + NAME(load)(shift + l);
            const VEC lse = MULADD(eps, NAME(load)(logs), both);
            const VEC value = sign * NAME(select)((IVEC)(s > zero), lse, both - SPLAT(INFINITY)) + zero;
            if (may_lose)
                doubtful |= (IVEC)(s < safe) & (IVEC)(SPLAT(p->low[i]) + NAME(load)(low + l) < SPLAT(LOST));
            if (l + LANES <= columns)
                NAME(store)(c + l, value);
            else
                for (size_t e = l; e < columns; ++e)
                    c[e] = value[e - l];
        }
    INT any = 0;
    for (size_t l = 0; l < LANES; ++l)
        any |= doubtful[l];
    return any != 0;
}

/* One row of C from the terms themselves. */
static TARGET void NAME(log_row)(const NAME(log_product) *p, const tp_matmul *m)
{
    const ptrdiff_t *bs = m->b_strides;
    TYPE *c = m->c, lost_row = 0;
    NAME(mark_nan)(1, p->inner, m->a, 0, m->a_strides[1], &lost_row);
    for (size_t j = 0; j < p->columns; j += WIDTH) {
        const size_t columns = p->columns - j < WIDTH ? p->columns - j : WIDTH;
        const TYPE *b = (const TYPE *)m->b + (ptrdiff_t)j * bs[1];
        NAME(resum)(p, m, 0, 1, j, columns, NULL);
        for (size_t l = 0; l < columns; ++l)
            p->totals[l] = lost_row;
        if (NAME(may_have_nan)(p->inner, columns, b, bs[0], bs[1]))
            NAME(mark_nan)(columns, p->inner, b, bs[1], bs[0], p->totals);
        for (size_t l = 0; l < columns; ++l)
            c[j + l] = p->totals[l] == 0 ? p->sign * p->tops[l] + 0 : p->totals[l];
    }
}

static TARGET void NAME(log_matmul)(const tp_matmul *m, void *prepared, void *scratch)
{
    const NAME(log_product) p = NAME(log_product_of)(m, scratch);
    const size_t padded = (m->columns + MOST - 1) / MOST * MOST;
    if (!prepared) {
        NAME(log_row)(&p, m);
        return;
    }
    for (size_t top = 0; top < m->rows; top += p.height) {
        const size_t height = m->rows - top < p.height ? m->rows - top : p.height;
        const TYPE *shift = NAME(aligned)(prepared), *low = shift + padded, *panel = low + padded;
        NAME(prepare_rows)(&p, (const TYPE *)m->a + (ptrdiff_t)top * m->a_strides[0], m->a_strides[0],
                           m->a_strides[1], height);
        const TYPE lowest = NAME(least_of)(height, p.low);
        for (size_t j = 0; j < m->columns; j += WIDTH) {
            const size_t columns = m->columns - j < WIDTH ? m->columns - j : WIDTH;
            const size_t vectors = NAME(vectors_of)(columns);
            const int may_lose = lowest + NAME(least_of)(columns, low + j) < LOST;
            NAME(sum_panel)(&p, height, vectors, panel);
            if (NAME(finish_panel)(&p, (TYPE *)m->c + top * m->c_stride + j, m->c_stride, height, columns, vectors,
                                   shift + j, low + j, may_lose))
                NAME(mend_panel)(&p, m, top, height, j, columns, vectors * LANES, shift + j, low + j);
            panel += (m->inner + 3) / 4 * 4 * vectors * LANES;
        }
    }
}
#undef DEPTH
#undef MOST
#undef LOST
#undef SAFE
