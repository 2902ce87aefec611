/* Values, Gibbs weights, gradients, entropies and argmax of one polynomial at many points.
 *
 * Formula (sign = +1; sign = -1 is its mirror image: every z_j is negated on entry, f on exit):
 *   z_j = fma(w_jd, x_d, ... fma(w_j1, x_1, b_j)),    one rounding per variable, in this order
 *   f_0 = max_j z_j,          f_eps = f_0 + eps log1p(sum_{j != argmax} e^{(z_j - f_0)/eps})
 *   w   = softmax(z / eps)    (eps = 0: 1 at the argmax);  gradient = sum_j w_j W_j
 *   entropy = log1p(rest) - moment / (1 + rest),  rest, moment = sums of e^a and a e^a, a = (z - f_0)/eps
 *
 * Special values: b_j = -inf drops monomial j. No monomial left: f = -inf, argmax -1, weights,
 *   gradient, entropy and excess 0. A NaN coordinate makes every result of its point NaN and the
 *   argmax -1. At an infinite coordinate 0 * inf = 0 (the zeroth power is one) and
 *   (-inf) + (+inf) = -inf (zero absorbs). Terms equal to f_0 = +inf share the weight.
 *
 * Error: z_j is a chain of d fused multiply-adds; at eps = 0 that is all of it, so results are
 *   bit-identical on every instruction set. Ties: the smallest index wins.
 *
 * Source: online log-sum-exp with the largest term kept apart, after P. Blanchard, D. J. Higham,
 *   N. J. Higham, "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer.
 *   Anal. 41 (2021), eq. (3.10), done block by block with a running maximum.
 *
 * Phases, per point: 1. z for one block of monomials (affine_block).  2. the block's maximum moves the
 *   running maximum, rescaling what was summed.  3. e^a of the block joins rest, moment, gradient
 *   (absorb_block).  4. results are written (finish). The (points, terms) matrix exists only where
 *   the weights are asked: their row first holds z, then w.
 */

typedef struct {
    TYPE top;        /* largest z so far                                   */
    TYPE rest;       /* sum of e^a over the others, a = (z - top)/eps <= 0 */
    TYPE moment;     /* sum of a e^a over the others                       */
    int64_t argmax;  /* where top was first attained, -1 before that       */
} NAME(state);

/* a = (z - top)/eps, made safe: ties are 0 also at top = +inf, everything else is at least 2 CUTOFF. */
static inline TARGET TYPE NAME(exponent)(TYPE z, TYPE top, TYPE inverse_eps)
{
    TYPE a = (z - top) * inverse_eps;
    a = a > 2 * CUTOFF ? a : 2 * CUTOFF;
    return z == top ? LITERAL(0.0) : a;
}

static inline TARGET TYPE NAME(block_maximum)(size_t n, const TYPE *z)
{
    TYPE m = -INFINITY;
    SIMD(reduction(max : m))
    for (size_t j = 0; j < n; ++j)
        m = z[j] > m ? z[j] : m;
    return m;
}

static inline TARGET void NAME(affine_block)(const tp_polynomial *p, const TYPE *x, size_t begin, size_t n,
                                             TYPE *restrict z)
{
    const TYPE sign = (TYPE)p->sign, *b = p->coefficients;
    for (size_t j = 0; j < n; ++j)
        z[j] = sign * b[begin + j];
    for (size_t k = 0; k < p->variables; ++k) {
        const TYPE xk = sign * x[k];
        const TYPE *restrict row = (const TYPE *)p->slopes_t + k * p->terms + begin;
        SIMD()
        for (size_t j = 0; j < n; ++j)
            z[j] = FMA(row[j], xk, z[j]);
    }
}

