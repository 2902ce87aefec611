/* The main loop of the search for regions (search.h), and what it keeps of each. */
#ifndef TROPICAL_REGIONS_H
#define TROPICAL_REGIONS_H

#include "search.h"

/* ---- gates of any number of branches ---------------------------------------------------------------------- */

static inline void tp_set_same(tp_search *s, int32_t gate, size_t branch, int32_t first)
{
    int32_t *same = s->same_as + s->first_branch[gate];
    s->aliases += (size_t)(first != (int32_t)branch);
    s->aliases -= (size_t)(same[branch] != (int32_t)branch);
    same[branch] = first;
}

static inline void tp_spare_difference(tp_search *s, const tp_step *gates, size_t j, size_t k, size_t i)
{
    tp_difference(s->steps, gates, j, k, i, s->width, s->spare_limbs, &s->spare);
    tp_form_measure(&s->spare, s->width);
}

static inline int tp_wait(tp_search *s, tp_cell *cell, size_t step, int32_t gate, int32_t winner)
{
    if (tp_make_room(&s->stack, &s->stack_room, s->waiting + 1, sizeof *s->stack) < 0) {
        tp_drop(cell);
        return TP_NO_MEMORY;
    }
    s->stack[s->waiting++] = (tp_waiting){cell, step, gate, winner};
    return 0;
}

/* The part of a cell where branch `winner` of a gate wins, in *part; TP_TOO_MANY_RAYS, 0 or a status. */
static inline int tp_part(tp_search *s, const tp_step *gates, size_t i, size_t winner, tp_cell *cell, tp_cell **part)
{
    int32_t gate = (int32_t)(gates->first_gate + i);
    const int32_t *same = s->same_as + s->first_branch[gate];
    int status = 0;
    cell->users++;
    *part = cell;
    for (size_t k = 0; k < gates->arity && *part != NULL && status == 0; k++)
        if (k != winner && same[k] == (int32_t)k) {
            uint64_t low = k < winner ? k : winner, high = k < winner ? winner : k;
            uint64_t name[2] = {(uint32_t)gate, low << 32 | high};
            tp_spare_difference(s, gates, winner, k, i);
            status = tp_clip(s, *part, &s->spare, gate, (int32_t)k, name, part);
        }
    if (status != 0) {
        tp_drop(*part);
        *part = NULL;
    }
    return status;
}

/* Put the parts of a cell on which one branch wins on the stack, the first on top; takes over the cell. */
static inline int tp_split(tp_search *s, size_t step, size_t i, tp_cell *cell)
{
    tp_step *gates = s->steps + step;
    int32_t gate = (int32_t)(gates->first_gate + i);
    size_t bottom = s->waiting;
    int status = 0;
    for (size_t k = 0; k < gates->arity; k++) {
        size_t first = 0;
        for (; first < k; first++) {
            if (s->same_as[s->first_branch[gate] + (int32_t)first] != (int32_t)first)
                continue;
            tp_spare_difference(s, gates, first, k, i);
            if (s->spare.is_zero)
                break;
        }
        tp_set_same(s, gate, k, (int32_t)first);
    }
    for (size_t k = gates->arity; k-- > 0 && status == 0;) {
        tp_cell *part;
        if (s->same_as[s->first_branch[gate] + (int32_t)k] != (int32_t)k ||
            ((size_t)gate < s->prefix_count && s->prefix[gate] != (int32_t)k))
            continue;
        status = tp_part(s, gates, i, k, cell, &part);
        if (status == 0 && part != NULL)
            status = tp_wait(s, part, step, gate, (int32_t)k);
    }
    tp_drop(cell);
    while (status != 0 && s->waiting > bottom)
        tp_drop(s->stack[--s->waiting].cell);
    return status;
}

/* ---- gates of two branches --------------------------------------------------------------------------------- */

