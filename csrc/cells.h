/* Cells by double description: the cone over a convex polyhedron by its generators.
 *
 * rays     numbers of rays (rays.h)
 * tight    per ray a bit for each constraint that is 0 on it
 * names    per constraint (gate, branch that loses); (−1, bound of the domain); (−2, 0) for t ≥ 0
 * lines    number of a set of lines, of `line_count`, which the caller keeps
 *
 * Constraints that are 0 on no ray are left out, as no facet lies on them, once there are no lines. A hyperplane that
 * cuts a cell has new rays where it cuts edges: two rays span one exactly if no third ray lies on all constraints that
 * they share. Where one of the two lies on no more than a vertex needs, those are independent, and it is enough that
 * all but one are shared.
 */
#ifndef TROPICAL_CELLS_H
#define TROPICAL_CELLS_H

#include "integers.h"
#include "rays.h"

enum { TP_INFINITY_PLANE = -2, TP_MAX_RAYS = 4096 };

typedef struct {
    size_t users, words, count, constraints;
    int32_t lines, line_count;
    int32_t *names, *rays;
    uint64_t tight[];
} tp_cell;

static inline tp_cell *tp_new_cell(size_t count, size_t constraints, int32_t lines, int32_t line_count)
{
    size_t words = (constraints + 63) / 64, bits = count * words * 8;
    tp_cell *cell = tp_resize(NULL, sizeof *cell + bits + (2 * constraints + count) * sizeof(int32_t));
    if (cell == NULL)
        return NULL;
    *cell = (tp_cell){.users = 1, .words = words, .count = count, .constraints = constraints, .lines = lines,
                      .line_count = line_count};
    memset(cell->tight, 0, bits);
    cell->names = (int32_t *)(cell->tight + count * words);
    cell->rays = cell->names + 2 * constraints;
    return cell;
}

static inline void tp_drop(tp_cell *cell)
{
    if (cell != NULL && --cell->users == 0)
        tp_free(cell);
}

/* Room for one cut.
 *
 * signs, values, bounds   of the form on the rays of the cell
 * kept                    places in the cell of rays that a part keeps
 * fresh, common           numbers of new rays, and the constraints of the cell that they are on
 */
typedef struct {
    int8_t *signs;
    double *values, *bounds;
    int32_t *up, *down, *on, *kept, *place, *fresh;
    uint64_t *common, *used;
    size_t rays_room, place_room, used_room, fresh_room, common_room;
} tp_scratch;

static inline void tp_scratch_free(tp_scratch *s)
{
    tp_free(s->signs);
    tp_free(s->values);
    tp_free(s->bounds);
    tp_free(s->up);
    tp_free(s->down);
    tp_free(s->on);
    tp_free(s->kept);
    tp_free(s->place);
    tp_free(s->fresh);
    tp_free(s->common);
    tp_free(s->used);
}

/* Room for what goes by the rays of a cell, and by its constraints. */
static inline int tp_scratch_for(tp_scratch *s, const tp_cell *cell)
{
    void *by_ray[] = {&s->up, &s->down, &s->on, &s->kept};
    size_t room;
    if (cell->count > s->rays_room) {
        for (size_t k = 0; k < 4; k++) {
            room = s->rays_room;
            if (tp_make_room(by_ray[k], &room, cell->count, sizeof(int32_t)) < 0)
                return TP_NO_MEMORY;
        }
        room = s->rays_room;
        if (tp_make_room(&s->values, &room, cell->count, sizeof(double)) < 0)
            return TP_NO_MEMORY;
        room = s->rays_room;
        if (tp_make_room(&s->bounds, &room, cell->count, sizeof(double)) < 0)
            return TP_NO_MEMORY;
        room = s->rays_room;
        if (tp_make_room(&s->signs, &room, cell->count, 1) < 0)
            return TP_NO_MEMORY;
        s->rays_room = room;
    }
    if (tp_make_room(&s->place, &s->place_room, cell->constraints + 1, sizeof(int32_t)) < 0)
        return TP_NO_MEMORY;
    return tp_make_room(&s->used, &s->used_room, cell->words + 1, 8);
}