/* As affine_block, where some x_k is infinite. */
static TARGET void NAME(affine_block_extended)(const tp_polynomial *p, const TYPE *x, size_t begin, size_t n,
                                               TYPE *z)
{
    const TYPE sign = (TYPE)p->sign, *b = p->coefficients, *slopes_t = p->slopes_t;
    for (size_t j = 0; j < n; ++j) {
        TYPE s = sign * b[begin + j];
        for (size_t k = 0; k < p->variables; ++k) {
            const TYPE w = slopes_t[k * p->terms + begin + j], xk = sign * x[k];
            if (w == 0)
                continue;
            s = (s == -INFINITY || w * xk == -INFINITY) ? -INFINITY : FMA(w, xk, s);
        }
        z[j] = s;
    }
}

/* Joins z[0..n), the terms begin.., to the state; at eps > 0, z becomes e^a. Returns the factor by
 * which sums over earlier terms shrink.                                                             */
static inline TARGET TYPE NAME(absorb_block)(NAME(state) *s, TYPE eps, size_t begin, size_t n, TYPE *z)
{
    TYPE factor = 1;
    const TYPE inverse_eps = 1 / eps, highest = NAME(block_maximum)(n, z);
    size_t first = n; /* index in this block of the new argmax */
    if (highest > s->top) {
        for (first = 0; z[first] != highest; ++first)
            ;
        if (eps > 0 && s->argmax >= 0) {
            const TYPE shift = NAME(exponent)(s->top, highest, inverse_eps);
            const TYPE total = 1 + s->rest;
            factor = NAME(exp_nonpositive)(shift);
            s->moment = factor * (s->moment + shift * total);
            s->rest = factor * total;
        }
        s->top = highest;
        s->argmax = (int64_t)(begin + first);
    }
    if (eps > 0 && s->argmax >= 0) {
        const TYPE top = s->top;
        TYPE rest = 0, moment = 0;
        if (first < n)
            z[first] = -INFINITY;
        SIMD(reduction(+ : rest, moment))
        for (size_t j = 0; j < n; ++j) {
            const TYPE a = NAME(exponent)(z[j], top, inverse_eps);
            const TYPE e = NAME(exp_nonpositive)(a);
            rest += e;
            moment += a * e;
            z[j] = e;
        }
        if (first < n)
            z[first] = 1;
        s->rest += rest;
        s->moment += moment;
    }
    return factor;
}

/* gradient = factor * gradient + sum_j e_j slopes_j over one block */
static inline TARGET void NAME(absorb_gradient)(const tp_polynomial *p, TYPE factor, size_t begin, size_t n,
                                                const TYPE *restrict e, TYPE *restrict gradient)
{
    for (size_t k = 0; k < p->variables; ++k) {
        const TYPE *restrict row = (const TYPE *)p->slopes_t + k * p->terms + begin;
        TYPE sum = 0;
        SIMD(reduction(+ : sum))
        for (size_t j = 0; j < n; ++j)
            sum += e[j] * row[j];
        gradient[k] = factor * gradient[k] + sum;
    }
}

static inline TARGET void NAME(finish)(const NAME(state) *s, int sign, TYPE eps, size_t i, size_t terms,
                                       const tp_outputs *out)
{
    const TYPE log_total = eps > 0 ? LOG1P(s->rest) : 0;
    const TYPE excess = eps > 0 ? eps * log_total : 0;
    /* The largest term wins outright: no weight is shared, and eps may overflow when it need not. */
    const int lone = s->rest == 0;
    TYPE *values = out->values, *excesses = out->excess, *entropy = out->entropy;
    if (values)
        values[i] = (TYPE)sign * (lone ? s->top : s->top + excess) + LITERAL(0.0);
    if (excesses)
        excesses[i] = lone ? LITERAL(0.0) : (TYPE)sign * excess;
    if (entropy)
        entropy[i] = lone ? LITERAL(0.0) : log_total - s->moment / (1 + s->rest);
    if (out->argmax)
        out->argmax[i] = s->argmax;
    if (!out->weights)
        return;
    TYPE *w = (TYPE *)out->weights + i * terms;
    if (s->argmax < 0 || !(eps > 0)) {
        for (size_t j = 0; j < terms; ++j)
            w[j] = (int64_t)j == s->argmax;
    } else {
        const TYPE top = s->top, inverse_eps = 1 / eps, inverse_total = 1 / (1 + s->rest);
        SIMD()
        for (size_t j = 0; j < terms; ++j)
            w[j] = NAME(exp_nonpositive)(NAME(exponent)(w[j], top, inverse_eps)) * inverse_total;
    }
}