/* Give *cell to the winner of a gate; where both branches win somewhere, the part of the second goes on the stack. */
static inline int tp_decide_gate(tp_search *s, size_t step, size_t i, tp_cell **cell)
{
    const tp_step *gates = s->steps + step;
    const tp_form *form = gates->differences + i;
    int32_t gate = (int32_t)(gates->first_gate + i), *winner = s->winners + gate;
    uint64_t name[2] = {(uint32_t)gate, 1};
    tp_cell *above = NULL, *below = NULL, *old = *cell;
    int status, what;
    if (form->is_zero) {
        tp_set_same(s, gate, 1, 0);
        *winner = 0;
        return 0;
    }
    tp_set_same(s, gate, 1, 1);
    what = status = tp_classify(s, old, form, gate);
    if (status < 0)
        return status;
    *winner = what == TP_NEGATIVE || what == TP_NEGATIVE_TOUCHING;
    if (what == TP_POSITIVE || what == TP_NEGATIVE)
        return 0;
    if (what == TP_CUTS || what == TP_CUTS_LINES) {
        status = what == TP_CUTS ? tp_cut(s, old, form, name, gate, 1, 0, &above, &below)
                                 : s->calls.cut_lines(s->calls.owner, old, form, gate, 1, 0, &above, &below);
        if (status != 0) {
            tp_drop(above);
            tp_drop(below);
            return status;
        }
        if ((size_t)gate < s->prefix_count) {
            *winner = s->prefix[gate];
            tp_drop(*winner ? above : below);
            *cell = *winner ? below : above;
        } else {
            *cell = above;
            status = tp_wait(s, below, step, gate, 1);
        }
    } else {
        *cell = tp_touched(old, &s->scratch, gate, !*winner);
        status = *cell == NULL ? TP_NO_MEMORY : 0;
    }
    tp_drop(old);
    return status;
}

/* ---- the loop ---------------------------------------------------------------------------------------------- */

static inline int tp_keep_winners(tp_search *s)
{
    size_t used = (s->found - 1) * s->gates * s->winner_size;
    if (tp_make_room(&s->all_winners, &s->all_winners_room, used + s->gates * s->winner_size, 1) < 0)
        return TP_NO_MEMORY;
    if (s->winner_size > 1)
        memcpy(s->all_winners + used, s->winners, s->gates * s->winner_size);
    for (size_t gate = 0; s->winner_size == 1 && gate < s->gates; gate++)
        s->all_winners[used + gate] = (unsigned char)s->winners[gate];
    return 0;
}

/* Keep the region; takes over the cell. */
static inline int tp_record(tp_search *s, tp_cell *cell)
{
    int32_t place = (int32_t)s->equal.count, number;
    if (tp_make_room(&s->cells, &s->cells_room, s->found + 1, sizeof *s->cells) < 0) {
        tp_drop(cell);
        return TP_NO_MEMORY;
    }
    s->cells[s->found++] = cell;
    if (tp_keep_winners(s) < 0 || tp_append(&s->equal_start, &place, 1) < 0)
        return TP_NO_MEMORY;
    for (size_t gate = 0; s->aliases && gate < s->gates; gate++)
        for (int32_t at = s->first_branch[gate]; at < s->first_branch[gate + 1]; at++) {
            int32_t alias[3] = {(int32_t)gate, at - s->first_branch[gate], s->same_as[at]};
            if (alias[1] != alias[2] && tp_append(&s->equal, alias, 3) < 0)
                return TP_NO_MEMORY;
        }
    for (size_t k = 0; k < s->output_count; k++) {
        number = tp_number(s->output_forms + k, s->steps[s->outputs[k]].forms);
        if (number < 0 || tp_append(&s->output_numbers, &number, 1) < 0)
            return TP_NO_MEMORY;
    }
    return s->found % TP_REPORT_EVERY == 0 ? tp_poll(s) : 0;
}

