/* One polynomial, one point at a time, monomials in the lanes: for few points, and for every result.
 *
 * Formula (sign = +1; sign = -1 is its mirror image: slopes and coefficients come in negated, values
 * leave negated):
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
 *   Anal. 41 (2021), eq. (3.10), done panel by panel with a running maximum.
 *
 * Phases, per point: 1. z for one panel of monomials (affine_panel).  2. the panel's maximum moves the
 *   running maximum, rescaling what was summed.  3. e^a of the panel joins rest, moment, gradient
 *   (absorb_panel).  4. results are written (finish). The (points, terms) matrix exists only where
 *   the weights are asked: their row first holds z, then w.
 */

typedef struct {
    TYPE top;        /* largest z so far                                                 */
    VEC rest;        /* lane by lane, sum of e^a over the others, a = (z - top)/eps <= 0 */
    VEC moment;      /* lane by lane, sum of (z - top) e^a over the others               */
    int64_t argmax;  /* where top was first attained, -1 before that                     */
} NAME(state);

typedef struct {
    TYPE eps;
    int extreme; /* eps is so small or large that 1/eps is not to be trusted */
    NAME(thermal) thermal;
} NAME(temperature);

static INLINE NAME(temperature) NAME(temperature_of)(double eps)
{
    const TYPE e = eps > 0 && (TYPE)eps == 0 ? SMALLEST : (TYPE)eps; /* positive stays positive */
    const int extreme = e > 0 && !(e > TINY_EPS && e < HUGE_EPS);
    return (NAME(temperature)){e, extreme, NAME(thermal_of)(extreme ? 1 : e)};
}

/* z becomes e^((z - top)/eps) and s the clamped z - top, for one panel. */
static INLINE void NAME(exp_panel)(const NAME(temperature) *t, TYPE top, TYPE *z, TYPE *s)
{
    if (t->extreme || top == INFINITY) { /* rare: exact ties count 1, the rest by the C library */
        for (size_t j = 0; j < PANEL; ++j) {
            s[j] = z[j] == top ? 0 : z[j] - top;
            z[j] = z[j] == top ? 1 : z[j] == -INFINITY ? 0 : EXP(s[j] / t->eps);
            s[j] = z[j] == 0 ? 0 : s[j];
        }
        return;
    }
    for (size_t j = 0; j < PANEL; j += 4 * LANES) {
        VEC v[4];
        for (int r = 0; r < 4; ++r) {
            v[r] = VMAX(NAME(load)(z + j + r * LANES) - SPLAT(top), t->thermal.floor);
            NAME(store)(s + j + r * LANES, v[r]);
        }
        NAME(exp_x4)(v, t->thermal.scale, t->thermal.floor);
        for (int r = 0; r < 4; ++r)
            NAME(store)(z + j + r * LANES, NAME(select)(v[r] > SPLAT(NEGLIGIBLE), v[r], SPLAT(0)));
    }
}

static INLINE TYPE NAME(lane_sum)(VEC v)
{
    TYPE sum[LANES];
    NAME(store)(sum, v);
    for (size_t width = LANES / 2; width > 0; width /= 2)
        for (size_t l = 0; l < width; ++l)
            sum[l] += sum[l + width];
    return sum[0];
}

static INLINE TYPE NAME(panel_maximum)(const TYPE *z)
{
    TYPE top[LANES];
    VEC v = NAME(load)(z);
    for (size_t j = LANES; j < PANEL; j += LANES)
        v = VMAX(v, NAME(load)(z + j));
    NAME(store)(top, v);
    for (size_t width = LANES / 2; width > 0; width /= 2)
        for (size_t l = 0; l < width; ++l)
            top[l] = top[l] > top[l + width] ? top[l] : top[l + width];
    return top[0];
}

/* z of the panel that starts at monomial `begin`; a row of it at once where registers allow, so that memory is
 * read in order                                                                                       */
static INLINE void NAME(affine_panel)(const tp_polynomial *p, size_t d, const TYPE *x, size_t begin, TYPE *z)
{
    enum { abreast = PANEL < 8 * LANES ? PANEL / LANES : 8 };
    const TYPE *slopes = (const TYPE *)p->panels + begin * d, *b = (const TYPE *)p->coefficients + begin;
    for (size_t j = 0; j < PANEL; j += abreast * LANES) {
        VEC v[abreast];
        for (size_t r = 0; r < abreast; ++r)
            v[r] = NAME(load)(b + j + r * LANES);
        for (size_t k = 0; k < d; ++k)
            for (size_t r = 0; r < abreast; ++r)
                v[r] = VFMA(NAME(load)(slopes + k * PANEL + j + r * LANES), SPLAT(x[k]), v[r]);
        for (size_t r = 0; r < abreast; ++r)
            NAME(store)(z + j + r * LANES, v[r]);
    }
}