static TARGET void NAME(fill_nan)(size_t i, size_t terms, size_t variables, const tp_outputs *out)
{
    TYPE *const scalars[] = {out->values, out->excess, out->entropy};
    TYPE *gradient = out->gradient, *weights = out->weights;
    for (size_t q = 0; q < sizeof scalars / sizeof *scalars; ++q)
        if (scalars[q])
            scalars[q][i] = NAN;
    if (out->argmax)
        out->argmax[i] = -1;
    for (size_t k = 0; gradient && k < variables; ++k)
        gradient[i * variables + k] = NAN;
    for (size_t j = 0; weights && j < terms; ++j)
        weights[i * terms + j] = NAN;
}

static TARGET void NAME(polynomial)(const tp_polynomial *p, size_t points, const void *points_x,
                                    const tp_outputs *out)
{
    const size_t N = p->terms, d = p->variables;
    const TYPE eps = (TYPE)p->eps, *slopes_t = p->slopes_t;
    TYPE block[BLOCK];
    for (size_t i = 0; i < points; ++i) {
        const TYPE *x = (const TYPE *)points_x + i * d;
        int finite = 1, nan = 0;
        for (size_t k = 0; k < d; ++k) {
            finite &= x[k] - x[k] == 0;
            nan |= x[k] != x[k];
        }
        if (nan) {
            NAME(fill_nan)(i, N, d, out);
            continue;
        }
        TYPE *gradient = out->gradient ? (TYPE *)out->gradient + i * d : NULL;
        for (size_t k = 0; gradient && k < d; ++k)
            gradient[k] = 0;
        NAME(state) s = {.top = -INFINITY, .argmax = -1};
        for (size_t begin = 0; begin < N; begin += BLOCK) {
            const size_t n = N - begin < BLOCK ? N - begin : BLOCK;
            if (finite)
                NAME(affine_block)(p, x, begin, n, block);
            else
                NAME(affine_block_extended)(p, x, begin, n, block);
            if (out->weights)
                memcpy((TYPE *)out->weights + i * N + begin, block, n * sizeof *block);
            const TYPE factor = NAME(absorb_block)(&s, eps, begin, n, block);
            if (gradient && eps > 0 && s.argmax >= 0)
                NAME(absorb_gradient)(p, factor, begin, n, block, gradient);
        }
        if (gradient && s.argmax >= 0) {
            for (size_t k = 0; k < d; ++k)
                gradient[k] = eps > 0 ? gradient[k] / (1 + s.rest)
                                      : slopes_t[k * N + (size_t)s.argmax];
        }
        NAME(finish)(&s, p->sign, eps, i, N, out);
    }
}

static TARGET void NAME(reduce)(size_t rows, size_t columns, const void *z, int sign, double temperature,
                                const tp_outputs *out)
{
    const TYPE eps = (TYPE)temperature;
    TYPE block[BLOCK];
    for (size_t i = 0; i < rows; ++i) {
        NAME(state) s = {.top = -INFINITY, .argmax = -1};
        int nan = 0;
        for (size_t begin = 0; begin < columns && !nan; begin += BLOCK) {
            const size_t n = columns - begin < BLOCK ? columns - begin : BLOCK;
            const TYPE *row = (const TYPE *)z + i * columns + begin;
            for (size_t j = 0; j < n; ++j) {
                block[j] = (TYPE)sign * row[j];
                nan |= row[j] != row[j];
            }
            if (out->weights)
                memcpy((TYPE *)out->weights + i * columns + begin, block, n * sizeof *block);
            if (!nan)
                NAME(absorb_block)(&s, eps, begin, n, block);
        }
        if (nan)
            NAME(fill_nan)(i, columns, 0, out);
        else
            NAME(finish)(&s, sign, eps, i, columns, out);
    }
}
