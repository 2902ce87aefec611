/* What the templates call TYPE and its constants, for REAL = 64 (double) or 32 (float). Included once
 * for each, so it has no include guard.                                                             */
#undef TYPE
#undef INT
#undef UINT
#undef NAME
#undef LITERAL
#undef FMA
#undef LOG1P
#undef MANTISSA_BITS
#undef ROUNDER
#undef LOG2_HI
#undef LOG2_LO
#undef CUTOFF

#if REAL == 64
#define TYPE double
#define INT int64_t
#define UINT uint64_t
#define NAME(f) PASTE(f, f64, ISA)
#define LITERAL(x) x
#define FMA __builtin_fma
#define LOG1P log1p
#define MANTISSA_BITS 52
#define ROUNDER 0x1.8p52                /* adding it rounds to an integer                */
#define LOG2_HI 0x1.62e42feep-1         /* log 2, leading 32 bits: n * LOG2_HI is exact  */
#define LOG2_LO 0x1.a39ef35793c76p-33   /* the rest of log 2                             */
#define CUTOFF (-708.0)                 /* e^CUTOFF is the smallest normal power in use  */
#else
#define TYPE float
#define INT int32_t
#define UINT uint32_t
#define NAME(f) PASTE(f, f32, ISA)
#define LITERAL(x) x##f
#define FMA __builtin_fmaf
#define LOG1P log1pf
#define MANTISSA_BITS 23
#define ROUNDER 0x1.8p23f
#define LOG2_HI 0x1.62e4p-1f
#define LOG2_LO 0x1.7f7d1cp-20f
#define CUTOFF (-87.0f)
#endif
