/* Run-time choice of the instruction set. */
#include "tropical_core.h"

#include <string.h>

extern const tp_kernels tp_kernels_baseline;

#if defined(__x86_64__) && defined(__GNUC__)
extern const tp_kernels tp_kernels_avx2;
extern const tp_kernels tp_kernels_avx512;

static int runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); /* uncovered: on another processor */
}
static int runs_avx512(void)
{
    return runs_avx2() && __builtin_cpu_supports("avx512f") && /* uncovered: on another processor */
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"); /* uncovered: likewise */
}
#endif

const tp_kernels *tp_select_kernels(const char *ceiling)
{
    static const char *const names[] = {"baseline", "avx2", "avx512"};
    int level = 2;
    if (ceiling != NULL) {
        while (level >= 0 && strcmp(ceiling, names[level]) != 0)
            --level;
        if (level < 0)
            return NULL;
    }
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    if (level >= 2 && runs_avx512()) /* uncovered: on another processor */
        return &tp_kernels_avx512;
    if (level >= 1 && runs_avx2()) /* uncovered: on another processor */
        return &tp_kernels_avx2;
#endif
    return &tp_kernels_baseline;
}