/* Numbers for the constraints of a cell that are 0 on a kept or a new ray, in s->place, −1 for the others. */
static inline size_t tp_place_constraints(const tp_cell *cell, tp_scratch *s, size_t kept, size_t fresh)
{
    size_t number = 0, words = cell->words;
    memset(s->used, cell->line_count ? 0xFF : 0, words * 8);
    for (size_t r = 0; r < kept; r++)
        for (size_t k = 0; k < words; k++)
            s->used[k] |= cell->tight[(size_t)s->kept[r] * words + k];
    for (size_t r = 0; r < fresh; r++)
        for (size_t k = 0; k < words; k++)
            s->used[k] |= s->common[r * words + k];
    for (size_t k = 0; k < cell->constraints; k++)
        s->place[k] = s->used[k >> 6] >> (k & 63) & 1 ? (int32_t)number++ : -1;
    return number;
}

static inline void tp_move_bits(uint64_t *to, const uint64_t *from, size_t words, const int32_t *place)
{
    for (size_t k = 0; k < words; k++)
        for (uint64_t bits = from[k]; bits; bits &= bits - 1) {
            int32_t p = place[64 * k + (size_t)tp_lowest_bit(bits)];
            to[p >> 6] |= (uint64_t)1 << (p & 63);
        }
}

/* The cell of the rays s->kept of its parent and of `fresh` new ones, on which the new constraint is 0; of the kept
 * ones it is 0 on those of sign 0. */
static inline tp_cell *tp_child(const tp_cell *parent, tp_scratch *s, size_t kept, size_t fresh, int32_t gate,
                                int32_t branch)
{
    size_t number = tp_place_constraints(parent, s, kept, fresh);
    tp_cell *cell = tp_new_cell(kept + fresh, number + 1, parent->lines, parent->line_count);
    if (cell == NULL)
        return NULL;
    for (size_t k = 0; k < parent->constraints; k++)
        if (s->place[k] >= 0)
            memcpy(cell->names + 2 * s->place[k], parent->names + 2 * k, 2 * sizeof(int32_t));
    cell->names[2 * number] = gate;
    cell->names[2 * number + 1] = branch;
    for (size_t r = 0; r < cell->count; r++) {
        size_t k = r < kept ? (size_t)s->kept[r] : r - kept;
        uint64_t *to = cell->tight + r * cell->words;
        cell->rays[r] = r < kept ? parent->rays[k] : s->fresh[k];
        tp_move_bits(to, (r < kept ? parent->tight : s->common) + k * parent->words, parent->words, s->place);
        if (r >= kept || s->signs[k] == 0)
            to[number >> 6] |= (uint64_t)1 << (number & 63);
    }
    return cell;
}

/* The cell with one more constraint, which is 0 on some of its rays but cuts nothing. */
static inline tp_cell *tp_touched(const tp_cell *cell, tp_scratch *s, int32_t gate, int32_t branch)
{
    for (size_t r = 0; r < cell->count; r++)
        s->kept[r] = (int32_t)r;
    return tp_child(cell, s, cell->count, 0, gate, branch);
}

/* Whether a set has at least `needed` bits, which are few and at least one. */
static inline int tp_has_bits(const uint64_t *set, size_t words, size_t needed)
{
    if (words == 1) {
        uint64_t rest = set[0];
        for (size_t n = 1; n < needed; n++)
            rest &= rest - 1;
        return rest != 0;
    }
    for (size_t k = 0; k < words && needed; k++)
        for (uint64_t bits = set[k]; bits && needed; bits &= bits - 1)
            needed--;
    return needed == 0;
}

/* Whether rays i and j span an edge; `common` becomes the constraints that they share, of which it takes `needed`. */
static inline int tp_span_edge(const tp_cell *cell, size_t i, size_t j, size_t needed, uint64_t *common)
{
    size_t words = cell->words;
    const uint64_t *a = cell->tight + i * words, *b = cell->tight + j * words, *tight = cell->tight;
    for (size_t k = 0; k < words; k++)
        common[k] = a[k] & b[k];
    if (needed && !tp_has_bits(common, words, needed))
        return 0;
    if (!tp_has_bits(a, words, needed + 2) || !tp_has_bits(b, words, needed + 2))
        return 1;
    for (size_t r = 0; r < cell->count; r++, tight += words) {
        size_t k = 0;
        while (k < words && !(common[k] & ~tight[k]))
            k++;
        if (k == words && r != i && r != j)
            return 0;
    }
    return 1;
}

#endif
