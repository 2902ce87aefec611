/* What the templates call TYPE and its constants, for REAL = 64 (double) or 32 (float). Included once
 * for each, so it has no include guard.                                                             */
#undef TYPE
#undef INT
#undef UINT
#undef NAME
#undef LITERAL
#undef FMA
#undef LOG1P
#undef LOG
#undef EXP
#undef MANTISSA_BITS
#undef ROUNDER
#undef LOWEST
#undef NEGLIGIBLE
#undef TINY_EPS
#undef SMALLEST
#undef HUGE_EPS

#if REAL == 64
#define TYPE double
#define INT int64_t
#define UINT uint64_t
#define NAME(f) PASTE(f, f64, ISA)
#define LITERAL(x) x
#define FMA __builtin_fma
#define LOG1P log1p
#define LOG log
#define EXP exp
#define MANTISSA_BITS 52
#define ROUNDER 0x1.8p52                /* adding it rounds to an integer                */
#define LOWEST (-1020)                  /* least power of two of exp_x4: clear of subnormals */
#define NEGLIGIBLE 0x1p-1018            /* an exponential below this counts as 0             */
#define SMALLEST 0x1p-1074
#define TINY_EPS 1e-290                 /* outside, 1/eps or eps times a gap is not finite   */
#define HUGE_EPS 1e290
#else
#define TYPE float
#define INT int32_t
#define UINT uint32_t
#define NAME(f) PASTE(f, f32, ISA)
#define LITERAL(x) x##f
#define FMA __builtin_fmaf
#define LOG1P log1pf
#define LOG logf
#define EXP expf
#define MANTISSA_BITS 23
#define ROUNDER 0x1.8p23f
#define LOWEST (-124)
#define NEGLIGIBLE 0x1p-122f
#define SMALLEST 0x1p-149f
#define TINY_EPS 1e-30f
#define HUGE_EPS 1e30f
#endif
