/* x86-64 with AVX2 and FMA. */
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define ISA avx2
#define ISA_AVX2
#define TARGET __attribute__((target("avx2,fma")))
#define HAS_FMA
#include "kernels.template.h"
#else
typedef int tp_avx2_is_not_built_here;
#endif
