/* exp_nonpositive(a) = e^a for a <= 0, branch-free, so that a loop over it vectorises.
 *
 * Domain:  a <= 0, finite; below CUTOFF the result is 0 (a subnormal e^a is flushed).
 * Error:   below 1 ulp with a fused multiply-add, below 2 ulp without (measured by tests/tropical/test_exp.py).
 * Method:  1. n = round(a / log 2), by adding and taking away 1.5 * 2^(MANTISSA_BITS).
 *          2. r = a - n log 2 with log 2 in two parts, n * LOG2_HI being exact (Cody & Waite 1980).
 *          3. e^r by its Taylor polynomial; |r| <= 0.3466, so degree 13 (float: 7) leaves less than
 *             4e-18 (5e-9) of relative error.
 *          4. n added to the exponent field.
 */
static inline TARGET TYPE NAME(exp_nonpositive)(TYPE a)
{
    union { TYPE value; INT bits; } t, e;
    t.value = MULADD(a, LITERAL(1.44269504088896340736), ROUNDER);
    const TYPE n = t.value - ROUNDER;
    const TYPE r = MULADD(n, -LOG2_LO, MULADD(n, -LOG2_HI, a));
    TYPE p;
#if MANTISSA_BITS == 52
    p = LITERAL(1.0) / LITERAL(6227020800.0);
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(479001600.0));
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(39916800.0));
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(3628800.0));
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(362880.0));
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(40320.0));
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(5040.0));
#else
    p = LITERAL(1.0) / LITERAL(5040.0);
#endif
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(720.0));
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(120.0));
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(24.0));
    p = MULADD(p, r, LITERAL(1.0) / LITERAL(6.0));
    p = MULADD(p, r, LITERAL(0.5));
    p = MULADD(p, r, LITERAL(1.0));
    e.value = MULADD(p, r, LITERAL(1.0));
    e.bits += (INT)((UINT)t.bits << MANTISSA_BITS);
    return a < CUTOFF ? LITERAL(0.0) : e.value;
}

static TARGET void NAME(exp_array)(size_t n, const void *a, void *out)
{
    const TYPE *from = a;
    TYPE *to = out;
    SIMD()
    for (size_t i = 0; i < n; ++i)
        to[i] = NAME(exp_nonpositive)(from[i]);
}
