/* e^(s/eps) for s <= 0, four vectors abreast so that their long dependency chains overlap.
 *
 * Domain:  s <= 0, also -inf; `scale` = 1/(eps log 2). Below 2^LOWEST the result is 2^LOWEST, which
 *          added to the largest term, 1, is nothing; NaN (from -inf - -inf) counts as -inf.
 * Error:   |relative error| <= (2 + |s/eps|) u, u the unit roundoff, as a share of the largest term below
 *          1.4 u; twice that without a fused multiply-add. Measured by tests/tropical/test_exp.py.
 * Method:  1. t = s * scale, split into n = round(t), by adding and taking away 1.5 * 2^MANTISSA_BITS,
 *             and f = t - n, |f| <= 1/2.
 *          2. 2^f by a polynomial with value 1 at 0: 1 + f q(f), q interpolating (2^f - 1)/f at the
 *             Chebyshev nodes. Degree 11 leaves 2.0e-17 (double), degree 6 9.2e-9 (float).
 *          3. n added to the exponent field.
 */
#if REAL == 64
static const double NAME(exp2_coefficients)[] = {
    0x1.0000000000000p+0,  0x1.62e42fefa39efp-1,  0x1.ebfbdff82c598p-3,  0x1.c6b08d704a0c2p-5,
    0x1.3b2ab6fba1ddap-7,  0x1.5d87fe78a5276p-10, 0x1.430913096fd9fp-13, 0x1.ffcbfc670dcd4p-17,
    0x1.62bfd47773353p-20, 0x1.b524fae627834p-24, 0x1.e6063f7217bc6p-28, 0x1.e9d3fe3952179p-32,
};
#else
static const float NAME(exp2_coefficients)[] = {
    0x1.000000p+0f, 0x1.62e430p-1f,  0x1.ebfbe0p-3f,  0x1.c6af6cp-5f,
    0x1.3b2a54p-7f, 0x1.5f0890p-10f, 0x1.44138ap-13f,
};
#endif

static INLINE void NAME(exp_x4)(VEC s[4], VEC scale, VEC floor)
{
    const int degree = sizeof NAME(exp2_coefficients) / sizeof(TYPE) - 1;
    const VEC rounder = SPLAT(ROUNDER);
    VEC shifted[4], f[4], p[4];
    for (int r = 0; r < 4; ++r)
        s[r] = VMAX(s[r], floor);
    for (int r = 0; r < 4; ++r)
        shifted[r] = MULADD(s[r], scale, rounder);
    for (int r = 0; r < 4; ++r)
        f[r] = MULADD(s[r], scale, rounder - shifted[r]);
    for (int r = 0; r < 4; ++r)
        p[r] = SPLAT(NAME(exp2_coefficients)[degree]);
#pragma GCC unroll 11
    for (int c = degree - 1; c >= 0; --c) {
        const VEC a = SPLAT(NAME(exp2_coefficients)[c]);
        for (int r = 0; r < 4; ++r)
            p[r] = MULADD(p[r], f[r], a);
    }
    for (int r = 0; r < 4; ++r)
        s[r] = (VEC)((IVEC)p[r] + ((IVEC)shifted[r] << MANTISSA_BITS));
}

/* What exp_x4 needs of a temperature. Only for eps between TINY_EPS and HUGE_EPS are these finite. */
typedef struct {
    VEC scale, floor;
} NAME(thermal);

static INLINE NAME(thermal) NAME(thermal_of)(TYPE eps)
{
    const TYPE log2e = LITERAL(1.44269504088896340736);
    return (NAME(thermal)){SPLAT(log2e / eps), SPLAT(LOWEST * eps / log2e)};
}

/* e^a elementwise for a <= 0, for accuracy tests. */
static TARGET void NAME(exp_array)(size_t n, const void *a, void *out)
{
    const NAME(thermal) unit = NAME(thermal_of)(1);
    const size_t group = 4 * LANES;
    TYPE buffer[4 * LANES] = {0};
    for (size_t i = 0; i < n; i += group) {
        const size_t count = n - i < group ? n - i : group;
        VEC s[4];
        memcpy(buffer, (const TYPE *)a + i, count * sizeof(TYPE));
        for (int r = 0; r < 4; ++r)
            s[r] = NAME(load)(buffer + r * LANES);
        NAME(exp_x4)(s, unit.scale, unit.floor);
        for (int r = 0; r < 4; ++r)
            NAME(store)(buffer + r * LANES, s[r]);
        memcpy((TYPE *)out + i, buffer, count * sizeof(TYPE));
    }
}
