/* Tropical matrix product, C = C ⊕ A ⊗ B or C = A ⊗ B over max-plus; min-plus by negation on packing.
 *
 * Formula:  c_ij = max_k (a_ik + b_kj), one rounding per sum; index_ij the smallest k that attains it.
 * Special values: -inf is the zero. Entries must not be NaN or +inf: the caller checks, as the absorbing
 *   (-inf) + (+inf) = -inf is not what the hardware does. An empty or all-zero sum is -inf, index -1.
 * Error: none beyond the sums, so results are the same bits on every instruction set.
 * Source: the packing and loop order of K. Goto, R. van de Geijn, "Anatomy of high-performance matrix
 *   multiplication", ACM TOMS 34 (2008), with (max, +) in the place of (+, *).
 *
 * Phases: for each block of DEPTH columns of A: 1. its rows are packed in groups of ROWS, MATMUL_HEIGHT
 *   rows at a time;  2. for each four vectors of columns of B, those are packed;  3. the micro-kernel keeps
 *   ROWS x 4 accumulators in registers through the block.
 */
#define DEPTH TP_MATMUL_DEPTH
#define WIDTH (4 * LANES)

/* a is (ROWS, depth) packed by columns, b is (depth, WIDTH); c has rows of WIDTH. */
static INLINE void NAME(multiply_tile)(size_t depth, const TYPE *a, const TYPE *b, TYPE *c, INT *index, INT first)
{
    VEC t[ROWS][4];
    IVEC where[ROWS][4];
    for (int q = 0; q < ROWS; ++q)
        for (int r = 0; r < 4; ++r) {
            t[q][r] = NAME(load)(c + q * WIDTH + r * LANES);
            if (index)
                memcpy(&where[q][r], index + q * WIDTH + r * LANES, sizeof(IVEC));
        }
    for (size_t k = 0; k < depth; ++k) {
        VEC bk[4];
        for (int r = 0; r < 4; ++r)
            bk[r] = NAME(load)(b + k * WIDTH + r * LANES);
        for (int q = 0; q < ROWS; ++q) {
            const VEC ak = SPLAT(a[k * ROWS + q]);
            for (int r = 0; r < 4; ++r) {
                const VEC sum = ak + bk[r];
                if (index) {
                    const IVEC better = (IVEC)(sum > t[q][r]), here = (IVEC){0} + (first + (INT)k);
                    where[q][r] = (better & here) | (~better & where[q][r]);
                }
                t[q][r] = VMAX(sum, t[q][r]);
            }
        }
    }
    for (int q = 0; q < ROWS; ++q)
        for (int r = 0; r < 4; ++r) {
            NAME(store)(c + q * WIDTH + r * LANES, t[q][r]);
            if (index)
                memcpy(index + q * WIDTH + r * LANES, &where[q][r], sizeof(IVEC));
        }
}

/* One tile of C, by way of a copy, so that the edges of C need no code of their own. */
static INLINE void NAME(update_tile)(const tp_matmul *m, size_t i, size_t j, size_t depth, size_t first,
                                     const TYPE *a, const TYPE *b)
{
    const size_t rows = m->rows - i < ROWS ? m->rows - i : ROWS;
    const size_t columns = m->columns - j < WIDTH ? m->columns - j : WIDTH;
    const int whole = columns == WIDTH, fresh = !m->accumulate && first == 0;
    const TYPE sign = (TYPE)m->sign;
    TYPE *c = (TYPE *)m->c + i * m->c_stride + j, tile[ROWS * WIDTH];
    int64_t *index = m->index ? m->index + i * m->columns + j : NULL;
    INT where[ROWS * WIDTH];
    for (size_t q = 0; q < ROWS; ++q) {
        const TYPE *from = c + q * m->c_stride;
        TYPE *to = tile + q * WIDTH;
        if (!fresh && q < rows && whole)
            for (size_t l = 0; l < WIDTH; ++l)
                to[l] = sign * from[l];
        else
            for (size_t l = 0; l < WIDTH; ++l)
                to[l] = !fresh && q < rows && l < columns ? sign * from[l] : -INFINITY;
        for (size_t l = 0; index && l < WIDTH; ++l)
            where[q * WIDTH + l] = !fresh && q < rows && l < columns ? (INT)index[q * m->columns + l] : -1;
    }
    if (index)
        NAME(multiply_tile)(depth, a, b, tile, where, (INT)first);
    else
        NAME(multiply_tile)(depth, a, b, tile, NULL, 0);
    for (size_t q = 0; q < rows; ++q) {
        const TYPE *from = tile + q * WIDTH;
        TYPE *to = c + q * m->c_stride;
        if (whole)
            for (size_t l = 0; l < WIDTH; ++l)
                to[l] = sign * from[l] + LITERAL(0.0);
        else
            for (size_t l = 0; l < columns; ++l)
                to[l] = sign * from[l] + LITERAL(0.0);
        for (size_t l = 0; index && l < columns; ++l)
            index[q * m->columns + l] = where[q * WIDTH + l];
    }
}

