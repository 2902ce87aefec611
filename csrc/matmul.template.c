/* Tropical matrix product, C = C ⊕ A ⊗ B or C = A ⊗ B over max-plus or min-plus.
 *
 * Formula:  c_ij = max_k (a_ik + b_kj), one rounding per sum; index_ij the smallest k that attains it.
 * Special values: the zero, -inf for max, absorbs the other infinity. NaN is passed over: matmul says whether there
 *   may be some, and the caller spreads it. An empty or all-zero sum is the zero, index -1.
 * Error: none beyond the sums, so results are the same bits on every instruction set.
 * Source: the packing and loop order of K. Goto, R. van de Geijn, "Anatomy of high-performance matrix
 *   multiplication", ACM TOMS 34 (2008), with (max, +) in the place of (+, *).
 *
 * Phases: one row is for sweep_rows or dot_columns, which read B once and pack nothing. Else, for each block of
 *   DEPTH columns of A: 1. its rows are packed, MATMUL_HEIGHT at a time, where they lie far apart;  2. for each
 *   four vectors of columns of B, those are packed, where there are many rows to use them or they are not
 *   contiguous;  3. tiles of a few rows keep their results in registers through the block.
 */
#define DEPTH TP_MATMUL_DEPTH
#define SWEEP 1024        /* columns of a row that stay in the first-level cache                         */
#define FEW (16 * TALL)   /* rows for which packing B does not pay (measured, 32 to 256)                 */
#define NEAR (2 * DEPTH)  /* rows of A this near to one another are read where they are                  */

/* ---- one row ---------------------------------------------------------------------------------------------- */

/* B has contiguous rows: four of them at a time pass over the row of C. Returns whether a sum was NaN. */
static INLINE int NAME(sweep_rows)(int op, const tp_matmul *m)
{
    const ptrdiff_t along = m->a_strides[1], down = m->b_strides[0];
    VEC seen = SPLAT(0); /* NaN for good once it meets NaN */
    TYPE seen_single = 0;
    for (size_t begin = 0; begin < m->columns; begin += SWEEP) {
        const size_t columns = m->columns - begin < SWEEP ? m->columns - begin : SWEEP;
        TYPE *c = (TYPE *)m->c + begin;
        for (size_t k = 0; k < m->inner; k += 4) {
            const size_t some = m->inner - k < 4 ? m->inner - k : 4;
            const TYPE *b[4];
            TYPE a[4];
            for (size_t q = 0; q < 4; ++q) { /* the last one again where there are fewer: maxima do not mind */
                const size_t from = k + (q < some ? q : some - 1);
                a[q] = ((const TYPE *)m->a)[(ptrdiff_t)from * along];
                b[q] = (const TYPE *)m->b + (ptrdiff_t)from * down + begin;
            }
            size_t j = 0;
            for (; j + LANES <= columns; j += LANES) {
                VEC t = k ? NAME(load)(c + j) : SPLAT(op == NAME(MAXIMA) ? -INFINITY : INFINITY), sum[4];
                for (size_t q = 0; q < 4; ++q) {
                    sum[q] = SPLAT(a[q]) + NAME(load)(b[q] + j);
                    t = op == NAME(MAXIMA) ? VMAX(sum[q], t) : VMIN(sum[q], t);
                }
                seen += (sum[0] + sum[1]) + (sum[2] + sum[3]);
                NAME(store)(c + j, t + SPLAT(0));
            }
            for (; j < columns; ++j) {
                TYPE t = k ? c[j] : op == NAME(MAXIMA) ? -INFINITY : INFINITY;
                for (size_t q = 0; q < 4; ++q) {
                    const TYPE sum = a[q] + b[q][j];
                    t = (op == NAME(MAXIMA) ? sum > t : sum < t) ? sum : t;
                    seen_single += sum;
                }
                c[j] = t + 0;
            }
        }
    }
    for (size_t l = 0; l < LANES; ++l)
        seen_single += seen[l];
    return seen_single != seen_single;
}

