/* Memory of the search for regions, from the C library: Python's allocators for use without the interpreter are not in
 * its limited interface.
 *
 * In a build for tests (TP_FAULTS) the next allocation but so many fails where one asks for that, and blocks that are
 * not given back yet are counted.
 */
#ifndef TROPICAL_MEMORY_H
#define TROPICAL_MEMORY_H

#include <stdlib.h>

#ifdef TP_FAULTS
#include <stdatomic.h>

enum { TP_HAS_FAULTS = 1 };
static atomic_long tp_blocks, tp_until_fault; /* the fault is at 1 */

static inline int tp_fails(void) { return atomic_fetch_sub(&tp_until_fault, 1) == 1; }
static inline void tp_count(int change) { atomic_fetch_add(&tp_blocks, change); }
static inline void tp_fail_at(long k) { atomic_store(&tp_until_fault, k); }
static inline long tp_blocks_held(void) { return atomic_load(&tp_blocks); }
#else
enum { TP_HAS_FAULTS = 0 };
static inline int tp_fails(void) { return 0; }
static inline void tp_count(int change) { (void)change; }
static inline void tp_fail_at(long k) { (void)k; }
static inline long tp_blocks_held(void) { return 0; }
#endif

static inline void *tp_resize(void *old, size_t size)
{
    void *block = tp_fails() ? NULL : realloc(old, size);
    tp_count((old == NULL) & (block != NULL));
    return block;
}

/* `count` items of zeros. */
static inline void *tp_zeros(size_t count, size_t size)
{
    void *block = tp_fails() ? NULL : calloc(count, size);
    tp_count(block != NULL);
    return block;
}

static inline void tp_free(void *block)
{
    tp_count(-(block != NULL));
    free(block);
}

#endif