/* A whole panel where some x_k is infinite. */
static TARGET void NAME(affine_panel_extended)(const tp_polynomial *p, const TYPE *x, size_t panel, TYPE *z)
{
    const size_t d = p->variables;
    const TYPE *slopes = (const TYPE *)p->panels + panel * d * PANEL;
    memcpy(z, (const TYPE *)p->coefficients + panel * PANEL, PANEL * sizeof *z);
    for (size_t k = 0; k < d; ++k)
        for (size_t j = 0; j < PANEL; ++j) {
            const TYPE w = slopes[k * PANEL + j];
            if (x[k] - x[k] == 0) /* a finite product may overflow, but is not the zero */
                z[j] = FMA(w, x[k], z[j]);
            else if (w != 0)
                z[j] = z[j] == -INFINITY || w * x[k] == -INFINITY ? -INFINITY : INFINITY;
        }
}

/* Joins the terms of one panel, z, to the state; at eps > 0, z becomes e^a. Returns the factor by which
 * sums over earlier terms shrink.                                                                   */
static INLINE TYPE NAME(absorb_panel)(NAME(state) *s, const NAME(temperature) *t, size_t begin, TYPE *z)
{
    TYPE factor = 1;
    const TYPE highest = NAME(panel_maximum)(z);
    size_t first = PANEL; /* index in this panel of the new argmax */
    if (highest > s->top) {
        for (first = 0; z[first] != highest; ++first)
            ;
        if (t->eps > 0 && s->argmax >= 0) {
            const TYPE shift = s->top - highest;
            VEC total = s->rest;
            total[0] += 1; /* the former top */
            factor = EXP(shift / t->eps);
            if (factor > 0)
                s->moment = SPLAT(factor) * (s->moment + SPLAT(shift) * total);
            else
                s->moment = (VEC){0};
            s->rest = SPLAT(factor) * total;
        }
        s->top = highest;
        s->argmax = (int64_t)(begin + first);
    }
    if (t->eps > 0 && s->argmax >= 0) {
        TYPE gap[PANEL];
        if (first < PANEL)
            z[first] = -INFINITY; /* out of the sums */
        NAME(exp_panel)(t, s->top, z, gap);
        for (size_t j = 0; j < PANEL; j += LANES) {
            const VEC e = NAME(load)(z + j);
            s->rest += e;
            s->moment += NAME(load)(gap + j) * e;
        }
        if (first < PANEL)
            z[first] = 1;
    }
    return factor;
}

/* gradient = factor * gradient + sum_j e_j slopes_j over one panel */
static INLINE void NAME(absorb_gradient)(const tp_polynomial *p, TYPE factor, size_t panel, const TYPE *e,
                                         TYPE *gradient)
{
    const TYPE *slopes = (const TYPE *)p->panels + panel * p->variables * PANEL;
    for (size_t k = 0; k < p->variables; ++k) {
        VEC sum = SPLAT(0);
        for (size_t j = 0; j < PANEL; j += LANES)
            sum += NAME(load)(e + j) * NAME(load)(slopes + k * PANEL + j);
        gradient[k] = factor * gradient[k] + NAME(lane_sum)(sum);
    }
}

