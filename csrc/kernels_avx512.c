/* x86-64 with AVX-512 F, DQ and VL. */
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define ISA avx512
#define ISA_AVX512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")))
#define HAS_FMA
#define HAS_PERMUTE
#include "kernels.template.h"
#else
typedef int tp_avx512_is_not_built_here;
#endif
