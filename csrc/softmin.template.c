/* The soft inf-convolution with a quadratic on a line: one Hopf-Cole step in the log domain.
 *
 * Formula:  u_j = -eps log sum_i e^(-(f_i + w (j - i)^2)/eps),   w > 0, eps > 0
 *
 * Special values: f_i = +inf is no term; no term gives +inf. A -inf gives -inf, a NaN gives NaN, on all its line.
 *
 * Method. hopf_lax_line first gives top_j = min_i (f_i + w (j-i)^2): no term, divided by e^(-top_j/eps), exceeds
 *   1 and one of them is 1, whatever underflows elsewhere; no running maximum is needed. Results in tiles of TILE
 *   and terms in blocks of BLOCK are then summed pair by pair, in one of three ways:
 *   skip    if no term of the block can reach e^-cut of the largest of any result of the tile:
 *           min f + w dmin^2 > max top + eps cut, dmin the least distance in the pair.
 *   product if the kernel varies little within the pair, by e^V with V = (w/eps)(dmax^2 - dmin^2) small:
 *           sum_i e_i k_(j-i) times e^((top_j - min f - w dmax^2)/eps), with e_i = e^(-(f_i - min f)/eps) once
 *           for each block, k_d = e^(w (dmax^2 - d^2)/eps) once for each distance between tiles and blocks.
 *           Nothing overflows: since top_j <= min f + w dmax^2 the last factor is <= 1, and k <= e^V. Nothing of
 *           weight underflows: an e_i that does belongs to a term below e^(-706 + V) of the largest, whatever f
 *           does. Exponents of terms of weight are V at most, which bounds their relative error by 3 V u;
 *           terms below e^-m of the largest may have (1 + m) times the V, as (1 + m) e^-m <= 1.
 *   direct  else: e^((top_j - f_i - w d^2)/eps) term by term.
 *   A product costs a multiply-add a term, twenty times less than an exponential (measured); convolution by
 *   FFT is out of the question: its error is relative to the largest term of the line, not of the result.
 *
 * Error: what is skipped is at most n e^-cut of what is kept, so 0 <= (what is returned) - u <=
 *   eps log1p(n e^-cut). Rounding: 8 u (|f| + w d^2) over the terms of weight, and 100 u eps (tests).
 *
 * Source: E. Hopf, Comm. Pure Appl. Math. 3 (1950), and J. D. Cole, Quart. Appl. Math. 9 (1951), for the formula.
 */
#define TILE (8 * LANES) /* = BLOCK: one distance between tile and block, one table of the kernel */
#define BLOCK (8 * LANES)
#define SPREAD 32.0        /* largest V where terms are as large as any   */
#define SPREAD_LIMIT 300.0 /* and where they are faint                    */

/* One line, in scratch; f, low, e and top have room for TP_SOFT_PAD(n) numbers. */
typedef struct {
    size_t n;
    double w, eps, cut;
    double *f;
    double *low;     /* minimum of each block of f                                              */
    double *e;       /* e^(-(f_i - low)/eps)                                                    */
    double *top;     /* min_i f_i + w (j-i)^2, then u                                           */
    double *kernels; /* for each distance a of tiles: k_d, d = a TILE - BLOCK + 1 ... a TILE + TILE - 1,
                        and a mark that they are there                                          */
    NAME(thermal) thermal;
} NAME(soft_line);

/* Pads the line, whose top is there, and computes low and e of every block. */
static INLINE void NAME(prepare_blocks)(const NAME(soft_line) *s)
{
    for (size_t i = s->n; i < s->n + BLOCK; ++i) {
        s->f[i] = INFINITY;
        s->top[i] = s->top[s->n - 1];
    }
    for (size_t i = 0; i < s->n; i += BLOCK) {
        double low = INFINITY;
        for (size_t l = i; l < i + BLOCK; ++l)
            low = s->f[l] < low ? s->f[l] : low;
        s->low[i / BLOCK] = low;
        for (size_t l = i; low < INFINITY && l < i + BLOCK; l += 4 * LANES) {
            VEC v[4];
            for (int r = 0; r < 4; ++r)
                v[r] = SPLAT(low) - NAME(load)(s->f + l + r * LANES);
            NAME(exp_x4)(v, s->thermal.scale, s->thermal.floor);
            for (int r = 0; r < 4; ++r)
                NAME(store)(s->e + l + r * LANES, NAME(select)(v[r] > SPLAT(NEGLIGIBLE), v[r], SPLAT(0)));
        }
    }
}

/* k for results from j on and terms from i on, both multiples of TILE, no farther apart than `farthest` */
static INLINE const double *NAME(kernel_between)(const NAME(soft_line) *s, size_t j, size_t i,
                                                double farthest)
{
    const size_t tiles = s->n / TILE + 2;
    double *k = s->kernels + (tiles + j / TILE - i / TILE) * (TILE + BLOCK);
    if (k[TILE + BLOCK - 1] == 0) {
        for (size_t q = 0; q < TILE + BLOCK - 1; ++q) {
            const double d = (double)j - (double)i - (double)(BLOCK - 1) + (double)q;
            k[q] = exp(s->w * ((farthest - d) * (farthest + d)) / s->eps);
        }
        k[TILE + BLOCK - 1] = 1;
    }
    return k;
}

