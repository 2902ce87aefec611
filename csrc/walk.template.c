/* Results of an envelope whose vertices are known: each belongs to the vertex that is lowest there.
 *
 * Formulas, special values and error: envelope.template.c, which finds the vertices. v[0] is the first one, and the
 *   one behind the last has slope +inf.
 *
 * Three ways, of the same results up to ties within rounding; which one is taken depends on numbers of points alone:
 *   walk    one result at a time, where nearly every point is a vertex: its branches are foreseen.
 *   leap    at any places: a vertex writes a whole vector of results, and the next one begins where it is lower, so
 *           it overwrites what is its own. No branch depends on the data.
 *   stride  at 0, 1, 2, ...: the same, where a vertex ends follows from it and the next one alone, and no vertex
 *           waits for the one before. With t = (slope/w + x_1 - x_0)/2 the next one wins from x_0 + floor t + 1 on.
 *
 * Measured on Zen 4, ns a result: on a binary image, half of whose points are vertices, leap 10.9, stride 6.8, walk 11;
 *   on a convex function, whose points are all vertices, leap 13 to 18, stride 9.5, walk 7.
 */
#define DENSE(m) ((m) / 16 * 15) /* more vertices than this: walk */

static INLINE void NAME(fill)(size_t n, double value, int64_t index, double *out, int64_t *winners)
{
    for (size_t j = 0; j < n; ++j)
        out[j] = value;
    for (size_t j = 0; winners && j < n; ++j)
        winners[j] = index;
}

/* From how many lanes on a condition that stays true is true: LANES if nowhere. */
static INLINE size_t NAME(first_true)(IVEC condition)
{
#ifdef ISA_AVX512
    return (size_t)__builtin_ctz(_mm512_movepi64_mask((__m512i)condition) | 0x100);
#else
    INT count = 0;
    for (size_t l = 0; l < LANES; ++l)
        count += condition[l];
    return (size_t)((INT)LANES + count);
#endif
}

/* LANES results from j on, of vertex v. */
static INLINE void NAME(put)(const tp_vertex *v, VEC y, double w, int legendre, double *out, int64_t *winners)
{
    const VEC d = y - SPLAT(v->x);
    if (legendre)
        NAME(store)(out, VFMA(y, SPLAT(v->x), SPLAT(-v->f)) + SPLAT(0.0));
    else
        NAME(store)(out, SPLAT(w) * (d * d) + SPLAT(v->f));
    for (size_t l = 0; winners && l < LANES; ++l)
        winners[l] = v->index;
}

/* Phase 3 for results at y, or at 0, 1, 2, ... if NULL: one at a time. */
static INLINE void NAME(walk)(const tp_vertex *v, size_t begin, size_t end, const double *y, double w, int legendre,
                              double *out, int64_t *winners)
{
    for (size_t j = begin; j < end; ++j) {
        const double at = NAME(node)(y, j);
        while (v[1].slope < (legendre ? at : w * ((at - v[0].x) + (at - v[1].x))))
            ++v;
        const double d = at - v->x;
        out[j] = legendre ? FMA(at, v->x, -v->f) + 0.0 : w * (d * d) + v->f;
        if (winners)
            winners[j] = v->index;
    }
}

/* LANES at a time: those that vertex v does not win are overwritten by the next. */
static INLINE void NAME(leap)(const tp_vertex *v, size_t m, const double *y, double w, int legendre, double *out,
                              int64_t *winners)
{
    size_t j = 0;
    while (j + LANES <= m) {
        const VEC at = NAME(load)(y + j);
        NAME(put)(v, at, w, legendre, out + j, winners ? winners + j : NULL);
        const VEC parting = legendre ? at : (VEC)(SPLAT(w) * ((at - SPLAT(v->x)) + (at - SPLAT(v[1].x))));
        const size_t won = NAME(first_true)(SPLAT(v[1].slope) < parting);
        j += won;
        v += won < LANES;
    }
    NAME(walk)(v, j, m, y, w, legendre, out, winners);
}

/* At 0, 1, 2, ...: where a vertex gives way to the next follows from the two alone. */
static INLINE void NAME(stride)(const tp_vertex *v, size_t count, size_t n, double w, double *out, int64_t *winners)
{
    const VEC lanes = NAME(lane_numbers)();
    const double length = (double)n;
    size_t j = 0;
    for (const tp_vertex *end = v + count; v < end; ++v) {
        double reach = 0.5 * (v[1].slope / w + (v[1].x - v->x));
        reach = reach < length ? reach : length;
        reach = reach > -length ? reach : -length;
        const int64_t whole = (int64_t)reach, next = (int64_t)v->x + whole + (reach >= (double)whole);
        const size_t until = next < (int64_t)j ? j : next > (int64_t)n ? n : (size_t)next;
        size_t k = j;
        for (; k + LANES <= n && k < until; k += LANES)
            NAME(put)(v, lanes + SPLAT((double)k), w, 0, out + k, winners ? winners + k : NULL);
        for (; k < until; ++k) {
            const double d = (double)k - v->x;
            out[k] = w * (d * d) + v->f;
            if (winners)
                winners[k] = v->index;
        }
        j = until;
    }
}

static TARGET void NAME(legendre_line)(size_t n, const double *f, const double *x, size_t m, const double *p,
                                       void *scratch, double *out, int64_t *winners)
{
    tp_vertex *v = scratch;
    const NAME(candidates) c = NAME(scan)(n, f, x, 0, v);
    if (c.count == 0)
        NAME(fill)(m, -c.constant, c.index, out, winners);
    else if (c.count > DENSE(m))
        NAME(walk)(v + 1, 0, m, p, 0, 1, out, winners);
    else
        NAME(leap)(v + 1, m, p, 0, 1, out, winners);
}

/* Inlined twice, so that the compiler knows whether x is NULL. */
static INLINE void NAME(hopf_lax_nodes)(size_t n, const double *f, const double *x, double w, tp_vertex *v,
                                        double *out, int64_t *winners)
{
    const NAME(candidates) c = NAME(scan)(n, f, x, w, v);
    if (c.count == 0)
        NAME(fill)(n, c.constant, c.index, out, winners);
    else if (c.count > DENSE(n))
        NAME(walk)(v + 1, 0, n, x, w, 0, out, winners);
    else if (x)
        NAME(leap)(v + 1, n, x, w, 0, out, winners);
    else
        NAME(stride)(v + 1, c.count, n, w, out, winners);
}

static TARGET void NAME(hopf_lax_line)(size_t n, const double *f, const double *x, double w, void *scratch,
                                       double *out, int64_t *winners)
{
    if (x)
        NAME(hopf_lax_nodes)(n, f, x, w, scratch, out, winners);
    else
        NAME(hopf_lax_nodes)(n, f, NULL, w, scratch, out, winners);
}
#undef DENSE
