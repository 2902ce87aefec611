/* The search for regions: gates are taken one after another, depth first, and each cuts the current cell.
 *
 * Phases of one step down the tree:
 *     1. classify: what the form of a gate, branch 0 minus branch 1, does to the cell, by its signs on the rays;
 *     2. cut: where it has both signs, one part goes on the stack, and the search goes on with the other;
 *     3. choose: after the last gate of a step its forms are those of the winners, and the steps behind follow;
 *     4. record: after the last step the cell is a region.
 *
 * Signs are taken in doubles where those prove them. The others, and cuts across lines, are the caller's, who has
 * integers of any length: see tp_calls. The sign of a gate on a ray is the same in all cells that share the ray, as
 * both branches are continuous functions, of which directions to infinity carry the slopes; so signs once decided by
 * integers are kept, and edges that cells share are cut once.
 */
#ifndef TROPICAL_SEARCH_H
#define TROPICAL_SEARCH_H

#include "cells.h"
#include "forms.h"

/* What a form does to a cell. */
enum { TP_CUTS, TP_POSITIVE, TP_NEGATIVE, TP_POSITIVE_TOUCHING, TP_NEGATIVE_TOUCHING, TP_CUTS_LINES };

/* Why a search stopped: it did not; there are more regions than it may find; a cell has too many rays. */
enum { TP_COMPLETE, TP_TOO_MANY_REGIONS, TP_TOO_MANY_RAYS };

/* What only integers of any length can do; each gets `owner`, and returns a negative status for an error.
 *
 * signs      the signs of a form on n rays; may set the doubles of those
 * crosses    whether a form is not 0 on a line of the set
 * cut_lines  the two parts of a cell by a form that is not 0 on one of its lines
 * poll       something is to be told: how many regions there are
 */
typedef struct {
    void *owner;
    int (*signs)(void *, const tp_form *, size_t, const int32_t *, int8_t *);
    int (*crosses)(void *, int32_t, const tp_form *);
    int (*cut_lines)(void *, const tp_cell *, const tp_form *, int32_t, int32_t, int32_t, tp_cell **, tp_cell **);
    int (*poll)(void *, size_t);
} tp_calls;

/* A part of a cell that waits: gates before `gate` are decided, and `winner` is that of `gate`. */
typedef struct {
    tp_cell *cell;
    size_t step;
    int32_t gate, winner;
} tp_waiting;

/* A list of numbers that grows. */
typedef struct {
    int32_t *at;
    size_t count, room;
} tp_list;

static inline int tp_append(tp_list *list, const int32_t *items, size_t count)
{
    if (tp_make_room(&list->at, &list->room, list->count + count, sizeof *list->at) < 0)
        return TP_NO_MEMORY;
    if (count)
        memcpy(list->at + list->count, items, count * sizeof *items);
    list->count += count;
    return 0;
}

/* The search and what it found.
 *
 * winners            per gate the branch that wins in the current cell
 * first_branch       numbers the branches of all gates; the last entry is their total
 * same_as            per branch the first one of its gate that equals it on the current cell; `aliases` of them differ
 *                    from the branch itself
 * line_state         per gate: 0 not known, 1 its form is 0 on the lines of cells, 2 it is not; lines are the same for
 *                    all cells, and so are the derivatives of a continuous function along them
 * prefix             winners of the first gates, `prefix_count` of them, to which the search keeps
 * stop               with this many gates decided a cell is not looked at further, but left out
 * known, known_sign  signs that took integers, by ray and gate
 * gaps               cells left out: how many gates are decided, and their winners
 * found              regions: cells, all_winners (gates each, of winner_size bytes, 1 or 4), output_numbers (outputs
 *                    each), and in `equal` the aliases (gate, branch, branch that it equals) from equal_start on
 */
typedef struct {
    size_t width, step_count, gates, output_count, prefix_count, stop, limit;
    tp_step *steps;
    size_t *outputs;
    int32_t *winners, *first_branch, *same_as, *prefix;
    int8_t *line_state;
    size_t aliases;
    int partial, reason;
    tp_rays rays;
    tp_scratch scratch;
    tp_calls calls;
    tp_waiting *stack;
    size_t waiting, stack_room;
    tp_numbering known;
    int8_t *known_sign;
    size_t known_room;
    tp_numbering *output_forms;
    uint64_t *spare_limbs;
    tp_form spare;
    tp_list gaps, output_numbers, equal, equal_start;
    unsigned char *all_winners;
    tp_cell **cells;
    size_t found, cells_room, winner_size, all_winners_room, effort;
} tp_search;

enum { TP_EFFORT = 1 << 20, TP_REPORT_EVERY = 256 };

static inline int tp_poll(tp_search *s)
{
    s->effort = 0;
    return s->calls.poll(s->calls.owner, s->found);
}

/* Leave out the current cell, with so many gates decided. */
static inline int tp_leave_out(tp_search *s, size_t gates)
{
    int32_t count = (int32_t)gates;
    int status = tp_append(&s->gaps, &count, 1);
    return status < 0 ? status : tp_append(&s->gaps, s->winners, gates);
}

