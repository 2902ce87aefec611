/* The steps of a program and their current forms: affine functions, `width` integers each, one per variable and one
 * for the constant, in limbs (integers.h).
 *
 * A linear step is a weighted sum of the forms of other steps; a step of gates has the largest of each scalar of its
 * branches. From one cell to the next few gates change their winner, and what they change in the forms behind them is
 * added, which is exact for integers.
 */
#ifndef TROPICAL_FORMS_H
#define TROPICAL_FORMS_H

#include <math.h>

#include "integers.h"
#include "numbering.h"

/* A form as the search compares it with 0.
 *
 * limbs, count   its integers
 * at             the same in doubles up to a positive factor, to a relative error of 2^-51 each
 * size           the sum of the sizes of those
 */
typedef struct {
    const uint64_t *limbs;
    size_t count;
    double *at, size;
    int is_zero;
} tp_form;

static inline void tp_form_measure(tp_form *form, size_t width)
{
    tp_to_doubles(form->at, form->limbs, width, form->count);
    form->size = 0;
    for (size_t c = 0; c < width; c++)
        form->size += fabs(form->at[c]);
}

/* The weights on step `step`, column after column: entries start[j] to start[j + 1] are those of scalar j. */
typedef struct {
    size_t step, limbs;
    const int32_t *start, *rows;
    const uint64_t *weights;
    const int8_t *negative;
} tp_operand;

/* A step.
 *
 * forms                 size × width × limbs
 * operands, bias        of a linear step; of gates there are none, and `arity` is positive
 * branches              steps; first_gate numbers the gates
 * differences           of the two branches where arity is 2, in limbs_of_differences and doubles
 * taken                 branch per gate that `forms` have
 * changed, change       the `changes` scalars whose form was changed last, and by what
 * fresh                 the branches are new, so that all forms have changed
 */
typedef struct {
    size_t size, limbs, operand_count, arity, first_gate, changes;
    uint64_t *forms;
    tp_operand *operands;
    const uint64_t *bias;
    int32_t *branches, *taken, *changed;
    tp_form *differences;
    uint64_t *change, *spare;
    int fresh;
} tp_step;

static inline void tp_add_column_of(const tp_operand *operand, uint64_t *forms, size_t width, size_t limbs, size_t j,
                                    const uint64_t *x, size_t x_limbs)
{
    size_t first = (size_t)operand->start[j], count = (size_t)operand->start[j + 1] - first;
    if (count)
        tp_add_column(forms, width, limbs, x, x_limbs, count, operand->rows + first,
                      operand->weights + first * operand->limbs, operand->limbs, operand->negative + first);
}

static inline void tp_sum_up(tp_step *steps, tp_step *step, size_t width)
{
    memset(step->forms, 0, step->size * width * step->limbs * 8);
    for (size_t i = 0; i < step->size; i++)
        memcpy(step->forms + ((i + 1) * width - 1) * step->limbs, step->bias + i * step->limbs, step->limbs * 8);
    for (size_t k = 0; k < step->operand_count; k++) {
        const tp_operand *operand = step->operands + k;
        const tp_step *from = steps + operand->step;
        for (size_t j = 0; j < from->size; j++)
            tp_add_column_of(operand, step->forms, width, step->limbs, j, from->forms + j * width * from->limbs,
                             from->limbs);
    }
}

/* New forms of a linear step; where `changed` is a step of gates, or 0, by what its scalars changed, where that is
 * less work. */
static inline void tp_update(tp_step *steps, tp_step *step, size_t changed, size_t width)
{
    const tp_step *gates = steps + changed;
    int concerned = 0, simple = 1;
    if (!changed || gates->fresh) {
        tp_sum_up(steps, step, width);
        return;
    }
    for (size_t k = 0; k < step->operand_count; k++) {
        concerned |= step->operands[k].step >= changed;
        simple &= step->operands[k].step <= changed;
    }
    if (!concerned)
        return;
    if (!simple || gates->changes * 2 >= gates->size) {
        tp_sum_up(steps, step, width);
        return;
    }
    for (size_t k = 0; k < step->operand_count; k++)
        for (size_t n = 0; step->operands[k].step == changed && n < gates->changes; n++)
            tp_add_column_of(step->operands + k, step->forms, width, step->limbs, (size_t)gates->changed[n],
                             gates->change + n * width * gates->limbs, gates->limbs);
}

/* Form i of branch k, in the limbs of the gates. */
static inline const uint64_t *tp_branch(const tp_step *steps, const tp_step *gates, size_t k, size_t i, size_t width)
{
    const tp_step *step = steps + gates->branches[k];
    const uint64_t *form = step->forms + i * width * step->limbs;
    uint64_t *room = gates->spare + k * width * gates->limbs;
    if (step->limbs == gates->limbs)
        return form;
    for (size_t c = 0; c < width; c++)
        tp_extend(room + c * gates->limbs, gates->limbs, form + c * step->limbs, step->limbs);
    return room;
}

/* form = branch j − branch k of gate i; to is where its limbs go. */
static inline void tp_difference(const tp_step *steps, const tp_step *gates, size_t j, size_t k, size_t i, size_t width,
                                 uint64_t *to, tp_form *form)
{
    const uint64_t *a = tp_branch(steps, gates, j, i, width), *b = tp_branch(steps, gates, k, i, width);
    form->limbs = to;
    form->count = gates->limbs;
    form->is_zero = tp_subtract(to, a, b, width, gates->limbs);
}

/* Take the forms of the winners, and note what changed. */
static inline void tp_choose(const tp_step *steps, tp_step *gates, const int32_t *winners, size_t width)
{
    size_t block = width * gates->limbs;
    gates->changes = 0;
    for (size_t i = 0; i < gates->size; i++) {
        const uint64_t *form;
        uint64_t *mine = gates->forms + i * block;
        int32_t winner = winners[gates->first_gate + i];
        if (!gates->fresh && gates->taken[i] == winner)
            continue;
        gates->taken[i] = winner;
        form = tp_branch(steps, gates, (size_t)winner, i, width);
        if (!gates->fresh) {
            gates->changed[gates->changes] = (int32_t)i;
            tp_subtract(gates->change + gates->changes * block, form, mine, width, gates->limbs);
            gates->changes++;
        }
        memcpy(mine, form, block * 8);
    }
}

static inline void tp_step_free(tp_step *step)
{
    for (size_t i = 0; step->differences != NULL && i < step->size; i++) {
        tp_free((void *)step->differences[i].limbs);
        tp_free(step->differences[i].at);
    }
    tp_free(step->differences);
    tp_free(step->forms);
    tp_free(step->operands);
    tp_free(step->branches);
    tp_free(step->taken);
    tp_free(step->changed);
    tp_free(step->change);
    tp_free(step->spare);
}

#endif