/* The row of A and the columns of B are contiguous: k is in the lanes. */
static INLINE int NAME(dot_columns)(int op, const tp_matmul *m)
{
    const TYPE *a = m->a;
    const TYPE zero = op == NAME(MAXIMA) ? -INFINITY : INFINITY;
    TYPE seen_single = 0;
    VEC seen = SPLAT(0);
    for (size_t j = 0; j < m->columns; ++j) {
        const TYPE *b = (const TYPE *)m->b + (ptrdiff_t)j * m->b_strides[1];
        VEC t[4] = {SPLAT(zero), SPLAT(zero), SPLAT(zero), SPLAT(zero)};
        TYPE best = zero;
        size_t k = 0;
        for (; k + WIDTH <= m->inner; k += WIDTH)
            for (size_t r = 0; r < 4; ++r) {
                const VEC sum = NAME(load)(a + k + r * LANES) + NAME(load)(b + k + r * LANES);
                t[r] = op == NAME(MAXIMA) ? VMAX(sum, t[r]) : VMIN(sum, t[r]);
                seen += sum;
            }
        for (; k < m->inner; ++k) {
            const TYPE sum = a[k] + b[k];
            best = (op == NAME(MAXIMA) ? sum > best : sum < best) ? sum : best;
            seen_single += sum;
        }
        for (size_t r = 1; r < 4; ++r)
            t[0] = op == NAME(MAXIMA) ? VMAX(t[r], t[0]) : VMIN(t[r], t[0]);
        for (size_t l = 0; l < LANES; ++l)
            best = (op == NAME(MAXIMA) ? t[0][l] > best : t[0][l] < best) ? t[0][l] : best;
        ((TYPE *)m->c)[j] = best + 0;
    }
    for (size_t l = 0; l < LANES; ++l)
        seen_single += seen[l];
    return seen_single != seen_single;
}

/* ---- many rows -------------------------------------------------------------------------------------------- */

/* A block of (height, depth) numbers of A, rows after one another. */
static INLINE void NAME(pack_a)(const TYPE *from, ptrdiff_t down, ptrdiff_t along, size_t height, size_t depth,
                                TYPE *to)
{
    for (size_t i = 0; i < height; ++i, from += down, to += depth)
        if (along == 1)
            memcpy(to, from, depth * sizeof *to);
        else
            for (size_t k = 0; k < depth; ++k)
                to[k] = from[(ptrdiff_t)k * along];
}

/* `depth` rows of up to `width` columns of B, with `filling` where there are fewer. */
static INLINE void NAME(pack_b)(const TYPE *from, ptrdiff_t down, ptrdiff_t along, size_t depth, size_t columns,
                                size_t width, TYPE sign, TYPE filling, TYPE *to)
{
    for (size_t k = 0; k < depth; ++k, from += down, to += width)
        if (along == 1 && columns == width) {
            for (size_t l = 0; l < width; l += 64 / sizeof *from)
                __builtin_prefetch(from + (ptrdiff_t)l + 8 * down); /* rows far apart are not foreseen */
            for (size_t l = 0; l < width; ++l)
                to[l] = sign * from[l];
        } else
            for (size_t l = 0; l < width; ++l)
                to[l] = l < columns ? sign * from[(ptrdiff_t)l * along] : filling;
}

/* Columns of C as wide as a vector at least, in place. `o` is that of the first row and column. */
static INLINE void NAME(multiply_whole)(int op, size_t log_vectors, size_t height, NAME(operands) o, size_t l)
{
    o.b += l;
    o.c += l;
    NAME(multiply_strip)(op, log_vectors, TALL, height, o);
}

