/* Second derivatives of one polynomial at eps > 0, one point at a time, monomials in the lanes.
 *
 * Formula:  with weights w = softmax(z / eps) and mean m = sum_j w_j W_j,
 *             H_kl = sign / eps * sum_j w_j (W_jk - m_k) (W_jl - m_l),    the centred covariance.
 * Special values: the zero polynomial has H = 0; a NaN coordinate makes H NaN; the rest as rows.template.c.
 * Error:    weights carry the rounding of z; centring loses nothing, as an error of m enters squared.
 * Cost:     two passes over the monomials, N d^2 / 2 multiply-adds.
 *
 * Phases, per point: 1. value and mean, by `row`.  2. per panel, e = e^((z - value)/eps) and the centred
 *   slopes;  3. their products, of which the lower triangle is summed;  4. the upper one is copied.
 */
static INLINE TYPE NAME(weighted_product)(const TYPE *e, const TYPE *a, const TYPE *b)
{
    VEC sum = SPLAT(0);
    for (size_t j = 0; j < PANEL; j += LANES)
        sum += NAME(load)(e + j) * NAME(load)(a + j) * NAME(load)(b + j);
    return NAME(lane_sum)(sum);
}

static INLINE void NAME(hessian_at)(const tp_polynomial *p, const NAME(temperature) *t, size_t d, const TYPE *x,
                                    TYPE *mean, TYPE *centred, TYPE *hessian)
{
    const int kind = NAME(classify)(d, x);
    TYPE value, total = 0, z[PANEL], gap[PANEL];
    const tp_outputs out = {.values = &value, .gradient = mean};
    NAME(row)(p, t, 0, x, &out);
    value *= (TYPE)p->sign; /* the kernel's own sign: the top of the terms z */
    for (size_t k = 0; k < d * d; ++k)
        hessian[k] = value != value ? NAN : 0;
    if (value != value || value == -INFINITY)
        return;
    for (size_t begin = 0; begin < p->terms; begin += PANEL) {
        const TYPE *slopes = (const TYPE *)p->panels + begin * d;
        if (kind == NAME(FINITE))
            NAME(affine_panel)(p, d, x, begin, z);
        else
            NAME(affine_panel_extended)(p, x, begin / PANEL, z);
        NAME(exp_panel)(t, value, z, gap);
        for (size_t j = 0; j < PANEL; ++j)
            total += z[j];
        for (size_t k = 0; k < d; ++k) {
            for (size_t j = 0; j < PANEL; ++j)
                centred[k * PANEL + j] = slopes[k * PANEL + j] - mean[k];
            for (size_t l = 0; l <= k; ++l)
                hessian[k * d + l] += NAME(weighted_product)(z, centred + k * PANEL, centred + l * PANEL);
        }
    }
    const TYPE scale = (TYPE)p->sign / total;
    for (size_t k = 0; k < d; ++k)
        for (size_t l = 0; l <= k; ++l) {
            hessian[k * d + l] = hessian[k * d + l] * scale / t->eps;
            hessian[l * d + k] = hessian[k * d + l];
        }
}

static TARGET void NAME(hessian)(const tp_polynomial *p, size_t points, const void *points_x, void *scratch,
                                 void *hessians)
{
    const size_t d = p->variables;
    const NAME(temperature) t = NAME(temperature_of)(p->eps);
    TYPE *x = scratch, *mean = x + d, *centred = mean + d;
    for (size_t i = 0; i < points; ++i) {
        NAME(signed_point)(d, p->sign, (const TYPE *)points_x + i * d, x);
        TYPE *to = (TYPE *)hessians + i * d * d;
        switch (d) {
        case 1: NAME(hessian_at)(p, &t, 1, x, mean, centred, to); break;
        case 2: NAME(hessian_at)(p, &t, 2, x, mean, centred, to); break;
        default: NAME(hessian_at)(p, &t, d, x, mean, centred, to);
        }
    }
}
