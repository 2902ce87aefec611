/* Chosen rows of a sparse matrix times the numbers that come with each: adjoints on their way back through a layer
 * most of whose units are flat.
 *
 * Formula:  to[p, j] += Σ_r W[i_r, j] slopes[r] over the r < count with at[r] = p · rows + i_r; a slope has `width`
 *           numbers.
 * Domain:   any numbers; NaN and infinities go where the arithmetic takes them, and rows that are not chosen do not
 *           count, nor do entries that are not stored.
 * Error:    one rounding a product and one a sum, in the order of r and of the entries of its row: the same on every
 *           instruction set, and that of SciPy's product of W[i]ᵀ and the slopes.
 *
 * Phases, per chosen row: 1. the slope goes into two vectors, which overlap where `width` is not a multiple.  2. every
 *   entry adds its multiple of them to its row of `to`; both are loaded before one is stored, as they share numbers.
 */
static INLINE void NAME(add_multiples)(const TYPE *entries, const int32_t *places, size_t count, const TYPE *slope,
                                       TYPE *to, size_t width, size_t tail)
{
    const VEC first = NAME(load)(slope), last = NAME(load)(slope + tail);
    for (size_t k = 0; k < count; ++k) {
        TYPE *row = to + (size_t)places[k] * width;
        const VEC w = SPLAT(entries[k]), a = NAME(load)(row) + w * first, b = NAME(load)(row + tail) + w * last;
        NAME(store)(row, a);
        NAME(store)(row + tail, b);
    }
}

static TARGET void NAME(pull)(const tp_sparse *s, size_t count, const int64_t *at, size_t width, const void *slopes,
                              void *to)
{
    for (size_t r = 0; r < count; ++r) {
        const size_t point = (size_t)at[r] / s->rows, i = (size_t)at[r] % s->rows;
        const size_t begin = (size_t)s->offsets[i], length = (size_t)s->offsets[i + 1] - begin;
        const TYPE *entries = (const TYPE *)s->entries + begin, *slope = (const TYPE *)slopes + r * width;
        const int32_t *places = s->places + begin;
        TYPE *block = (TYPE *)to + point * s->columns * width;
        size_t c = 0;
        for (; width - c >= LANES; c += 2 * LANES < width - c ? 2 * LANES : width - c)
            NAME(add_multiples)(entries, places, length, slope + c, block + c, width,
                                2 * LANES < width - c ? LANES : width - c - LANES);
        for (size_t k = 0; c < width && k < length; ++k)
            for (size_t e = c; e < width; ++e)
                block[(size_t)places[k] * width + e] += entries[k] * slope[e];
    }
}