/* sum_r += sum_i e_i k_(j+r-i) times e^((top_r - shift)/eps), for one tile and block */
static INLINE void NAME(add_product)(const NAME(soft_line) *s, const double *k, const double *e, double shift,
                                     const double *top, VEC sum[8])
{
    VEC a[8], factor[8];
    for (int r = 0; r < 8; ++r)
        a[r] = SPLAT(0);
    for (size_t q = 0; q < LANES; ++q)
        for (int half = 0; half < 8; half += 4) {
            /* Terms q, q + LANES, ... meet the same vectors of k: eleven loads for 32 multiply-adds. */
            const double *kq = k + (BLOCK - 1) - q - (size_t)half * LANES;
            VEC ei[4];
#pragma GCC unroll 4
            for (int m = 0; m < 4; ++m)
                ei[m] = SPLAT(e[q + (size_t)(half + m) * LANES]);
#pragma GCC unroll 11
            for (int apart = -3; apart <= 7; ++apart) {
                const VEC kd = NAME(load)(kq + apart * (ptrdiff_t)LANES);
#pragma GCC unroll 8
                for (int r = 0; r < 8; ++r)
                    if (r - apart >= 0 && r - apart < 4)
                        a[r] = MULADD(ei[r - apart], kd, a[r]);
            }
        }
    for (int r = 0; r < 8; ++r)
        factor[r] = NAME(load)(top + r * LANES) - SPLAT(shift);
    NAME(exp_x4)(factor, s->thermal.scale, s->thermal.floor);
    NAME(exp_x4)(factor + 4, s->thermal.scale, s->thermal.floor);
    for (int r = 0; r < 8; ++r)
        sum[r] = MULADD(a[r], factor[r], sum[r]);
}

/* the same for terms i <= l < end, one by one */
static INLINE void NAME(add_direct)(const NAME(soft_line) *s, size_t j, size_t i, size_t end, const double *top,
                                    VEC sum[8])
{
    double results[TILE];
    for (size_t l = 0; l < TILE; ++l)
        results[l] = (double)(j + l);
    for (int half = 0; half < 8; half += 4)
        for (size_t l = i; l < end; ++l) {
            VEC v[4];
            for (int r = 0; r < 4; ++r) {
                /* the expression of hopf_lax_line, so that the winner counts e^0 */
                const VEC d = NAME(load)(results + (half + r) * (int)LANES) - SPLAT((double)l);
                v[r] = NAME(load)(top + (half + r) * (int)LANES) - (SPLAT(s->w) * (d * d) + SPLAT(s->f[l]));
            }
            NAME(exp_x4)(v, s->thermal.scale, s->thermal.floor);
            for (int r = 0; r < 4; ++r)
                sum[half + r] += v[r];
        }
}

/* u for the tile from j on, in place of top; least = min f */
static INLINE void NAME(soft_tile_results)(const NAME(soft_line) *s, size_t j, double least)
{
    VEC sum[8];
    double *u = s->top + j, high = u[0];
    for (size_t l = 1; l < TILE; ++l)
        high = u[l] > high ? u[l] : high;
    for (int r = 0; r < 8; ++r)
        sum[r] = SPLAT(0);
    const double bound = high + s->eps * s->cut, tile_end = (double)(j + TILE - 1);
    /* what may count of terms that are `low` or more: `reach` from the tile, and one for rounding */
    const double reach = sqrt((bound - least) / s->w) + 1;
    const double first = (double)j - reach, last = tile_end + reach;
    const size_t begin = first > 0 ? (size_t)first / BLOCK * BLOCK : 0;
    const size_t end = last < (double)s->n ? (size_t)last + 1 : s->n;
    for (size_t i = begin; i < end; i += BLOCK) {
        const double low = s->low[i / BLOCK], block_end = (double)(i + BLOCK - 1);
        const double nearest = (double)j > block_end ? (double)j - block_end : i > j ? (double)i - tile_end : 0;
        const double farthest = j > i ? tile_end - (double)i : block_end - (double)j;
        const double least_cost = low + s->w * (nearest * nearest);
        if (!(least_cost <= bound))
            continue;
        const double faint = least_cost > high ? (least_cost - high) / s->eps : 0;
        const double spread = s->w * ((farthest - nearest) * (farthest + nearest)) / s->eps;
        if (spread <= SPREAD_LIMIT && spread <= SPREAD * (1 + faint)) {
            const double *k = NAME(kernel_between)(s, j, i, farthest);
            NAME(add_product)(s, k, s->e + i, low + s->w * (farthest * farthest), u, sum);
        } else {
            const double near = sqrt((bound - low) / s->w) + 1;
            const double from = (double)j - near, to = tile_end + near;
            const size_t until = i + BLOCK < s->n ? i + BLOCK : s->n;
            NAME(add_direct)(s, j, from > (double)i ? (size_t)from : i, to < (double)until ? (size_t)to + 1 : until, u,
                             sum);
        }
    }
    for (size_t l = 0; l < TILE; ++l)
        u[l] -= s->eps * LOG(sum[l / LANES][l % LANES]);
}

static TARGET void NAME(soft_results)(const NAME(soft_line) *s, size_t begin, size_t end)
{
    double least = INFINITY;
    for (size_t i = 0; i < s->n; i += BLOCK)
        least = s->low[i / BLOCK] < least ? s->low[i / BLOCK] : least;
    for (size_t j = begin; j < end; j += TILE)
        NAME(soft_tile_results)(s, j, least);
}
#undef TILE
#undef BLOCK
#undef SPREAD
#undef SPREAD_LIMIT
