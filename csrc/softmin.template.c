/* The soft inf-convolution with a quadratic on a line: one Hopf-Cole step in the log domain.
 *
 * Formula:  u_j = -eps log sum_i e^(-(f_i + w (j - i)^2)/eps),   w > 0, eps > 0
 *
 * Special values: f_i = +inf is no term; no term gives +inf. A -inf gives -inf, a NaN gives NaN, on all its line.
 *
 * Method. hopf_lax_line first gives top_j = min_i (f_i + w (j-i)^2): no term, divided by e^(-top_j/eps), exceeds
 *   1 and one of them is 1, whatever underflows elsewhere; no running maximum is needed. Results in tiles of TILE
 *   and terms in blocks of BLOCK are then summed pair by pair, in one of three ways. With high = max top of the
 *   tile, low = min f of the block, dmin the least distance in the pair:
 *   skip    if no term of the block can reach e^-cut of the largest of any result of the tile:
 *           low + w dmin^2 > high + eps cut. Of a block that can, halves too far off are left out as well.
 *   product if H = (high - low)/eps <= RANGE and terms of weight lie no more than STEEP eps above low:
 *           sum_i e_i k_(j-i) times e^((top_j - low)/eps), with e_i = e^(-(f_i - low)/eps) once for each block,
 *           k_d = e^(-w d^2/eps) once for all. A term of weight has f_i - low <= top_j - low - w d^2, so
 *           H - w dmin^2/eps <= STEEP is enough, and so is max f - low <= STEEP eps.
 *           Nothing overflows: the last factor is e^RANGE at most. Nothing of weight underflows: its e_i k_d is
 *           above e^-RANGE. The exponents of e_i are STEEP at most, those of k_d are w d^2/eps and that of the
 *           factor is their sum, which bounds the error of eps times the logarithm.
 *   direct  else: e^((top_j - f_i - w d^2)/eps) term by term.
 *   On a flat line, max top - min f <= STEEP eps, low is the least f of the line for all blocks: products meet in the
 *   registers and there is one factor for each result.
 *   A product costs a multiply-add a term, twenty times less than an exponential (measured).
 *
 * Tried and rejected: convolution by FFT, whose error is relative to the largest term of the line, not of the
 *   result; a kernel for each distance of tile and block, scaled to its largest value, which is direct wherever k
 *   varies by more than e^32 within a pair: seven to fourteen times slower at 512^2 and 1024^2 with e^-45 at a
 *   twentieth of the length. BLAS, on a matrix of exponentials: 96 ms at 1024^2, both axes, whatever the support (Zen
 *   4, one thread), for 41 ms with that support and 85 ms with a full one, so there is no size at which it pays.
 *
 * Error: what is skipped is at most n e^-cut of what is kept, so 0 <= (what is returned) - u <=
 *   eps log1p(n e^-cut). Rounding: 8 u (|f| + w d^2) over the terms of weight, and 100 u eps (tests).
 *
 * Source: E. Hopf, Comm. Pure Appl. Math. 3 (1950), and J. D. Cole, Quart. Appl. Math. 9 (1951), for the formula.
 */
#define TILE (8 * LANES) /* = BLOCK */
#define BLOCK (8 * LANES)
#define STEEP 32.0  /* times eps */
#define RANGE 600.0 /* largest exponent of a factor */

/* One line, in scratch; f, e and top have room for TP_SOFT_PAD(n) numbers, low and rise for half as many. */
typedef struct {
    size_t n;
    double w, eps, cut;
    double *f;
    double *low;   /* minimum of each block of f, +inf where there is no finite one                    */
    double *rise;  /* its finite maximum less its minimum                                               */
    double *e;     /* e^(-(f_i - low)/eps); on a flat line e^(-(f_i - least)/eps)                       */
    double *top;   /* min_i f_i + w (j-i)^2, then u                                                     */
    double *kernel; /* k_d at kernel[d], |d| < TP_SOFT_PAD(n)                                          */
    double least;  /* minimum of the line                                                              */
    int flat;
    NAME(thermal) thermal;
} NAME(soft_line);

/* k_d, once for all lines of the same scratch */
static TARGET void NAME(prepare_kernel)(double *kernel, size_t pad, double w, double eps)
{
    for (size_t d = 0; d < pad; ++d)
        kernel[d] = kernel[-(ptrdiff_t)d] = exp(-(w * ((double)d * (double)d)) / eps);
}

/* Pads the line, whose top is there, and computes low, rise and e of every block. */
static TARGET void NAME(prepare_blocks)(NAME(soft_line) *s)
{
    double high = s->top[0];
    s->least = INFINITY;
    for (size_t i = s->n; i < s->n + BLOCK; ++i) {
        s->f[i] = INFINITY;
        s->top[i] = s->top[s->n - 1];
    }
    for (size_t i = 0; i < s->n; i += BLOCK) {
        double low = INFINITY, most = -INFINITY;
        for (size_t l = i; l < i + BLOCK; ++l) {
            low = s->f[l] < low ? s->f[l] : low;
            most = s->f[l] > most && s->f[l] < INFINITY ? s->f[l] : most;
            high = s->top[l] > high ? s->top[l] : high;
        }
        s->low[i / BLOCK] = low;
        s->rise[i / BLOCK] = most - low;
        s->least = low < s->least ? low : s->least;
    }
    s->flat = high - s->least <= STEEP * s->eps;
    for (size_t i = 0; i < s->n; i += BLOCK) {
        const double low = s->flat ? s->least : s->low[i / BLOCK];
        for (size_t l = i; s->low[i / BLOCK] < INFINITY && l < i + BLOCK; l += 4 * LANES) {
            VEC v[4];
            for (int r = 0; r < 4; ++r)
                v[r] = SPLAT(low) - NAME(load)(s->f + l + r * LANES);
            NAME(exp_x4)(v, s->thermal.scale, s->thermal.floor);
            for (int r = 0; r < 4; ++r)
                NAME(store)(s->e + l + r * LANES, NAME(select)(v[r] > SPLAT(NEGLIGIBLE), v[r], SPLAT(0)));
        }
    }
}

