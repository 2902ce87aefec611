/* What one core of this processor can do: vector FMA, vector maxima, both in turn, and reading memory.
 *
 * Prints three rates in vector operations per second of CPU time, the bytes of a vector, and bytes read
 * per second. Each loop keeps enough independent chains in registers to hide the latency of its operation.
 * The best of several repetitions counts: a limit must not be too easy to reach.
 */

#define _GNU_SOURCE
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#if defined __AVX512F__
typedef __m512d vec;
#define SET _mm512_set1_pd
#define FMA _mm512_fmadd_pd
#define MAX _mm512_max_pd
#define ADD _mm512_add_pd
#define LOAD _mm512_loadu_pd
#define CHAINS 24 /* of 32 registers: half of them are multiply-adds of the mixed loop, of which 8 are in flight */
#elif defined __AVX2__ && defined __FMA__
typedef __m256d vec;
#define SET _mm256_set1_pd
#define FMA _mm256_fmadd_pd
#define MAX _mm256_max_pd
#define ADD _mm256_add_pd
#define LOAD _mm256_loadu_pd
#define CHAINS 12 /* of 16 registers */
#else
#error "no FMA instructions"
#endif

#define STEPS 2000000
#define REPETITIONS 7
#define ARRAY (96L << 20)

#define KEEP(v) __asm__ volatile("" : "+v"(v)) /* the compiler may neither merge nor drop operations */

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double sink;

/* Every loop over chains is unrolled, or the chains would live in memory. */
#define EACH_CHAIN _Pragma("GCC unroll 24") for (int k = 0; k < CHAINS; k++)

#define DEFINE_LOOP(name, OPERATION)                      \
    static void name(void) {                              \
        vec chain[CHAINS];                                \
        const vec one = SET(1.0);                         \
        EACH_CHAIN chain[k] = SET(k);                     \
        for (long step = 0; step < STEPS; step++) {       \
            EACH_CHAIN {                                  \
                chain[k] = OPERATION;                     \
                KEEP(chain[k]);                           \
            }                                             \
        }                                                 \
        EACH_CHAIN sink += chain[k][0];                   \
    }

DEFINE_LOOP(fma_loop, FMA(chain[k], one, one))
DEFINE_LOOP(max_loop, MAX(chain[k], one))
DEFINE_LOOP(mixed_loop, k % 2 ? FMA(chain[k], one, one) : MAX(chain[k], one))

static const double *array;

static void read_loop(void) {
    vec chain[CHAINS];
    const long lanes = sizeof(vec) / sizeof(double), block = CHAINS * lanes, n = ARRAY / (long)sizeof(double);
    EACH_CHAIN chain[k] = SET(0);
    for (long i = 0; i + block <= n; i += block) {
        EACH_CHAIN {
            chain[k] = ADD(chain[k], LOAD(array + i + k * lanes));
            KEEP(chain[k]);
        }
    }
    EACH_CHAIN sink += chain[k][0];
}

static double rate(void (*loop)(void), double work) {
    double best = 0;
    for (int r = 0; r < REPETITIONS; r++) {
        double start = seconds();
        loop();
        double now = work / (seconds() - start);
        best = now > best ? now : best;
    }
    return best;
}

int main(void) {
    double *a = aligned_alloc(2L << 20, ARRAY);
    if (!a) return 1;
#ifdef MADV_HUGEPAGE
    madvise(a, ARRAY, MADV_HUGEPAGE); /* as NumPy does for its arrays; a refusal only makes it slower */
#endif
    for (long i = 0; i < ARRAY / (long)sizeof(double); i++) a[i] = 1;
    array = a;
    const double operations = (double)STEPS * CHAINS;
    printf("%g %g %g ", rate(fma_loop, operations), rate(max_loop, operations), rate(mixed_loop, operations));
    printf("%zu %g\n", sizeof(vec), rate(read_loop, ARRAY));
    free(a);
    return sink == 0.1;
}
