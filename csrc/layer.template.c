/* Several polynomials at the same points: a layer of a circuit, where each has few monomials and there are many.
 *
 * Formula, special values, error: each result has the bits that rows.template.c, or tiles.template.c for many points,
 *   gives for its polynomial alone: z is the same chain of fused multiply-adds, and what becomes of it is done by
 *   the same functions.
 *
 * The monomials of all polynomials share panels, those of one lie in one panel. Phases, per group of tiles:
 *   1. pack:    coordinates to (d, TILE), times the sign, once for all polynomials.
 *   2. per panel, per tile
 *      a. z of all its monomials, as in tiles.template.c, kept in the first-level cache.
 *      b. each polynomial's maximum, and its sum at eps > 0.
 *      c. turn:  values from (polynomials, TILE) to (points, polynomials).
 *   3. points with a non-finite coordinate are done anew, one by one.
 */
#define TILE (4 * LANES)

/* the polynomials from `s` on that lie in the panel which starts at `begin`: past the last of them */
static INLINE size_t NAME(layer_end)(const tp_layer *l, size_t s, size_t begin)
{
    while (s < l->count && (size_t)l->first[s] < begin + PANEL)
        ++s;
    return s;
}

/* all polynomials at a few points, one point at a time; `point` is room for one */
static TARGET void NAME(layer_rows)(const tp_layer *l, const NAME(temperature) *t, size_t points, const TYPE *x,
                                    TYPE *point, TYPE *values)
{
    const size_t d = l->all.variables;
    const tp_outputs out = {.values = values};
    for (size_t begin = 0, s = 0, end; s < l->count; begin += PANEL, s = end) {
        end = NAME(layer_end)(l, s, begin);
        for (size_t i = 0; i < points; ++i) {
            TYPE z[PANEL], own[PANEL];
            NAME(signed_point)(d, l->all.sign, x + i * d, point);
            const int kind = NAME(classify)(d, point);
            if (kind == NAME(FINITE))
                NAME(affine_panel)(&l->all, d, point, begin, z);
            else
                NAME(affine_panel_extended)(&l->all, point, begin / PANEL, z);
            for (size_t q = s; q < end; ++q) {
                NAME(state) state = {.top = -INFINITY, .argmax = -1};
                if (kind == NAME(HAS_NAN)) {
                    NAME(fill_nan)(i * l->count + q, 0, 0, &out);
                    continue;
                }
                for (size_t j = 0; j < PANEL; ++j)
                    own[j] = j < (size_t)l->terms[q] ? z[(size_t)l->first[q] - begin + j] : -INFINITY;
                NAME(absorb_panel)(&state, t, 0, own);
                NAME(finish)(&state, t, l->all.sign, i * l->count + q, 0, &out);
            }
        }
    }
}

/* the value of one polynomial on a tile from its z, which is lost */
static INLINE void NAME(layer_value)(const NAME(temperature) *t, TYPE sign, size_t terms, TYPE *z, TYPE *value)
{
    NAME(tile) tile = {0};
    for (int r = 0; r < 4; ++r)
        tile.top[r] = SPLAT(-INFINITY);
    if (t->eps > 0) { /* more variables than TP_DEPTH: z is there already */
        NAME(soft_panel)(t, NULL, NULL, TP_DEPTH + 1, terms, NULL, z, 1, &tile, NULL);
        NAME(log_x4)(tile.sum);
    } else {
        NAME(survey)(terms, z, tile.top, NULL, 0);
    }
    for (int r = 0; r < 4; ++r) {
        VEC f = tile.top[r];
        if (t->eps > 0)
            f += SPLAT(t->eps) * tile.sum[r];
        NAME(store)(value + r * LANES, SPLAT(sign) * f + SPLAT(0));
    }
}

/* z of one panel on one tile is there: the values of polynomials s <= q < end go to rows of `to`, one a point */
static INLINE void NAME(layer_panel)(const tp_layer *l, const NAME(temperature) *t, size_t s, size_t end, size_t begin,
                                     size_t count, TYPE *z, TYPE *to)
{
    TYPE values[PANEL * TILE];
    for (size_t q = s; q < end; ++q)
        NAME(layer_value)(t, (TYPE)l->all.sign, (size_t)l->terms[q], z + ((size_t)l->first[q] - begin) * TILE,
                          values + (q - s) * TILE);
    for (size_t i = 0; i < count; ++i)
        for (size_t q = s; q < end; ++q)
            to[i * l->count + q] = values[(q - s) * TILE + i];
}

