/* Consecutive numbers, from 0, for keys of a fixed number of 64-bit words, in the order in which they first come.
 *
 * Open addressing over a power of two of slots, of which at most half are taken; keys lie one after another.
 */
#ifndef TROPICAL_NUMBERING_H
#define TROPICAL_NUMBERING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "memory.h"

enum { TP_RAISED = -1, TP_NO_MEMORY = -2, TP_MISSING = -3 }; /* an exception of Python is set; …; no such key */

/* Make room for `needed` items of `size` bytes at *pointer, at least doubling; what is there stays. */
static inline int tp_make_room(void *pointer, size_t *room, size_t needed, size_t size)
{
    void *old, *grown;
    size_t wanted = needed > 2 * *room ? needed : 2 * *room;
    if (needed <= *room)
        return 0;
    memcpy(&old, pointer, sizeof old);
    if (wanted >= SIZE_MAX / size) /* uncovered: needs more items than there are addresses */
        return TP_NO_MEMORY;       /* uncovered: as above */
    grown = tp_resize(old, wanted * size);
    if (grown == NULL)
        return TP_NO_MEMORY;
    memcpy(pointer, &grown, sizeof grown);
    *room = wanted;
    return 0;
}

typedef struct {
    size_t words, count, room, slots;
    uint64_t *keys;
    int32_t *slot; /* a number plus 1, or 0 */
} tp_numbering;

static inline void tp_numbering_free(tp_numbering *n)
{
    tp_free(n->keys);
    tp_free(n->slot);
}

static inline int tp_same_key(const uint64_t *a, const uint64_t *b, size_t words)
{
    size_t k = 0;
    while (k < words && a[k] == b[k])
        k++;
    return k == words;
}

static inline size_t tp_slot_of(const tp_numbering *n, const uint64_t *key)
{
    uint64_t hash = 0;
    size_t at;
    for (size_t k = 0; k < n->words; k++) {
        hash = (hash ^ key[k]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    at = (size_t)(hash ^ hash >> 32) & (n->slots - 1);
    while (n->slot[at] && !tp_same_key(n->keys + (size_t)(n->slot[at] - 1) * n->words, key, n->words))
        at = (at + 1) & (n->slots - 1);
    return at;
}

static inline int tp_numbering_grow(tp_numbering *n)
{
    size_t slots = n->slots ? 2 * n->slots : 64;
    int32_t *slot = tp_zeros(slots, sizeof *slot);
    if (slot == NULL)
        return TP_NO_MEMORY;
    tp_free(n->slot);
    n->slot = slot;
    n->slots = slots;
    for (size_t k = 0; k < n->count; k++)
        n->slot[tp_slot_of(n, n->keys + k * n->words)] = (int32_t)k + 1;
    return 0;
}

/* The number of a key, TP_MISSING where it has none. */
static inline int32_t tp_find(const tp_numbering *n, const uint64_t *key)
{
    int32_t next = n->slots ? n->slot[tp_slot_of(n, key)] : 0;
    return next ? next - 1 : TP_MISSING;
}

/* The number of a key, which gets the next one where it has none. */
static inline int32_t tp_number(tp_numbering *n, const uint64_t *key)
{
    size_t at;
    if (2 * n->count >= n->slots && tp_numbering_grow(n) < 0)
        return TP_NO_MEMORY;
    at = tp_slot_of(n, key);
    if (!n->slot[at]) {
        if (n->count >= INT32_MAX - 1) /* uncovered: needs 2^31 keys */
            return TP_NO_MEMORY;       /* uncovered: as above */
        if (tp_make_room(&n->keys, &n->room, (n->count + 1) * n->words, 8) < 0)
            return TP_NO_MEMORY;
        memcpy(n->keys + n->count * n->words, key, n->words * 8);
        n->slot[at] = (int32_t)++n->count;
    }
    return n->slot[at] - 1;
}

#endif