/* ---- signs ----------------------------------------------------------------------------------------------- */

static inline void tp_measure_on(tp_search *s, const tp_form *form, int32_t ray, size_t r)
{
    double bound, value = tp_value(form->at, form->size, s->rays.at + (size_t)ray * s->width, s->rays.rays[ray].error,
                                   s->width, &bound);
    s->scratch.values[r] = value;
    s->scratch.bounds[r] = bound;
    s->scratch.signs[r] = (int8_t)((value > bound) - (value < -bound));
}

/* Decide the `count` signs that doubles left open, of the places in scratch.kept; `gate` of two branches, or −1. */
static inline int tp_decide(tp_search *s, const tp_cell *cell, const tp_form *form, int32_t gate, size_t count)
{
    tp_scratch *t = &s->scratch;
    size_t open = 0;
    int status;
    for (size_t n = 0; n < count; n++) {
        int32_t r = t->kept[n];
        uint64_t key = (uint64_t)cell->rays[r] << 32 | (uint32_t)gate;
        int32_t number = gate < 0 ? TP_MISSING : tp_find(&s->known, &key);
        if (number >= 0)
            t->signs[r] = s->known_sign[number];
        else {
            t->on[open] = cell->rays[r];
            t->up[open++] = r;
        }
    }
    if (!open)
        return 0;
    status = s->calls.signs(s->calls.owner, form, open, t->on, (int8_t *)t->down);
    if (status < 0)
        return status;
    for (size_t n = 0; n < open; n++) {
        uint64_t key = (uint64_t)t->on[n] << 32 | (uint32_t)gate;
        int8_t sign = t->signs[t->up[n]] = ((int8_t *)t->down)[n];
        if (gate >= 0) {
            int32_t number = tp_number(&s->known, &key);
            if (number < 0 || tp_make_room(&s->known_sign, &s->known_room, s->known.count, 1) < 0)
                return TP_NO_MEMORY;
            s->known_sign[number] = sign;
        }
    }
    for (size_t r = 0; r < cell->count; r++) { /* doubles have changed, also of rays that those follow from */
        int8_t sign = t->signs[r];
        tp_measure_on(s, form, cell->rays[r], r);
        t->signs[r] = sign;
    }
    return 0;
}

/* What a form does to a cell; its signs on the rays are in scratch. `gate` is that of a form of two branches, or −1. */
static inline int tp_classify(tp_search *s, const tp_cell *cell, const tp_form *form, int32_t gate)
{
    tp_scratch *t = &s->scratch;
    size_t open = 0;
    int status, above = 0, below = 0, on = 0;
    if ((status = tp_scratch_for(t, cell)) < 0)
        return status;
    if (cell->line_count && (gate < 0 || s->line_state[gate] != 1)) {
        status = s->calls.crosses(s->calls.owner, cell->lines, form);
        if (status < 0)
            return status;
        if (gate >= 0)
            s->line_state[gate] = status ? 2 : 1;
        if (status)
            return TP_CUTS_LINES;
    }
    for (size_t r = 0; r < cell->count; r++) {
        tp_measure_on(s, form, cell->rays[r], r);
        if (t->signs[r] == 0)
            t->kept[open++] = (int32_t)r;
    }
    s->effort += cell->count + 8;
    if (open && (status = tp_decide(s, cell, form, gate, open)) < 0)
        return status;
    for (size_t r = 0; r < cell->count; r++) {
        above |= t->signs[r] > 0;
        below |= t->signs[r] < 0;
        on |= t->signs[r] == 0;
    }
    if (above && below)
        return TP_CUTS;
    if (above)
        return on ? TP_POSITIVE_TOUCHING : TP_POSITIVE;
    return on ? TP_NEGATIVE_TOUCHING : TP_NEGATIVE;
}

/* ---- cuts ------------------------------------------------------------------------------------------------ */

/* The number of the ray at which a form cuts the edge of the rays at places i, where it is positive, and j. */
static inline int32_t tp_cut_edge(tp_search *s, const tp_cell *cell, const tp_form *form, size_t i, size_t j,
                                  const uint64_t *name, int32_t *cut)
{
    tp_rays *rays = &s->rays;
    const tp_scratch *t = &s->scratch;
    int32_t a = cell->rays[i], b = cell->rays[j], ray;
    uint64_t key[3] = {a < b ? (uint64_t)a << 32 | (uint32_t)b : (uint64_t)b << 32 | (uint32_t)a, name[0], name[1]};
    size_t before = rays->edges.count;
    int32_t number = tp_number(&rays->edges, key);
    if (number < 0 || (size_t)number < before)
        return number < 0 ? number : rays->of_edge[number];
    if (*cut < 0 && (*cut = tp_add_cut(rays, form->limbs, form->count)) < 0)
        return *cut;
    ray = tp_new_ray(rays);
    if (ray < 0 || tp_make_room(&rays->of_edge, &rays->of_edge_room, rays->edges.count, sizeof(int32_t)) < 0)
        return TP_NO_MEMORY;
    rays->of_edge[number] = ray;
    rays->rays[ray] = (tp_ray){.a = a, .b = b, .form = *cut,
                               .infinite = rays->rays[a].infinite && rays->rays[b].infinite};
    rays->rays[ray].error =
        tp_combine(rays->at + (size_t)a * s->width, rays->rays[a].error, rays->at + (size_t)b * s->width,
                   rays->rays[b].error, t->values[i], t->bounds[i], -t->values[j], t->bounds[j], s->width,
                   rays->at + (size_t)ray * s->width);
    return ray;
}