/* A block of `height` rows and `depth` columns of A, in groups of ROWS rows, columns one after another. */
static INLINE void NAME(pack_a)(const tp_matmul *m, size_t top, size_t height, size_t first, size_t depth, TYPE *to)
{
    const TYPE sign = (TYPE)m->sign;
    const ptrdiff_t down = m->a_strides[0], along = m->a_strides[1];
    const TYPE *from = (const TYPE *)m->a + (ptrdiff_t)top * down + (ptrdiff_t)first * along;
    for (size_t i = 0; i < height; i += ROWS)
        for (size_t q = 0; q < ROWS; ++q)
            for (size_t k = 0; k < depth; ++k)
                to[i * depth + k * ROWS + q] =
                    i + q < height ? sign * from[(ptrdiff_t)(i + q) * down + (ptrdiff_t)k * along] : -INFINITY;
}

/* `depth` rows and up to WIDTH columns of B from column j on. */
static INLINE void NAME(pack_b)(const tp_matmul *m, size_t first, size_t depth, size_t j, TYPE *to)
{
    const TYPE sign = (TYPE)m->sign;
    const ptrdiff_t down = m->b_strides[0], along = m->b_strides[1];
    const TYPE *from = (const TYPE *)m->b + (ptrdiff_t)first * down + (ptrdiff_t)j * along;
    const size_t columns = m->columns - j < WIDTH ? m->columns - j : WIDTH;
    for (size_t k = 0; k < depth; ++k, from += down, to += WIDTH) {
        if (along == 1 && columns == WIDTH)
            for (size_t l = 0; l < WIDTH; ++l)
                to[l] = sign * from[l];
        else
            for (size_t l = 0; l < WIDTH; ++l)
                to[l] = l < columns ? sign * from[(ptrdiff_t)l * along] : -INFINITY;
    }
}

static TARGET void NAME(matmul)(const tp_matmul *m, void *scratch)
{
    TYPE *packed_b = scratch, *packed_a = packed_b + (m->inner < DEPTH ? m->inner : DEPTH) * WIDTH;
    for (size_t first = 0; first == 0 || first < m->inner; first += DEPTH) {
        const size_t depth = m->inner - first < DEPTH ? m->inner - first : DEPTH;
        for (size_t top = 0; top < m->rows; top += TP_MATMUL_HEIGHT) {
            const size_t height = m->rows - top < TP_MATMUL_HEIGHT ? m->rows - top : TP_MATMUL_HEIGHT;
            NAME(pack_a)(m, top, height, first, depth, packed_a);
            for (size_t j = 0; j < m->columns; j += WIDTH) {
                NAME(pack_b)(m, first, depth, j, packed_b);
                for (size_t i = 0; i < height; i += ROWS)
                    NAME(update_tile)(m, top + i, j, depth, first, packed_a + i * depth, packed_b);
            }
        }
    }
}

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
#undef DEPTH
#undef WIDTH
