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
 *             wait in registers and |f| <= 1/32, for which q has degree 5 (float: 2). Elsewhere n is an integer
 *             and q has degree 10 (float: 5). The integer part of n is added to the exponent field.
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
/* bits of 2^(k/16), less k in the place to which `shifted` brings it */
#if REAL == 64
static const UINT NAME(exp2_sixteenths)[] = {
    0x3ff0000000000000, 0x3fefb5586cf9890f, 0x3fef72b83c7d517b, 0x3fef387a6e756238,
    0x3fef06fe0a31b715, 0x3feedea64c123422, 0x3feebfdad5362a27, 0x3feeab07dd485429,
    0x3feea09e667f3bcd, 0x3feea11473eb0187, 0x3feeace5422aa0db, 0x3feec49182a3f090,
    0x3feee89f995ad3ad, 0x3fef199bdd85529c, 0x3fef5818dcfba487, 0x3fefa4afa2a490da,
};
#else
static const UINT NAME(exp2_sixteenths)[] = {
    0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532, 0x3f75fed7, 0x3f75583f,
    0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c, 0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d,
};
#endif
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

/* steps 1 and 2: s becomes f, q the polynomial, and `shifted` has n in its low bits */
static INLINE void NAME(exp_reduce_x4)(VEC s[4], VEC scale, VEC floor, VEC shifted[4], VEC q[4])
{
    const int degree = sizeof NAME(exp2_coefficients) / sizeof(TYPE) - 1;
    const VEC rounder = SPLAT(ROUNDER / (1 << STEP_BITS));
    for (int r = 0; r < 4; ++r)
        s[r] = VMAX(s[r], floor);
    for (int r = 0; r < 4; ++r)
        shifted[r] = MULADD(s[r], scale, rounder);
    for (int r = 0; r < 4; ++r) {
        s[r] = MULADD(s[r], scale, rounder - shifted[r]);
        q[r] = SPLAT(NAME(exp2_coefficients)[degree]);
    }
#pragma GCC unroll 10
    for (int c = degree - 1; c >= 0; --c) {
        const VEC a = SPLAT(NAME(exp2_coefficients)[c]);
        for (int r = 0; r < 4; ++r)
            q[r] = MULADD(q[r], s[r], a);
    }
}

#ifdef HAS_PERMUTE
/* step 3: 2^n */
static INLINE VEC NAME(exp2_step)(VEC shifted)
{
    const VEC power = VPICK16((const TYPE *)NAME(exp2_sixteenths), shifted);
    return (VEC)((IVEC)power + ((IVEC)shifted << (MANTISSA_BITS - STEP_BITS)));
}
#endif

static INLINE void NAME(exp_x4)(VEC s[4], VEC scale, VEC floor)
{
    VEC shifted[4], q[4];
    NAME(exp_reduce_x4)(s, scale, floor, shifted, q);
    for (int r = 0; r < 4; ++r) {
#ifdef HAS_PERMUTE
        const VEC power = NAME(exp2_step)(shifted[r]);
        s[r] = MULADD(power, s[r] * q[r], power);
#else
        s[r] = (VEC)((IVEC)MULADD(q[r], s[r], SPLAT(1)) + ((IVEC)shifted[r] << MANTISSA_BITS));
#endif
    }
}

/* sum += e^(s/eps), an operation less than exp_x4 and an addition, for half a unit roundoff; s is lost */
static INLINE void NAME(exp_sum_x4)(VEC s[4], VEC scale, VEC floor, VEC sum[4])
{
#ifdef HAS_PERMUTE
    VEC shifted[4], q[4];
    NAME(exp_reduce_x4)(s, scale, floor, shifted, q);
    for (int r = 0; r < 4; ++r)
        sum[r] = MULADD(NAME(exp2_step)(shifted[r]), MULADD(q[r], s[r], SPLAT(1)), sum[r]);
#else
    NAME(exp_x4)(s, scale, floor);
    for (int r = 0; r < 4; ++r)
        sum[r] += s[r];
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
