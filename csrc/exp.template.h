/* e^(s/eps) for s <= 0, four vectors abreast so that their long dependency chains overlap.
 *
 * Domain:  s <= 0, also -inf; `scale` = 1/(eps log 2). Below 2^LOWEST the result is 2^LOWEST, which
 *          added to the largest term, 1, is nothing; NaN (from -inf - -inf) counts as -inf.
 * Error:   |relative error| <= (2 + |s/eps|) u, u the unit roundoff, as a share of the largest term below
 *          1.4 u; twice that without a fused multiply-add. Measured by tests/tropical/test_exp.py.
 * Method:  1. t = s * scale, split into n, the multiple of 2^-STEP_BITS nearest to t, by adding and taking
 *             away 1.5 * 2^(MANTISSA_BITS - STEP_BITS), and f = t - n.
 *          2. 2^f = 1 + f q(f), exactly 1 at 0, q interpolating (2^f - 1)/f at the Chebyshev nodes.
 *          3. 2^n. Where a register permutes its lanes by the low bits of another, STEP_BITS is 4: 16 powers
 *             wait in registers and |f| <= 1/32, for which q has degree 5 (float: 2). Elsewhere n is an
 *             integer, added to the exponent field, and q has degree 10 (float: 5).
 *          The polynomials leave 1.4e-17 with the table and 2.0e-17 without (float: 2.3e-9 and 9.2e-9).
 */
#ifdef HAS_PERMUTE
#define STEP_BITS 4
#if REAL == 64
static const double NAME(exp2_coefficients)[] = {
    0x1.62e42fefa39f3p-1, 0x1.ebfbdff82c590p-3,  0x1.c6b08d6f2a289p-5,
    0x1.3b2ab6fb41213p-7, 0x1.5d897e525c216p-10, 0x1.430a1d08ec681p-13,
};
#else
static const float NAME(exp2_coefficients)[] = {0x1.62e430p-1f, 0x1.ebff92p-3f, 0x1.c6b29ap-5f};
#endif
static const TYPE NAME(exp2_sixteenths)[] = {
    LITERAL(0x1.0000000000000p+0), LITERAL(0x1.0b5586cf9890fp+0), LITERAL(0x1.172b83c7d517bp+0),
    LITERAL(0x1.2387a6e756238p+0), LITERAL(0x1.306fe0a31b715p+0), LITERAL(0x1.3dea64c123422p+0),
    LITERAL(0x1.4bfdad5362a27p+0), LITERAL(0x1.5ab07dd485429p+0), LITERAL(0x1.6a09e667f3bcdp+0),
    LITERAL(0x1.7a11473eb0187p+0), LITERAL(0x1.8ace5422aa0dbp+0), LITERAL(0x1.9c49182a3f090p+0),
    LITERAL(0x1.ae89f995ad3adp+0), LITERAL(0x1.c199bdd85529cp+0), LITERAL(0x1.d5818dcfba487p+0),
    LITERAL(0x1.ea4afa2a490dap+0),
};
#else
#define STEP_BITS 0
#if REAL == 64
static const double NAME(exp2_coefficients)[] = {
    0x1.62e42fefa39efp-1,  0x1.ebfbdff82c598p-3,  0x1.c6b08d704a0c2p-5,  0x1.3b2ab6fba1ddap-7,
    0x1.5d87fe78a5276p-10, 0x1.430913096fd9fp-13, 0x1.ffcbfc670dcd4p-17, 0x1.62bfd47773353p-20,
    0x1.b524fae627834p-24, 0x1.e6063f7217bc6p-28, 0x1.e9d3fe3952179p-32,
};
#else
static const float NAME(exp2_coefficients)[] = {
    0x1.62e430p-1f, 0x1.ebfbe0p-3f, 0x1.c6af6cp-5f, 0x1.3b2a54p-7f, 0x1.5f0890p-10f, 0x1.44138ap-13f,
};
#endif
#endif

static INLINE void NAME(exp_x4)(VEC s[4], VEC scale, VEC floor)
{
    const int degree = sizeof NAME(exp2_coefficients) / sizeof(TYPE) - 1;
    const VEC rounder = SPLAT(ROUNDER / (1 << STEP_BITS));
    VEC shifted[4], n[4], f[4], q[4];
    for (int r = 0; r < 4; ++r)
        s[r] = VMAX(s[r], floor);
    for (int r = 0; r < 4; ++r)
        shifted[r] = MULADD(s[r], scale, rounder);
    for (int r = 0; r < 4; ++r) {
        n[r] = shifted[r] - rounder;
        f[r] = MULADD(s[r], scale, -n[r]);
        q[r] = SPLAT(NAME(exp2_coefficients)[degree]);
    }
#pragma GCC unroll 10
    for (int c = degree - 1; c >= 0; --c) {
        const VEC a = SPLAT(NAME(exp2_coefficients)[c]);
        for (int r = 0; r < 4; ++r)
            q[r] = MULADD(q[r], f[r], a);
    }
#ifdef HAS_PERMUTE
    for (int r = 0; r < 4; ++r) {
        const VEC power = VPICK16(NAME(exp2_sixteenths), shifted[r]);
        s[r] = VSCALE(MULADD(power * f[r], q[r], power), n[r]);
    }
#else
    const VEC one = SPLAT(1);
    for (int r = 0; r < 4; ++r)
        s[r] = (VEC)((IVEC)MULADD(q[r], f[r], one) + ((IVEC)shifted[r] << MANTISSA_BITS));
#endif
}
#undef STEP_BITS

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
