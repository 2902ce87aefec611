/* The generators of cells: whole vectors, known to doubles with a proved error, and exactly on demand.
 *
 * A ray that a cut makes on the edge of two rays a and b is f(a) b − f(b) a, where f(a) > 0 > f(b). Its integers are
 * computed only where somebody asks for them; until then it has
 *
 *     at      doubles v of largest size 1
 *     error   e: |κ r_c − v_c| ≤ e + 2^-51 |v_c| for every entry c of the exact ray r and one κ > 0
 *
 * Bound of e for a new ray. Let A, B be the exact rays up to factors, with errors e_a, e_b of all entries; p, q > 0 the
 * computed f(a), −f(b), off by less than P, Q. In V = f(A) B − f(B) A write the errors as a multiple α of (p, q) plus
 * γ (1, −y), for any y ≥ 0:
 *
 *     V = (1 + α) (p B + q A) + γ (B − y A),   |α| ≤ (y P + Q) / (y p + q),   |γ| ≤ (q P + p Q) / (y p + q).
 *
 * The factor 1 + α is dropped, and what remains is small where a and b are close after scaling, for which y is chosen:
 * errors grow with the angle at which the hyperplane cuts the edge, and not with how short the edge is.
 */
#ifndef TROPICAL_RAYS_H
#define TROPICAL_RAYS_H

#include <math.h>

#include "numbering.h"

/* a, b     rays of the edge that form `form` of the cuts cut; a < 0: given, not made by a cut
 * infinite its last entry is 0 */
typedef struct {
    double error;
    int32_t a, b, form, infinite;
} tp_ray;

/* edges    numbers rays by the two rays of the edge, and the gate and branches that cut it, 3 words
 * cuts     the forms that made rays, start[k] to start[k + 1] in `limbs` */
typedef struct {
    size_t width, count, rays_room, at_room;
    tp_ray *rays;
    double *at;
    tp_numbering edges;
    int32_t *of_edge;
    size_t of_edge_room;
    uint64_t *limbs;
    int64_t *start;
    size_t cuts, limbs_room, start_room;
} tp_rays;

static inline void tp_rays_free(tp_rays *rays)
{
    tp_numbering_free(&rays->edges);
    tp_free(rays->rays);
    tp_free(rays->at);
    tp_free(rays->of_edge);
    tp_free(rays->limbs);
    tp_free(rays->start);
}

/* A number for a new ray, whose fields and doubles the caller sets. */
static inline int32_t tp_new_ray(tp_rays *rays)
{
    if (rays->count >= INT32_MAX) /* uncovered: needs 2^31 rays */
        return TP_NO_MEMORY;      /* uncovered: as above */
    if (tp_make_room(&rays->rays, &rays->rays_room, rays->count + 1, sizeof *rays->rays) < 0 ||
        tp_make_room(&rays->at, &rays->at_room, (rays->count + 1) * rays->width, sizeof(double)) < 0)
        return TP_NO_MEMORY;
    return (int32_t)rays->count++;
}

/* The value of a form on a ray, and in *bound how far it can be off.
 *
 * With n integers a form, each to a relative error of 2^-51 as are the entries of the ray, the sum is off by less than
 * (n + 8) 2^-52 times the sum of the sizes of its terms, besides the error of the ray and what underflow can do, for
 * which 1e-80 is far enough. */
static inline double tp_value(const double *form, double size, const double *ray, double error, size_t width,
                              double *bound)
{
    double total = 0, sizes = 0;
    for (size_t c = 0; c < width; c++) {
        double term = form[c] * ray[c];
        total += term;
        sizes += fabs(term);
    }
    *bound = ((double)width + 8) * 0x1p-52 * sizes + 1.0001 * size * error + 1e-80;
    return total;
}

/* The doubles of f(a) b − f(b) a and their error, infinite where nothing can be said; p, q and their errors as above. */
static inline double tp_combine(const double *a, double error_a, const double *b, double error_b, double p,
                                double error_p, double q, double error_q, size_t width, double *v)
{
    const double unit = 0x1p-51;
    double aa = 0, ab = 0, apart = 0, largest = 0, y, alpha, gamma, error;
    error_a += unit;
    error_b += unit;
    for (size_t c = 0; c < width; c++) {
        aa += a[c] * a[c];
        ab += a[c] * b[c];
    }
    y = ab > 0 ? ab / aa : 0;
    for (size_t c = 0; c < width; c++) {
        v[c] = p * b[c] + q * a[c];
        largest = fabs(v[c]) > largest ? fabs(v[c]) : largest;
        apart = fabs(b[c] - y * a[c]) > apart ? fabs(b[c] - y * a[c]) : apart;
    }
    alpha = (y * error_p + error_q) / (y * p + q);
    gamma = (q * error_p + p * error_q) / (y * p + q);
    error = p * error_b + q * error_a + 2 * gamma * (apart + error_b + y * error_a + 4 * unit * (1 + y)) +
            4 * unit * (p + q);
    if (!(p > 2 * error_p && q > 2 * error_q && alpha < 0.49 && error < largest)) {
        for (size_t c = 0; c < width; c++)
            v[c] = 0;
        return INFINITY;
    }
    for (size_t c = 0; c < width; c++)
        v[c] /= largest;
    return 1.0001 * error / largest;
}

/* Note a form that cuts; its number. */
static inline int32_t tp_add_cut(tp_rays *rays, const uint64_t *limbs, size_t count)
{
    size_t words = rays->width * count, used = rays->cuts ? (size_t)rays->start[rays->cuts] : 0;
    if (rays->cuts >= INT32_MAX) /* uncovered: needs 2^31 cuts */
        return TP_NO_MEMORY;     /* uncovered: as above */
    if (tp_make_room(&rays->limbs, &rays->limbs_room, used + words, 8) < 0 ||
        tp_make_room(&rays->start, &rays->start_room, rays->cuts + 2, sizeof *rays->start) < 0)
        return TP_NO_MEMORY;
    memcpy(rays->limbs + used, limbs, words * 8);
    rays->start[rays->cuts] = (int64_t)used;
    rays->start[rays->cuts + 1] = (int64_t)(used + words);
    return (int32_t)rays->cuts++;
}

#endif