/* Bring the forms from `step` to the next gates up to date; returns the step of those, or how many steps there are. */
static inline size_t tp_advance(tp_search *s, size_t step, size_t changed)
{
    tp_step *gates;
    for (; step < s->step_count && !s->steps[step].arity; step++)
        tp_update(s->steps, s->steps + step, changed, s->width);
    if (changed)
        s->steps[changed].fresh = 0;
    if (step == s->step_count)
        return step;
    gates = s->steps + step;
    for (size_t i = 0; gates->arity == 2 && i < gates->size; i++) {
        tp_form *form = gates->differences + i;
        tp_difference(s->steps, gates, 0, 1, i, s->width, (uint64_t *)form->limbs, form);
        if (!form->is_zero)
            tp_form_measure(form, s->width);
    }
    gates->fresh = 1;
    return step;
}

/* Follow a cell from gate i of a step down to a region, or until it is left out, or cut by a gate of more than two
 * branches; takes over the cell. */
static inline int tp_descend(tp_search *s, size_t step, size_t i, tp_cell *cell)
{
    int status = 0;
    for (;;) {
        tp_step *gates = s->steps + step;
        if (step == s->step_count) {
            if (s->found < s->limit)
                return tp_record(s, cell);
            tp_drop(cell);
            s->reason = TP_TOO_MANY_REGIONS;
            status = tp_leave_out(s, s->gates);
            return status < 0 ? status : TP_TOO_MANY_REGIONS;
        }
        for (; i < gates->size; i++) {
            size_t gate = gates->first_gate + i;
            if (s->effort > TP_EFFORT && (status = tp_poll(s)) < 0)
                break;
            if (gate == s->stop) {
                tp_drop(cell);
                return tp_leave_out(s, gate);
            }
            if (gates->arity != 2)
                status = tp_split(s, step, i, cell);
            else
                status = tp_decide_gate(s, step, i, &cell);
            if (status == TP_TOO_MANY_RAYS) {
                s->reason = TP_TOO_MANY_RAYS;
                if (gates->arity == 2)
                    tp_drop(cell);
                status = tp_leave_out(s, gate);
                return status < 0 || s->partial ? status : TP_TOO_MANY_RAYS;
            }
            if (gates->arity != 2)
                return status;
            if (status < 0)
                break;
        }
        if (status < 0) {
            tp_drop(cell);
            return status;
        }
        tp_choose(s->steps, gates, s->winners, s->width);
        step = tp_advance(s, step + 1, step);
        i = 0;
    }
}

/* Find the regions in a cell, which it takes over: 0, or a negative status. What is still on the stack when it stops
 * early is left out. */
static inline int tp_search_in(tp_search *s, tp_cell *cell)
{
    size_t step = tp_advance(s, 1, 0);
    int status = tp_descend(s, step, 0, cell);
    while (status == 0 && s->waiting) {
        tp_waiting next = s->stack[--s->waiting];
        s->winners[next.gate] = next.winner;
        status = tp_descend(s, next.step, (size_t)next.gate - s->steps[next.step].first_gate + 1, next.cell);
    }
    while (s->waiting) {
        tp_waiting next = s->stack[--s->waiting];
        tp_drop(next.cell);
        s->winners[next.gate] = next.winner;
        if (status >= 0 && tp_leave_out(s, (size_t)next.gate + 1) < 0)
            status = TP_NO_MEMORY;
    }
    return status < 0 ? status : 0;
}

static inline void tp_search_free(tp_search *s)
{
    for (size_t k = 0; k < s->found; k++)
        tp_drop(s->cells[k]);
    for (size_t k = 0; s->steps != NULL && k < s->step_count; k++)
        tp_step_free(s->steps + k);
    for (size_t k = 0; s->output_forms != NULL && k < s->output_count; k++)
        tp_numbering_free(s->output_forms + k);
    tp_rays_free(&s->rays);
    tp_scratch_free(&s->scratch);
    tp_numbering_free(&s->known);
    void *all[] = {s->steps, s->outputs, s->winners, s->first_branch, s->same_as, s->prefix, s->line_state, s->stack,
                   s->known_sign, s->output_forms, s->spare_limbs, s->spare.at, s->gaps.at, s->all_winners,
                   s->output_numbers.at, s->equal.at, s->equal_start.at, s->cells};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        tp_free(all[k]);
}

#endif