/* a_r += sum_i e_i k_(j+r-i) for one tile and half a block; k is at k_(j-i) for the first of its terms */
static INLINE void NAME(add_product)(const double *k, const double *e, VEC a[8])
{
    for (size_t q = 0; q < LANES; ++q) {
        /* Terms q, q + LANES, ... meet the same vectors of k: eleven loads for 32 multiply-adds. */
        const double *kq = k - q;
        VEC ei[4];
#pragma GCC unroll 4
        for (int m = 0; m < 4; ++m)
            ei[m] = SPLAT(e[q + (size_t)m * LANES]);
#pragma GCC unroll 11
        for (int apart = -3; apart <= 7; ++apart) {
            const VEC kd = NAME(load)(kq + apart * (ptrdiff_t)LANES);
#pragma GCC unroll 8
            for (int r = 0; r < 8; ++r)
                if (r - apart >= 0 && r - apart < 4)
                    a[r] = MULADD(ei[r - apart], kd, a[r]);
        }
    }
}

/* a_r times e^((top_r - low)/eps) */
static INLINE void NAME(scale_back)(const NAME(soft_line) *s, const double *top, double low, VEC a[8])
{
    VEC factor[8];
    for (int r = 0; r < 8; ++r)
        factor[r] = NAME(load)(top + r * LANES) - SPLAT(low);
    NAME(exp_x4)(factor, s->thermal.scale, s->thermal.floor);
    NAME(exp_x4)(factor + 4, s->thermal.scale, s->thermal.floor);
    for (int r = 0; r < 8; ++r)
        a[r] *= factor[r];
}

/* sum_r += e^((top_r - f_l - w d^2)/eps) for terms i <= l < end, one by one */
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

/* u for the tile from j on, in place of top */
static INLINE void NAME(soft_tile_results)(const NAME(soft_line) *s, size_t j)
{
    VEC sum[8];
    double *u = s->top + j, high = u[0];
    for (size_t l = 1; l < TILE; ++l)
        high = u[l] > high ? u[l] : high;
    for (int r = 0; r < 8; ++r)
        sum[r] = SPLAT(0);
    const double bound = high + s->eps * s->cut, tile_end = (double)(j + TILE - 1);
    /* what may count of terms that are `low` or more: `reach` from the tile, and one for rounding */
    const double reach = sqrt((bound - s->least) / s->w) + 1;
    const double first = (double)j - reach, last = tile_end + reach;
    const size_t begin = first > 0 ? (size_t)first / BLOCK * BLOCK : 0;
    const size_t end = last < (double)s->n ? (size_t)last + 1 : s->n;
    for (size_t i = begin; i < end; i += BLOCK) {
        const double low = s->low[i / BLOCK], block_end = (double)(i + BLOCK - 1);
        const double nearest = (double)j > block_end ? (double)j - block_end : i > j ? (double)i - tile_end : 0;
        if (!(low + s->w * (nearest * nearest) <= bound))
            continue;
        const double near = sqrt((bound - low) / s->w) + 1;
        const double from = (double)j - near, to = tile_end + near;
        const double height = high - low;
        const int steep = height - s->w * (nearest * nearest) > STEEP * s->eps && s->rise[i / BLOCK] > STEEP * s->eps;
        if (s->flat || (height <= RANGE * s->eps && !steep)) {
            const double *k = s->kernel + ((ptrdiff_t)j - (ptrdiff_t)i), half = 4 * LANES;
            VEC own[8], *a = s->flat ? sum : own;
            for (int r = 0; r < 8 && !s->flat; ++r)
                own[r] = SPLAT(0);
            if (from <= (double)i + half - 1)
                NAME(add_product)(k, s->e + i, a);
            if (to >= (double)i + half)
                NAME(add_product)(k - 4 * LANES, s->e + i + 4 * LANES, a);
            if (s->flat)
                continue;
            NAME(scale_back)(s, u, low, own);
            for (int r = 0; r < 8; ++r)
                sum[r] += own[r];
        } else {
            const size_t until = i + BLOCK < s->n ? i + BLOCK : s->n;
            NAME(add_direct)(s, j, from > (double)i ? (size_t)from : i, to < (double)until ? (size_t)to + 1 : until, u,
                             sum);
        }
    }
    if (s->flat)
        NAME(scale_back)(s, u, s->least, sum);
    NAME(log_x4)(sum);
    NAME(log_x4)(sum + 4);
    for (int r = 0; r < 8; ++r)
        NAME(store)(u + r * LANES, NAME(load)(u + r * LANES) - SPLAT(s->eps) * sum[r]);
}

static TARGET void NAME(soft_results)(const NAME(soft_line) *s, size_t begin, size_t end)
{
    for (size_t j = begin; j < end; j += TILE)
        NAME(soft_tile_results)(s, j);
}
#undef TILE
#undef BLOCK
#undef STEEP
#undef RANGE
