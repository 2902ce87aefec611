/* Signed integers of a fixed number of 64-bit limbs, lowest first, in two's complement.
 *
 * Forms of a circuit (affine functions, one integer per variable and one for the constant) are added up in them. The
 * caller knows bounds before it starts and takes enough limbs, so nothing overflows: sums and products are exact, as
 * they are right modulo 2^(64 limbs). Weights are a magnitude and a sign.
 */
#ifndef TROPICAL_INTEGERS_H
#define TROPICAL_INTEGERS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 tp_wide;

enum { TP_SOME_LIMBS = 64 }; /* room on the stack for one integer; beyond it the caller refuses */

/* a += w x, or -= where `negative`; a and x have `limbs`, w has `weight_limbs`. */
static inline void tp_add_multiple(uint64_t *restrict a, const uint64_t *restrict x, size_t limbs,
                                   const uint64_t *restrict w, size_t weight_limbs, int negative)
{
    for (size_t j = 0; j < weight_limbs && j < limbs; j++) {
        uint64_t carry = 0;
        for (size_t i = 0; i + j < limbs; i++) {
            tp_wide product = (tp_wide)x[i] * w[j] + carry;
            uint64_t low = (uint64_t)product, old = a[i + j];
            carry = (uint64_t)(product >> 64);
            if (negative) {
                a[i + j] = old - low;
                carry += old < low;
            } else {
                a[i + j] = old + low;
                carry += a[i + j] < low;
            }
        }
    }
}

/* to = from, with as many limbs or more. */
static inline void tp_extend(uint64_t *to, size_t limbs, const uint64_t *from, size_t from_limbs)
{
    size_t i = 0;
    uint64_t sign = (uint64_t)((int64_t)from[from_limbs - 1] >> 63);
    for (; i < from_limbs; i++)
        to[i] = from[i];
    for (; i < limbs; i++)
        to[i] = sign;
}

static inline void tp_add_multiples_of(uint64_t *forms, size_t width, size_t limbs, const uint64_t *x, size_t x_limbs,
                                       size_t count, const int32_t *rows, const uint64_t *weights,
                                       size_t weight_limbs, const int8_t *negative)
{
    for (size_t c = 0; c < width; c++) {
        uint64_t extended[TP_SOME_LIMBS];
        tp_extend(extended, limbs, x + c * x_limbs, x_limbs);
        for (size_t e = 0; e < count; e++)
            tp_add_multiple(forms + (rows[e] * width + c) * limbs, extended, limbs, weights + e * weight_limbs,
                            weight_limbs, negative[e]);
    }
}

/* forms[rows[e]] += weights[e] x for each of `count` entries e; a form is `width` integers. */
static inline void tp_add_column(uint64_t *forms, size_t width, size_t limbs, const uint64_t *x, size_t x_limbs,
                                 size_t count, const int32_t *rows, const uint64_t *weights, size_t weight_limbs,
                                 const int8_t *negative)
{
#define WITH(LIMBS, WEIGHT_LIMBS)                                                                                     \
    tp_add_multiples_of(forms, width, LIMBS, x, x_limbs, count, rows, weights, WEIGHT_LIMBS, negative)
    if (weight_limbs == 1 && limbs == 1)
        WITH(1, 1);
    else if (weight_limbs == 1 && limbs == 2)
        WITH(2, 1);
    else if (weight_limbs == 1 && limbs == 3)
        WITH(3, 1);
    else if (weight_limbs == 2 && limbs == 3)
        WITH(3, 2);
    else if (weight_limbs == 2 && limbs == 4)
        WITH(4, 2);
    else
        WITH(limbs, weight_limbs);
#undef WITH
}

/* d = a - b of `count` integers; returns whether all are 0. */
static inline int tp_subtract(uint64_t *d, const uint64_t *a, const uint64_t *b, size_t count, size_t limbs)
{
    uint64_t any = 0;
    for (size_t c = 0; c < count; c++, d += limbs, a += limbs, b += limbs) {
        uint64_t borrow = 0;
        for (size_t i = 0; i < limbs; i++) {
            uint64_t difference = a[i] - b[i];
            uint64_t next = (a[i] < b[i]) | (difference < borrow);
            d[i] = difference - borrow;
            borrow = next;
            any |= d[i];
        }
    }
    return any == 0;
}

/* x = m 2^(64 e) with |m| <= 2^128, up to a relative error of 2^-51: m is returned, e stored. */
static inline double tp_leading(const uint64_t *x, size_t limbs, int *e)
{
    uint64_t magnitude[TP_SOME_LIMBS], carry = 1;
    int negative = (int64_t)x[limbs - 1] < 0;
    size_t top = limbs - 1;
    double m;
    if (negative) {
        for (size_t i = 0; i < limbs; i++) {
            magnitude[i] = ~x[i] + carry;
            carry = carry && magnitude[i] == 0;
        }
        x = magnitude;
    }
    while (top > 0 && x[top] == 0)
        top--;
    if (top == 0) {
        *e = 0;
        m = (double)x[0];
    } else {
        *e = (int)top - 1;
        m = (double)x[top] * 0x1p64 + (double)x[top - 1];
    }
    return negative ? -m : m;
}

/* f = the integers of a form times one positive number, each to a relative error of 2^-51, the largest in size at
 * least 1 unless all are 0, none above 2^128; those below 2^-704 may become 0. */
static inline void tp_to_doubles(double *f, const uint64_t *form, size_t width, size_t limbs)
{
    static const double scale[] = {1, 0x1p-64, 0x1p-128, 0x1p-192, 0x1p-256, 0x1p-320, 0x1p-384, 0x1p-448,
                                   0x1p-512, 0x1p-576, 0x1p-640, 0x1p-704, 0x1p-768};
    int highest = 0, e;
    for (size_t c = 0; c < width; c++)
        if (tp_leading(form + c * limbs, limbs, &e) != 0 && e > highest)
            highest = e;
    for (size_t c = 0; c < width; c++) {
        double m = tp_leading(form + c * limbs, limbs, &e);
        f[c] = highest - e < 13 ? m * scale[highest - e] : 0;
    }
}

static inline int tp_lowest_bit(uint64_t bits)
{
    return __builtin_ctzll(bits);
}

#endif
