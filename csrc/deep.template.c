/* z = W x + b of one panel for a group of tiles, where the variables are many: a matrix product in blocks.
 *
 * Formula: the chain of fused multiply-adds of rows.template.c, cut into blocks of at most TP_DEPTH variables; z
 *   waits in memory between them in the same precision, so it is the same bits.
 * Source: the blocking of K. Goto, R. van de Geijn, "Anatomy of high-performance matrix multiplication",
 *   ACM TOMS 34 (2008): a block of one tile's coordinates stays in the first-level cache while the slopes
 *   stream past it. They are read where they lie: packing them for each group took longer than it saved, but
 *   their stride has to be prefetched.
 * Rejected: BLAS on blocks of points, whose order of summation is its own, so that the bits of eps = 0 would
 *   depend on the machine. With 784 variables on Zen 4, values reach 90 to 92 % of the rate of multiply-adds,
 *   where packages that multiply by BLAS reach 83 to 91 %.
 */

/* z, (n, TILE), starts as b, or goes on where b is NULL, through `depth` variables */
static INLINE void NAME(multiply_block)(size_t depth, size_t n, const TYPE *slopes, const TYPE *b, const TYPE *x,
                                        TYPE *z)
{
    for (size_t j = 0; j < n; j += ROWS, slopes += ROWS, z += ROWS * TILE) {
        VEC a[ROWS][4];
        for (int q = 0; q < ROWS; ++q)
            for (int r = 0; r < 4; ++r)
                a[q][r] = b ? SPLAT(b[j + q]) : NAME(load)(z + q * TILE + r * LANES);
        for (size_t k = 0; k < depth; ++k) {
            VEC w[ROWS];
            for (int q = 0; q < ROWS; ++q) {
                w[q] = SPLAT(slopes[k * PANEL + q]);
                IN_REGISTER(w[q]);
            }
            __builtin_prefetch(slopes + k * PANEL + ROWS); /* of the next monomials */
            for (int r = 0; r < 4; ++r) {
                VEC xk = NAME(load)(x + k * TILE + r * LANES);
                IN_REGISTER(xk);
                for (int q = 0; q < ROWS; ++q)
                    a[q][r] = VFMA(w[q], xk, a[q][r]);
            }
        }
        for (int q = 0; q < ROWS; ++q)
            for (int r = 0; r < 4; ++r)
                NAME(store)(z + q * TILE + r * LANES, a[q][r]);
    }
}

/* z of the first n monomials of a panel for each tile of a group; x is (group, d, TILE), z (group, PANEL, TILE) */
static INLINE void NAME(deep_panel)(const TYPE *slopes, const TYPE *b, size_t d, size_t n, size_t group,
                                    const TYPE *x, TYPE *z)
{
    const size_t blocks = (d + TP_DEPTH - 1) / TP_DEPTH, deepest = (d + blocks - 1) / blocks;
    for (size_t start = 0; start < d; start += deepest) {
        const size_t depth = d - start < deepest ? d - start : deepest;
        for (size_t q = 0; q < group; ++q) {
            const TYPE *xq = x + (q * d + start) * TILE;
            if (start == 0)
                NAME(multiply_block)(depth, n, slopes, b, xq, z + q * PANEL * TILE);
            else
                NAME(multiply_block)(depth, n, slopes + start * PANEL, NULL, xq, z + q * PANEL * TILE);
        }
    }
}