/* results of a tile's points that have a non-finite coordinate */
static INLINE void NAME(layer_repair)(const tp_layer *l, const NAME(temperature) *t, size_t count, const TYPE *from,
                                      const TYPE *x, TYPE *point, TYPE *to)
{
    const size_t d = l->all.variables;
    VEC check[4] = {{0}};
    TYPE checks[TILE];
    for (size_t k = 0; k < d; ++k)
        for (int r = 0; r < 4; ++r) {
            const VEC v = NAME(load)(x + k * TILE + r * LANES);
            check[r] += v - v; /* 0, or NaN */
        }
    if (NAME(lane_sum)(check[0] + check[1] + check[2] + check[3]) == 0)
        return;
    for (int r = 0; r < 4; ++r)
        NAME(store)(checks + r * LANES, check[r]);
    for (size_t i = 0; i < count; ++i)
        if (checks[i] != 0)
            NAME(layer_rows)(l, t, 1, from + i * d, point, to + i * l->count);
}

/* one group of tiles, `left` points or fewer */
static INLINE void NAME(layer_group)(const tp_layer *l, const NAME(temperature) *t, size_t left, const TYPE *from,
                                     TYPE *scratch, TYPE *to)
{
    const size_t d = l->all.variables, m = l->count, group = left < TP_GROUP * TILE ? (left + TILE - 1) / TILE : TP_GROUP;
    TYPE *x = scratch, *z = x + TP_GROUP * TILE * d, *point = z + (d > TP_DEPTH ? TP_GROUP : 1) * TILE * PANEL;
    size_t counts[TP_GROUP];
    for (size_t q = 0; q < group; ++q) {
        counts[q] = left - q * TILE < TILE ? left - q * TILE : TILE;
        NAME(pack_tile_any)(d, counts[q], (TYPE)l->all.sign, from + q * TILE * d, x + q * TILE * d);
    }
    for (size_t begin = 0, s = 0, end; s < m; begin += PANEL, s = end) {
        end = NAME(layer_end)(l, s, begin);
        const TYPE *slopes = (const TYPE *)l->all.panels + begin * d, *b = (const TYPE *)l->all.coefficients + begin;
        const size_t used = (size_t)(l->first[end - 1] + l->terms[end - 1]) - begin, n = (used + ROWS - 1) / ROWS * ROWS;
        if (d > TP_DEPTH)
            NAME(deep_panel)(slopes, b, d, n, group, x, z);
        for (size_t q = 0; q < group; ++q) {
            VEC top[4] = {{0}}; /* of all, which nobody asks for */
            TYPE *here = d > TP_DEPTH ? z + q * PANEL * TILE : z;
            if (d <= TP_DEPTH)
                NAME(forward_any)(slopes, b, d, n, x + q * TILE * d, here, top, NULL, 0);
            NAME(layer_panel)(l, t, s, end, begin, counts[q], here, to + q * TILE * m);
        }
    }
    for (size_t q = 0; q < group; ++q)
        NAME(layer_repair)(l, t, counts[q], from + q * TILE * d, x + q * TILE * d, point, to + q * TILE * m);
}

static TARGET void NAME(layer)(const tp_layer *l, int tiles, size_t points, const void *x, void *scratch, void *values)
{
    const NAME(temperature) t = NAME(temperature_of)(l->all.eps);
    const size_t d = l->all.variables;
    TYPE *room = (TYPE *)(((uintptr_t)scratch + 63) / 64 * 64); /* vectors do not straddle cache lines */
    if (!tiles || t.extreme) {
        NAME(layer_rows)(l, &t, points, x, room, values);
        return;
    }
    for (size_t i = 0; i < points; i += TP_GROUP * TILE)
        NAME(layer_group)(l, &t, points - i, (const TYPE *)x + i * d, room, (TYPE *)values + i * l->count);
}
#undef TILE
