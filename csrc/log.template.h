/* log s for s > 0, four vectors abreast, branch-free.
 *
 * Domain:  normal numbers below 2^63 (float: 2^31); log 1 is exactly 0. Sums of exponentials reach down to 2^LOWEST.
 * Error:   below 2 ulp of the result plus u (tests/tropical/test_log.py).
 * Method:  1. s = 2^n m with m in [sqrt(1/2), sqrt 2): the exponent of s * sqrt 2, taken off as an integer.
 *          2. log m = 2 atanh f, f = (m - 1)/(m + 1), |f| <= 0.1716, by its Taylor series; the first term
 *             left out is below 1e-18 (float: 1e-9) of the sum.
 *          3. n log 2 in two parts is added, the smaller one first.
 */
#if REAL == 64
#define ATANH_TERMS 11
#define LOG2_HI 0x1.62e42feep-1       /* n * LOG2_HI is exact */
#define LOG2_LO 0x1.a39ef35793c76p-33
#define EXPONENT_BIAS 1023
#else
#define ATANH_TERMS 5
#define LOG2_HI 0x1.62e4p-1f
#define LOG2_LO 0x1.7f7d1cp-20f
#define EXPONENT_BIAS 127
#endif

static INLINE void NAME(log_x4)(VEC s[4])
{
    const VEC one = SPLAT(1), rounder = SPLAT(ROUNDER);
    VEC n[4], f[4], f2[4], p[4];
    for (int r = 0; r < 4; ++r) {
        const IVEC raised = (IVEC)(s[r] * SPLAT(LITERAL(1.41421356237309504880)));
        const IVEC exponent = (raised >> MANTISSA_BITS) - EXPONENT_BIAS; /* s is positive */
        n[r] = (VEC)((IVEC)rounder + exponent) - rounder;
        const VEC m = (VEC)((IVEC)s[r] - (exponent << MANTISSA_BITS));
        f[r] = (m - one) / (m + one);
    }
    for (int r = 0; r < 4; ++r) {
        f2[r] = f[r] * f[r];
        p[r] = SPLAT(LITERAL(1.0) / (2 * ATANH_TERMS - 1));
    }
#pragma GCC unroll 11
    for (int c = ATANH_TERMS - 2; c >= 1; --c)
        for (int r = 0; r < 4; ++r)
            p[r] = MULADD(p[r], f2[r], SPLAT(LITERAL(1.0) / (2 * c + 1)));
    for (int r = 0; r < 4; ++r) {
        const VEC twice = f[r] + f[r], tail = MULADD(p[r] * f2[r], twice, n[r] * SPLAT(LOG2_LO));
        s[r] = MULADD(n[r], SPLAT(LOG2_HI), twice + tail);
    }
}

/* log s elementwise, for accuracy tests. */
static TARGET void NAME(log_array)(size_t n, const void *s, void *out)
{
    const size_t group = 4 * LANES;
    TYPE buffer[4 * LANES];
    for (size_t i = 0; i < n; i += group) {
        const size_t count = n - i < group ? n - i : group;
        VEC v[4];
        for (size_t l = 0; l < group; ++l)
            buffer[l] = l < count ? ((const TYPE *)s)[i + l] : 1;
        for (int r = 0; r < 4; ++r)
            v[r] = NAME(load)(buffer + r * LANES);
        NAME(log_x4)(v);
        for (int r = 0; r < 4; ++r)
            NAME(store)(buffer + r * LANES, v[r]);
        memcpy((TYPE *)out + i, buffer, count * sizeof(TYPE));
    }
}
#undef ATANH_TERMS
#undef LOG2_HI
#undef LOG2_LO
#undef EXPONENT_BIAS