/* The rays that a form makes on the edges of a cell, in scratch.fresh; how many, or a status. */
static inline int tp_cut_edges(tp_search *s, const tp_cell *cell, const tp_form *form, const uint64_t *name,
                               size_t ups, size_t downs, size_t ons)
{
    tp_scratch *t = &s->scratch;
    size_t needed = s->width - (size_t)cell->line_count - 2, fresh = 0;
    int32_t cut = -1;
    int status;
    for (size_t u = 0; u < ups; u++) {
        s->effort += downs;
        if (s->effort > TP_EFFORT && (status = tp_poll(s)) < 0)
            return status;
        for (size_t v = 0; v < downs; v++) {
            size_t i = (size_t)t->up[u], j = (size_t)t->down[v];
            if (fresh + ons > TP_MAX_RAYS)
                return TP_MAX_RAYS + 1;
            if (tp_make_room(&t->common, &t->common_room, (fresh + 1) * cell->words, 8) < 0 ||
                tp_make_room(&t->fresh, &t->fresh_room, fresh + 1, sizeof(int32_t)) < 0)
                return TP_NO_MEMORY;
            if (!tp_span_edge(cell, i, j, needed, t->common + fresh * cell->words))
                continue;
            status = tp_cut_edge(s, cell, form, i, j, name, &cut);
            if (status < 0)
                return status;
            t->fresh[fresh++] = status;
        }
    }
    return (int)fresh;
}

/* The two parts of a cell that a form cuts, or one where `below` is NULL; the losing branches name the constraint on
 * either side. Returns TP_TOO_MANY_RAYS where there are no parts for that reason, else 0 or a status. */
static inline int tp_cut(tp_search *s, const tp_cell *cell, const tp_form *form, const uint64_t *name, int32_t gate,
                         int32_t loses_above, int32_t loses_below, tp_cell **above, tp_cell **below)
{
    tp_scratch *t = &s->scratch;
    size_t ups = 0, downs = 0, ons = 0;
    int fresh;
    for (size_t r = 0; r < cell->count; r++) {
        if (t->signs[r] > 0)
            t->up[ups++] = (int32_t)r;
        else if (t->signs[r] < 0)
            t->down[downs++] = (int32_t)r;
        else
            t->on[ons++] = (int32_t)r;
    }
    fresh = tp_cut_edges(s, cell, form, name, ups, downs, ons);
    if (fresh < 0 || fresh > TP_MAX_RAYS)
        return fresh < 0 ? fresh : TP_TOO_MANY_RAYS;
    memcpy(t->kept, t->up, ups * sizeof(int32_t));
    memcpy(t->kept + ups, t->on, ons * sizeof(int32_t));
    *above = tp_child(cell, t, ups + ons, (size_t)fresh, gate, loses_above);
    if (*above == NULL)
        return TP_NO_MEMORY;
    if (below == NULL)
        return 0;
    memcpy(t->kept, t->down, downs * sizeof(int32_t));
    memcpy(t->kept + downs, t->on, ons * sizeof(int32_t));
    *below = tp_child(cell, t, downs + ons, (size_t)fresh, gate, loses_below);
    return *below == NULL ? TP_NO_MEMORY : 0;
}

/* The part of a cell where form >= 0 in *part, NULL if it has no interior; takes over the cell. */
static inline int tp_clip(tp_search *s, tp_cell *cell, const tp_form *form, int32_t gate, int32_t branch,
                          const uint64_t *name, tp_cell **part)
{
    tp_cell *other = NULL;
    int status = tp_classify(s, cell, form, -1);
    *part = NULL;
    if (status == TP_POSITIVE) {
        *part = cell;
        return 0;
    }
    if (status == TP_CUTS)
        status = tp_cut(s, cell, form, name, gate, branch, branch, part, NULL);
    else if (status == TP_CUTS_LINES)
        status = s->calls.cut_lines(s->calls.owner, cell, form, gate, branch, branch, part, &other);
    else if (status == TP_POSITIVE_TOUCHING) {
        *part = tp_touched(cell, &s->scratch, gate, branch);
        status = *part == NULL ? TP_NO_MEMORY : 0;
    } else if (status > 0)
        status = 0;
    tp_drop(other);
    tp_drop(cell);
    return status;
}

#endif