/* The same by way of a copy of each tile: with an index, and for the last columns of all. */
static INLINE void NAME(multiply_by_copy)(int op, size_t log_vectors, size_t columns, size_t height, NAME(operands) o,
                                          size_t l, int64_t *index, size_t index_stride)
{
    TYPE tile[TALL * WIDTH], *c = o.c + l;
    INT where[TALL * WIDTH];
    const size_t stride = o.c_stride, tall = index ? TALL_INDEXED : TALL;
    for (size_t i = 0, rows; i < height; i += rows) {
        rows = height - i < tall ? 1 : tall;
        NAME(operands) t = o;
        t.a += (ptrdiff_t)i * o.down;
        t.b += l;
        t.c = tile;
        t.c_stride = WIDTH;
        t.where = where;
        for (size_t q = 0; q < rows && (!o.fresh || index); ++q)
            for (size_t e = 0; e < LANES << log_vectors; ++e) {
                const int old = !o.fresh && e < columns;
                tile[q * WIDTH + e] = old ? c[(i + q) * stride + e] : 0;
                where[q * WIDTH + e] = old && index ? (INT)index[(i + q) * index_stride + l + e] : -1;
            }
        NAME(product_tiles)[index ? op + WITH_INDEX : op][rows > 1][log_vectors](&t);
        for (size_t q = 0; q < rows; ++q)
            for (size_t e = 0; e < columns; ++e) {
                c[(i + q) * stride + e] = tile[q * WIDTH + e];
                if (index)
                    index[(i + q) * index_stride + l + e] = where[q * WIDTH + e];
            }
    }
}

/* A block of A against up to WIDTH columns of B. */
static INLINE void NAME(multiply_panel)(int op, size_t height, size_t columns, const NAME(operands) *o,
                                        int64_t *index, size_t index_stride)
{
    size_t l = 0;
    for (size_t some; l < columns; l += some) {
        const size_t left = columns - l, log_vectors = left >= WIDTH ? 2 : left >= 2 * LANES ? 1 : 0;
        some = left < LANES ? left : LANES << log_vectors;
        if (left < LANES || index)
            NAME(multiply_by_copy)(op, log_vectors, some, height, *o, l, index, index_stride);
        else
            NAME(multiply_whole)(op, log_vectors, height, *o, l);
    }
}

static INLINE void NAME(multiply_blocks)(int op, const tp_matmul *m, void *scratch)
{
    const TYPE filling = op == NAME(MAXIMA) ? -INFINITY : INFINITY;
    TYPE *packed_b = NAME(aligned)(scratch), *packed_a = packed_b + (m->inner < DEPTH ? m->inner : DEPTH) * WIDTH;
    const ptrdiff_t *as = m->a_strides, *bs = m->b_strides;
    const int far = m->columns > WIDTH && !(as[1] == 1 && as[0] >= 0 && as[0] <= NEAR);
    for (size_t first = 0; first == 0 || first < m->inner; first += DEPTH) {
        const size_t depth = m->inner - first < DEPTH ? m->inner - first : DEPTH;
        for (size_t top = 0; top < m->rows; top += TP_MATMUL_HEIGHT) {
            const size_t height = m->rows - top < TP_MATMUL_HEIGHT ? m->rows - top : TP_MATMUL_HEIGHT;
            NAME(operands) o = {
                .depth = depth, .a = (const TYPE *)m->a + (ptrdiff_t)top * as[0] + (ptrdiff_t)first * as[1],
                .down = as[0], .along = as[1], .c_stride = m->c_stride, .fresh = !m->accumulate && first == 0,
                .first = (INT)first,
            };
            if (far) {
                NAME(pack_a)(o.a, as[0], as[1], height, depth, packed_a);
                o.a = packed_a, o.down = (ptrdiff_t)depth, o.along = 1;
            }
            for (size_t j = 0; j < m->columns; j += WIDTH) {
                const size_t columns = m->columns - j < WIDTH ? m->columns - j : WIDTH;
                o.b = (const TYPE *)m->b + (ptrdiff_t)first * bs[0] + (ptrdiff_t)j * bs[1];
                o.b_down = bs[0];
                o.c = (TYPE *)m->c + top * m->c_stride + j;
                if (bs[1] != 1 || height > FEW || columns % LANES) {
                    NAME(pack_b)(o.b, bs[0], bs[1], depth, columns, WIDTH, 1, filling, packed_b);
                    o.b = packed_b, o.b_down = WIDTH;
                }
                NAME(multiply_panel)(op, height, columns, &o, m->index ? m->index + top * m->columns + j : NULL,
                                     m->columns);
            }
        }
    }
}

