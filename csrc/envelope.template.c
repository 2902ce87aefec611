/* Lower envelopes on a line: the discrete Legendre transform and the quadratic inf-convolution.
 *
 * Formula, for f_i at strictly increasing nodes x_i:
 *   legendre   f*(p_j) = max_i (p_j x_i - f_i)                    at slopes p_j in non-decreasing order
 *   hopf_lax   u_j     = min_i (f_i + w (x_j - x_i)^2), w > 0     on the same nodes
 *   Both ask which i is lowest among the functions f_i + w y^2 - (p + 2 w x_i) y of one parameter, and both are
 *   found by one scan: w = 0 gives the lower convex hull of the points (x_i, f_i), w > 0 the envelope of the
 *   parabolas. hopf_lax is not done by way of the transform of f_i + w x_i^2: that number grows like n^2 and
 *   its rounding error would swamp f.
 *
 * Domain: f_i in [-inf, +inf], differences of finite ones not overflowing; x, p finite. `sign` = -1 takes f and
 *   result negated, which makes a minimum of a maximum.
 * Special values: f_i = +inf is a point outside the domain, never the winner. No point inside: the result is
 *   -inf (legendre), +inf (hopf_lax), winner -1. Some f_i = -inf: +inf, -inf, the first such i. Some NaN: all
 *   results of the line are NaN, winner -1.
 *
 * Error: values are computed from the winning index by the formula itself, p x - f with one rounding,
 *   w d^2 + f with three and that of d. Winners are chosen by differences of neighbours only, correct to a few
 *   units in the last place of those differences, so that a wrong one is a tie to within rounding: the value
 *   is off by less than 8 u (|p_j x_i| + |f_i|), or 8 u (|f_i| + w d^2), of the terms near the optimum (tests).
 *   No fused operation decides anything: results are the same bits on every instruction set. Ties: the
 *   smallest index wins. Arithmetic is in double also for arrays of float: it is not what costs.
 *
 * Source: P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of sampled functions", Theory of
 *   Computing 8 (2012), section 2; Y. Lucet, "Faster than the fast Legendre transform, the linear-time Legendre
 *   transform", Numer. Algorithms 16 (1997). The popping test is divided through so that x enters by
 *   differences.
 *
 * Phases, per block of up to TP_LINES neighbouring lines: 1. gather: strided lines become contiguous, cache
 *   lines at a time.  2. candidates on a stack, PIECE points after the other: take the finite ones, without those
 *   that their neighbours in memory dominate; sift out, in rounds, those that neighbours among the rest dominate;
 *   scan what is left.  3. results, a vector at a time (walk.template.c).  4. scatter (lines.template.c).
 *
 * Measured on Zen 4, ns a point, against one scan and one walk without vectors: noise 5.2 for 20, random walk 5.6 for
 *   22, binary images 6.2 for 15, convex functions, of which every point is on the envelope, 7 for 7. What cost was
 *   not the memory bound but branches that cannot be foreseen: a point is popped or not, a result moves on to the
 *   next vertex or not. So points go before they are branched upon.
 */

typedef struct {
    size_t count;      /* vertices 1 ... count; vertex 0 and vertex count + 1 are sentinels */
    double constant;   /* where count is 0: what the minimum is                            */
    int64_t index;     /* ... and where                                                   */
} NAME(candidates);

/* Points of a piece of a line, apart so that they are sifted in vectors; index is not kept on the nodes 0, 1, ... */
#define PIECE 512
typedef struct {
    double x[PIECE + 2 * LANES], f[PIECE + 2 * LANES], index[PIECE + 2 * LANES];
} NAME(points);

static INLINE double NAME(node)(const double *x, size_t i) { return x ? x[i] : (double)i; }

static INLINE VEC NAME(lane_numbers)(void)
{
    VEC v;
    for (size_t l = 0; l < LANES; ++l)
        v[l] = (double)l;
    return v;
}

static INLINE VEC NAME(magnitude)(VEC a) { return (VEC)((IVEC)a & INT64_MAX); }

/* Writes the lanes of v that `keep` marks to `to`, anything behind them, and returns their number. */
static INLINE size_t NAME(pack)(double *to, VEC v, IVEC keep)
{
#ifdef ISA_AVX512
    const __mmask8 mask = _mm512_movepi64_mask((__m512i)keep);
    _mm512_storeu_pd(to, _mm512_maskz_compress_pd(mask, (__m512d)v));
    return (size_t)__builtin_popcount(mask);
#else
    size_t count = 0;
    for (size_t l = 0; l < LANES; ++l) {
        to[count] = v[l];
        count -= (size_t)keep[l];
    }
    return count;
#endif
}

/* Takes the finite points from begin to end; on the nodes 0, 1, ... only those below their two neighbours'
 * envelope. Returns their number, or PIECE + 1 if an f is -inf or NaN.                               */
