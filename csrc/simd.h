/* The vector type of one instruction set and element type, and the few operations that GCC's vector
 * extension does not spell: fused multiply-add, maximum, splat. Included once for each REAL, after
 * real.h, so it has no include guard.
 *
 *   VMAX(a, b)     a > b ? a : b, so that b wins where either is NaN; VMIN(a, b) a < b ? a : b likewise
 *   VFMA(a, b, c)  a * b + c, rounded once
 *   VSAME(a, b)    the lanes in which a == b, as bits
 *   VPICK16(t, i)  t[k] for k the four low bits of each lane of i, t of 16 numbers; only where HAS_PERMUTE is
 *                  defined
 *   VPICK(a, b, i) the numbers at i of those of a with those of b behind them; only where HAS_PERMUTE is defined
 *   IN_REGISTER(v) keeps v in a register, as a number that the compiler cannot know, from where this stands
 *   ROWS           monomials in flight in a micro-kernel: ROWS * 4 accumulators stay in registers
 *
 * A micro-kernel puts its ROWS scalars into registers first, and each vector just before the ROWS multiply-adds that
 * it is for. Left to itself the compiler loads the four vectors first, which takes Zen 4 a quarter longer though
 * the instructions are the same.
 */
#undef VMAX
#undef VMIN
#undef VFMA
#undef SPLAT
#undef VSAME
#undef VPICK16
#undef VPICK
#undef LANES
#undef VEC
#undef IVEC
#undef VECTOR_BYTES
#undef ROWS
#undef IN_REGISTER

#define VEC NAME(vec)
#define IVEC NAME(ivec)
#define LANES (VECTOR_BYTES / sizeof(TYPE))

#ifdef HAS_FMA
#define IN_REGISTER(v) __asm__("" : "+v"(v))
#else
#define IN_REGISTER(v) (void)(v)
#endif

#if defined(ISA_AVX512)
#define VECTOR_BYTES 64
#define ROWS 4
#if REAL == 64
#define VMAX(a, b) ((VEC)_mm512_max_pd((__m512d)(a), (__m512d)(b)))
#define VMIN(a, b) ((VEC)_mm512_min_pd((__m512d)(a), (__m512d)(b)))
#define VFMA(a, b, c) ((VEC)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#define SPLAT(x) ((VEC)_mm512_set1_pd(x))
#define VSAME(a, b) ((uint32_t)_mm512_cmpeq_pd_mask((__m512d)(a), (__m512d)(b)))
#define VPICK16(t, i) ((VEC)_mm512_permutex2var_pd(_mm512_loadu_pd(t), (__m512i)(i), _mm512_loadu_pd((t) + 8)))
#define VPICK(a, b, i) ((VEC)_mm512_permutex2var_pd((__m512d)(a), (__m512i)(i), (__m512d)(b)))
#else
#define VMAX(a, b) ((VEC)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define VMIN(a, b) ((VEC)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define VFMA(a, b, c) ((VEC)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define SPLAT(x) ((VEC)_mm512_set1_ps(x))
#define VSAME(a, b) ((uint32_t)_mm512_cmpeq_ps_mask((__m512)(a), (__m512)(b)))
#define VPICK16(t, i) ((VEC)_mm512_permutexvar_ps((__m512i)(i), _mm512_loadu_ps(t)))
#define VPICK(a, b, i) ((VEC)_mm512_permutex2var_ps((__m512)(a), (__m512i)(i), (__m512)(b)))
#endif

#elif defined(ISA_AVX2)
#define VECTOR_BYTES 32
#define ROWS 2
#if REAL == 64
#define VMAX(a, b) ((VEC)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define VMIN(a, b) ((VEC)_mm256_min_pd((__m256d)(a), (__m256d)(b)))
#define VFMA(a, b, c) ((VEC)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#define SPLAT(x) ((VEC)_mm256_set1_pd(x))
#define VSAME(a, b) ((uint32_t)_mm256_movemask_pd((__m256d)((VEC)(a) == (b))))
#else
#define VMAX(a, b) ((VEC)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define VMIN(a, b) ((VEC)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define VFMA(a, b, c) ((VEC)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define SPLAT(x) ((VEC)_mm256_set1_ps(x))
#define VSAME(a, b) ((uint32_t)_mm256_movemask_ps((__m256)((VEC)(a) == (b))))
#endif

#else /* any processor: lane by lane; where there is a vector instruction the compiler finds it */
#define VECTOR_BYTES 16
#define ROWS 2
#define VMAX(a, b) NAME(max_lanes)(a, b)
#define VMIN(a, b) NAME(min_lanes)(a, b)
#define VFMA(a, b, c) NAME(fma_lanes)(a, b, c)
#define SPLAT(x) NAME(splat_lanes)(x)
#define VSAME(a, b) NAME(same_lanes)(a, b)
#endif

typedef TYPE VEC __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef INT IVEC __attribute__((vector_size(VECTOR_BYTES), may_alias));

#if !defined(ISA_AVX512) && !defined(ISA_AVX2)
static inline VEC NAME(max_lanes)(VEC a, VEC b)
{
    for (size_t l = 0; l < LANES; ++l)
        a[l] = a[l] > b[l] ? a[l] : b[l];
    return a;
}
static inline VEC NAME(min_lanes)(VEC a, VEC b)
{
    for (size_t l = 0; l < LANES; ++l)
        a[l] = a[l] < b[l] ? a[l] : b[l];
    return a;
}
static inline VEC NAME(fma_lanes)(VEC a, VEC b, VEC c)
{
    for (size_t l = 0; l < LANES; ++l)
        a[l] = FMA(a[l], b[l], c[l]);
    return a;
}
static inline uint32_t NAME(same_lanes)(VEC a, VEC b)
{
    uint32_t bits = 0;
    for (size_t l = 0; l < LANES; ++l)
        bits |= (uint32_t)(a[l] == b[l]) << l;
    return bits;
}
static inline VEC NAME(splat_lanes)(TYPE x)
{
    VEC a;
    for (size_t l = 0; l < LANES; ++l)
        a[l] = x;
    return a;
}
#endif

static INLINE VEC NAME(load)(const TYPE *from)
{
    VEC v;
    memcpy(&v, from, sizeof v);
    return v;
}
static INLINE void NAME(store)(TYPE *to, VEC v) { memcpy(to, &v, sizeof v); }

/* mask ? a : b, for the all-ones or all-zeros lanes that a comparison gives. */
static INLINE VEC NAME(select)(IVEC mask, VEC a, VEC b)
{
    return (VEC)((mask & (IVEC)a) | (~mask & (IVEC)b));
}