static TARGET void NAME(finish)(const NAME(state) *s, const NAME(temperature) *t, int sign, size_t i,
                                size_t terms, const tp_outputs *out)
{
    const TYPE rest = NAME(lane_sum)(s->rest), log_total = t->eps > 0 ? LOG1P(rest) : 0;
    /* The largest term may win outright: then eps must not overflow where it need not. */
    const TYPE excess = rest > 0 ? t->eps * log_total : 0;
    TYPE *values = out->values, *excesses = out->excess, *entropy = out->entropy;
    if (values)
        values[i] = (TYPE)sign * (s->top + excess) + LITERAL(0.0);
    if (excesses)
        excesses[i] = (TYPE)sign * excess + LITERAL(0.0);
    if (entropy)
        entropy[i] = rest > 0 ? log_total - NAME(lane_sum)(s->moment) / t->eps / (1 + rest) : 0;
    if (out->argmax)
        out->argmax[i] = s->argmax;
    if (!out->weights)
        return;
    TYPE *w = (TYPE *)out->weights + i * terms;
    if (s->argmax < 0 || !(t->eps > 0)) {
        for (size_t j = 0; j < terms; ++j)
            w[j] = (int64_t)j == s->argmax;
        return;
    }
    const TYPE inverse_total = 1 / (1 + rest);
    for (size_t begin = 0; begin < terms; begin += PANEL) {
        const size_t n = terms - begin < PANEL ? terms - begin : PANEL;
        TYPE z[PANEL] = {0}, gap[PANEL];
        memcpy(z, w + begin, n * sizeof *z);
        NAME(exp_panel)(t, s->top, z, gap);
        for (size_t j = 0; j < n; ++j)
            w[begin + j] = z[j] * inverse_total;
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

enum { NAME(FINITE), NAME(INFINITE), NAME(HAS_NAN) };

static INLINE int NAME(classify)(size_t d, const TYPE *x)
{
    int kind = NAME(FINITE);
    for (size_t k = 0; k < d; ++k)
        if (x[k] - x[k] != 0)
            kind = x[k] != x[k] ? NAME(HAS_NAN) : kind == NAME(HAS_NAN) ? kind : NAME(INFINITE);
    return kind;
}

/* Point i of the arrays; x is already negated where sign is -1. */
static TARGET void NAME(row)(const tp_polynomial *p, const NAME(temperature) *t, size_t i, const TYPE *x,
                             const tp_outputs *out)
{
    const size_t N = p->terms, d = p->variables;
    const int kind = NAME(classify)(d, x);
    TYPE z[PANEL];
    if (kind == NAME(HAS_NAN)) {
        NAME(fill_nan)(i, N, d, out);
        return;
    }
    TYPE *gradient = out->gradient ? (TYPE *)out->gradient + i * d : NULL;
    for (size_t k = 0; gradient && k < d; ++k)
        gradient[k] = 0;
    NAME(state) s = {.top = -INFINITY, .argmax = -1};
    for (size_t begin = 0; begin < N; begin += PANEL) {
        const size_t n = N - begin < PANEL ? N - begin : PANEL;
        if (kind == NAME(FINITE))
            NAME(affine_panel)(p, d, x, begin, z);
        else
            NAME(affine_panel_extended)(p, x, begin / PANEL, z);
        if (out->weights)
            memcpy((TYPE *)out->weights + i * N + begin, z, n * sizeof *z);
        const TYPE factor = NAME(absorb_panel)(&s, t, begin, z);
        if (gradient && t->eps > 0 && s.argmax >= 0)
            NAME(absorb_gradient)(p, factor, begin / PANEL, z, gradient);
    }
    if (gradient && s.argmax >= 0) {
        const size_t panel = (size_t)s.argmax / PANEL, j = (size_t)s.argmax % PANEL;
        const TYPE *slopes = (const TYPE *)p->panels + panel * d * PANEL, total = 1 + NAME(lane_sum)(s.rest);
        for (size_t k = 0; k < d; ++k)
            gradient[k] = t->eps > 0 ? gradient[k] / total : slopes[k * PANEL + j];
    }
    NAME(finish)(&s, t, p->sign, i, N, out);
}

/* x is scratch for one point: its coordinates times the sign. */
static INLINE void NAME(signed_point)(size_t d, int sign, const TYPE *from, TYPE *x)
{
    for (size_t k = 0; k < d; ++k)
        x[k] = (TYPE)sign * from[k];
}

static TARGET void NAME(rows)(const tp_polynomial *p, size_t points, const void *x, void *scratch,
                              const tp_outputs *out)
{
    const NAME(temperature) t = NAME(temperature_of)(p->eps);
    for (size_t i = 0; i < points; ++i) {
        NAME(signed_point)(p->variables, p->sign, (const TYPE *)x + i * p->variables, scratch);
        NAME(row)(p, &t, i, scratch, out);
    }
}

static TARGET void NAME(reduce)(size_t rows, size_t columns, const void *matrix, int sign, double eps,
                                const tp_outputs *out)
{
    const NAME(temperature) t = NAME(temperature_of)(eps);
    for (size_t i = 0; i < rows; ++i) {
        NAME(state) s = {.top = -INFINITY, .argmax = -1};
        int nan = 0;
        for (size_t begin = 0; begin < columns && !nan; begin += PANEL) {
            const size_t n = columns - begin < PANEL ? columns - begin : PANEL;
            const TYPE *from = (const TYPE *)matrix + i * columns + begin;
            TYPE z[PANEL];
            for (size_t j = 0; j < PANEL; ++j)
                z[j] = j < n ? (TYPE)sign * from[j] : -INFINITY;
            for (size_t j = 0; j < n; ++j)
                nan |= from[j] != from[j];
            if (out->weights)
                memcpy((TYPE *)out->weights + i * columns + begin, z, n * sizeof *z);
            if (!nan)
                NAME(absorb_panel)(&s, &t, begin, z);
        }
        if (nan)
            NAME(fill_nan)(i, columns, 0, out);
        else
            NAME(finish)(&s, &t, sign, i, columns, out);
    }
}