static INLINE size_t NAME(take)(size_t n, const double *f, const double *x, double w, size_t begin, size_t end,
                                NAME(points) *to)
{
    const VEC lanes = NAME(lane_numbers)();
    IVEC bad = {0};
    size_t m = 0, i = begin;
    while (i < end)
        if (i > 0 && i + LANES < n && i + LANES <= end) {
            const VEC here = NAME(load)(f + i), number = lanes + SPLAT((double)i);
            IVEC keep = here < SPLAT(INFINITY);
            bad |= ~(here > SPLAT(-INFINITY));
            if (!x) {
                const VEC before = here - NAME(load)(f + i - 1), after = NAME(load)(f + i + 1) - here;
                keep &= ~(before - after >= SPLAT(2 * w));
            }
            NAME(pack)(to->f + m, here, keep);
            if (x)
                NAME(pack)(to->index + m, number, keep);
            m += NAME(pack)(to->x + m, x ? NAME(load)(x + i) : number, keep);
            i += LANES;
        } else {
            const int between = !x && i > 0 && i + 1 < n;
            if (!(f[i] > -INFINITY))
                return PIECE + 1;
            to->x[m] = NAME(node)(x, i);
            to->f[m] = f[i];
            to->index[m] = (double)i;
            m += f[i] < INFINITY && !(between && (f[i] - f[i - 1]) - (f[i + 1] - f[i]) >= 2 * w);
            ++i;
        }
    for (size_t l = 0; l < LANES; ++l)
        m = bad[l] ? PIECE + 1 : m;
    return m;
}

/* Leaves out the points that lie above their two neighbours' envelope, beyond doubt: by more than the rounding of
 * the slopes, so that many that are left out together are so for good. Returns how many are left; m > 2. */
static INLINE size_t NAME(sift)(size_t m, const NAME(points) *from, double w, int with_index, NAME(points) *to)
{
    const VEC lanes = NAME(lane_numbers)(), margin = SPLAT(0x1p-50);
    double slopes[PIECE + LANES];
    size_t left = 1;
    for (size_t i = 0; i < m - 1; i += LANES)
        NAME(store)(slopes + i, (NAME(load)(from->f + i + 1) - NAME(load)(from->f + i)) /
                                    (NAME(load)(from->x + i + 1) - NAME(load)(from->x + i)));
    to->x[0] = from->x[0];
    to->f[0] = from->f[0];
    to->index[0] = from->index[0];
    for (size_t i = 1; i < m; i += LANES) {
        const VEC before = NAME(load)(slopes + i - 1), after = NAME(load)(slopes + i);
        const VEC cost = SPLAT(w) * (NAME(load)(from->x + i + 1) - NAME(load)(from->x + i - 1));
        const VEC rounding = margin * (NAME(magnitude)(before) + NAME(magnitude)(after) + cost);
        const VEC place = lanes + SPLAT((double)i), end = SPLAT((double)(m - 1)); /* the last point stays */
        const IVEC keep = (~((before - after) - cost > rounding) & (place < end)) | (place == end);
        NAME(pack)(to->f + left, NAME(load)(from->f + i), keep);
        if (with_index)
            NAME(pack)(to->index + left, NAME(load)(from->index + i), keep);
        left += NAME(pack)(to->x + left, NAME(load)(from->x + i), keep);
    }
    return left;
}

static INLINE NAME(candidates) NAME(infinite)(size_t n, const double *f)
{
    NAME(candidates) c = {.constant = -INFINITY, .index = -1};
    for (size_t i = 0; i < n; ++i) {
        if (f[i] != f[i])
            return (NAME(candidates)){.constant = NAN, .index = -1};
        if (f[i] == -INFINITY && c.index < 0)
            c.index = (int64_t)i;
    }
    return c;
}

/* Keeps on v[1 ...] the functions f_i + w (y - x_i)^2, or f_i - p x_i if w = 0, that are lowest somewhere.
 * x = NULL stands for 0, 1, 2, ...                                                                   */
static INLINE NAME(candidates) NAME(scan)(size_t n, const double *f, const double *x, double w, tp_vertex *v)
{
    NAME(points) pieces[2];
    tp_vertex *last = v;
    v[0] = (tp_vertex){.slope = -INFINITY};
    for (size_t begin = 0; begin < n; begin += PIECE) {
        NAME(points) *points = pieces, *others = pieces + 1;
        size_t m = NAME(take)(n, f, x, w, begin, n - begin < PIECE ? n : begin + PIECE, points);
        size_t before = x ? 2 * m : PIECE;
        if (m > PIECE)
            return NAME(infinite)(n, f);
        while (m > 32 && before - m >= before / 8) {
            before = m;
            m = NAME(sift)(m, points, w, x != NULL, others);
            NAME(points) *swap = points;
            points = others;
            others = swap;
        }
        for (size_t i = 0; i < m; ++i) {
            const double fi = points->f[i], xi = points->x[i];
            double slope = -INFINITY;
            for (; last > v; --last) {
                slope = (fi - last->f) / (xi - last->x);
                /* The first vertex has slope -inf: it stays. */
                if (!(last->slope - slope >= w * (xi - last[-1].x)))
                    break;
            }
            *++last = (tp_vertex){xi, fi, slope, (int64_t)(x ? points->index[i] : xi)};
        }
    }
    last[1] = *last;
    last[1].slope = INFINITY;
    return (NAME(candidates)){.count = (size_t)(last - v), .constant = INFINITY, .index = -1};
}
#undef PIECE
