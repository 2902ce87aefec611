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
 *   smallest index wins. Arithmetic is in double also for arrays of float, which costs a scalar scan nothing.
 *
 * Source: P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of sampled functions", Theory of
 *   Computing 8 (2012), section 2; Y. Lucet, "Faster than the fast Legendre transform, the linear-time Legendre
 *   transform", Numer. Algorithms 16 (1997). The popping test is divided through so that x enters by
 *   differences.
 *
 * Phases, per block of up to TP_LINES neighbouring lines: 1. gather: strided lines become contiguous, a cache
 *   line at a time.  2. scan: candidates on a stack.  3. merge: one walk over the stack and the results.
 *   4. scatter.
 */

typedef struct {
    size_t count;      /* vertices 1 ... count; vertex 0 and vertex count + 1 are sentinels */
    double constant;   /* where count is 0: what the minimum is                            */
    int64_t index;     /* ... and where                                                   */
} NAME(candidates);

static INLINE double NAME(node)(const double *x, size_t i) { return x ? x[i] : (double)i; }

/* Keeps on v[1 ...] the functions f_i + w (y - x_i)^2, or f_i - p x_i if w = 0, that are lowest somewhere.
 * x = NULL stands for 0, 1, 2, ...                                                                   */
static INLINE NAME(candidates) NAME(scan)(size_t n, const double *f, const double *x, double w, tp_vertex *v)
{
    NAME(candidates) c = {.constant = INFINITY, .index = -1};
    tp_vertex *last = v;
    v[0] = (tp_vertex){.slope = -INFINITY};
    for (size_t i = 0; i < n; ++i) {
        const double fi = f[i], xi = NAME(node)(x, i);
        if (!(fabs(fi) < INFINITY)) {
            if (fi != fi)
                return (NAME(candidates)){.constant = NAN, .index = -1};
            if (fi < 0 && c.index < 0)
                c = (NAME(candidates)){.constant = -INFINITY, .index = (int64_t)i};
            continue;
        }
        double slope = -INFINITY;
        for (; last > v; --last) {
            slope = (fi - last->f) / (xi - last->x);
            /* The first vertex has slope -inf: it stays. */
            if (!(last->slope - slope >= w * (xi - last[-1].x)))
                break;
        }
        *++last = (tp_vertex){xi, fi, slope, (int64_t)i};
    }
    if (c.index < 0)
        c.count = (size_t)(last - v);
    last[1] = *last;
    last[1].slope = INFINITY;
    return c;
}

static INLINE void NAME(fill)(size_t n, double value, int64_t index, double *out, int64_t *winners)
{
    for (size_t j = 0; j < n; ++j)
        out[j] = value;
    for (size_t j = 0; winners && j < n; ++j)
        winners[j] = index;
}

static TARGET void NAME(legendre_line)(size_t n, const double *f, const double *x, size_t m, const double *p,
                                       void *scratch, double *out, int64_t *winners)
{
    tp_vertex *v = scratch;
    const NAME(candidates) c = NAME(scan)(n, f, x, 0, v);
    if (c.count == 0) {
        NAME(fill)(m, -c.constant, c.index, out, winners);
        return;
    }
    ++v;
    for (size_t j = 0; j < m; ++j) {
        while (v[1].slope < p[j])
            ++v;
        out[j] = FMA(p[j], v->x, -v->f) + 0.0;
        if (winners)
            winners[j] = v->index;
    }
}

/* Inlined twice, so that the compiler knows whether x is NULL. */
static INLINE void NAME(hopf_lax_nodes)(size_t n, const double *f, const double *x, double w, tp_vertex *v,
                                        double *out, int64_t *winners)
{
    const NAME(candidates) c = NAME(scan)(n, f, x, w, v);
    if (c.count == 0) {
        NAME(fill)(n, c.constant, c.index, out, winners);
        return;
    }
    ++v;
    for (size_t j = 0; j < n; ++j) {
        const double y = NAME(node)(x, j);
        while (v[1].slope < w * ((y - v[0].x) + (y - v[1].x)))
            ++v;
        const double d = y - v->x;
        out[j] = w * (d * d) + v->f;
        if (winners)
            winners[j] = v->index;
    }
}

static TARGET void NAME(hopf_lax_line)(size_t n, const double *f, const double *x, double w, void *scratch,
                                       double *out, int64_t *winners)
{
    if (x)
        NAME(hopf_lax_nodes)(n, f, x, w, scratch, out, winners);
    else
        NAME(hopf_lax_nodes)(n, f, NULL, w, scratch, out, winners);
}