/* Whether there may be NaN: the sum of all numbers is NaN then, and also where both infinities occur. */
static INLINE int NAME(may_have_nan)(size_t rows, size_t columns, const TYPE *a, ptrdiff_t down, ptrdiff_t along)
{
    VEC seen[4] = {SPLAT(0), SPLAT(0), SPLAT(0), SPLAT(0)};
    TYPE rest = 0;
    if (along != 1 && down == 1) {
        const size_t t = rows;
        rows = columns, columns = t;
        down = along, along = 1;
    }
    if (along == 1 && down == (ptrdiff_t)columns)
        columns *= rows, rows = 1;
    for (size_t i = 0; i < rows; ++i, a += down) {
        size_t k = 0;
        for (; along == 1 && k + WIDTH <= columns; k += WIDTH)
            for (size_t r = 0; r < 4; ++r)
                seen[r] += NAME(load)(a + k + r * LANES);
        for (; k < columns; ++k)
            rest += a[(ptrdiff_t)k * along];
    }
    seen[0] = (seen[0] + seen[1]) + (seen[2] + seen[3]);
    for (size_t l = 0; l < LANES; ++l)
        rest += seen[0][l];
    return rest != rest;
}

static TARGET int NAME(matmul)(const tp_matmul *given, void *scratch)
{
    tp_matmul m = *given;
    const int alone = !m.index && !m.accumulate && m.inner > 0;
    if (alone && m.columns == 1 && m.rows > 1 && m.c_stride == 1) { /* (A x)^T = x^T A^T */
        m = (tp_matmul){.rows = 1, .inner = m.inner, .columns = m.rows, .sign = m.sign, .a = m.b, .b = m.a,
                        .a_strides = {1, m.b_strides[0]}, .b_strides = {m.a_strides[1], m.a_strides[0]}, .c = m.c,
                        .c_stride = 1};
    }
    if (alone && m.rows == 1) {
        if (m.b_strides[0] == 1 && (m.a_strides[1] == 1 || m.inner == 1))
            return m.sign > 0 ? NAME(dot_columns)(NAME(MAXIMA), &m) : NAME(dot_columns)(NAME(MINIMA), &m);
        if (m.b_strides[1] == 1)
            return m.sign > 0 ? NAME(sweep_rows)(NAME(MAXIMA), &m) : NAME(sweep_rows)(NAME(MINIMA), &m);
    }
    m = *given;
    NAME(multiply_blocks)(m.sign > 0 ? NAME(MAXIMA) : NAME(MINIMA), &m, scratch);
    return !m.no_nan && (NAME(may_have_nan)(m.rows, m.inner, m.a, m.a_strides[0], m.a_strides[1]) ||
                         (!m.same_b && NAME(may_have_nan)(m.inner, m.columns, m.b, m.b_strides[0], m.b_strides[1])));
}
#undef DEPTH
#undef SWEEP
#undef FEW
#undef NEAR

/* Closure of a small square matrix in place: c_ij = max over paths from i to j of at least one step.
 * R. W. Floyd, "Algorithm 97: Shortest path", CACM 5 (1962); entries as for matmul.                  */
static TARGET void NAME(close)(size_t n, int sign, void *matrix, size_t stride)
{
    TYPE *c = matrix;
    const TYPE s = (TYPE)sign;
    for (size_t k = 0; k < n; ++k)
        for (size_t i = 0; i < n; ++i) {
            const TYPE a = s * c[i * stride + k];
            if (a == -INFINITY)
                continue;
            const TYPE *restrict from = c + k * stride;
            TYPE *to = c + i * stride;
            for (size_t j = 0; j < n; ++j) {
                const TYPE sum = a + s * from[j];
                to[j] = sum > s * to[j] ? s * sum : to[j];
            }
        }
}
