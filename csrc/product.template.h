/* The tile in registers that all matrix products share: rows of A against a few vectors of columns of B.
 *
 * Formula:  t_ij = max_k (a_ik + b_kj), the minimum of these sums, or sum_k a_ik b_kj.
 * Special values: a sum that is NaN (from NaN, or from infinities that meet) is passed over by maxima and minima.
 * Error:    maxima and minima have that of the sums, one rounding each, so they are the same bits on every
 *           instruction set. Sums of products are chains of fused multiply-adds, `depth` terms long.
 * Phases:   1. t starts from the neutral element, or from C.  2. one step for each k.  3. t is written to C.
 *
 * Each kind is a function of its own, found in NAME(product_tiles): inlined into loops over tiles, the compiler runs
 * out of registers.
 */
enum { NAME(MAXIMA), NAME(MINIMA), NAME(SUMS) };

#define WIDTH (4 * LANES)
#define TALL ROWS               /* rows of a tile */
#define TALL_INDEXED (ROWS / 2) /* the index takes half of the registers */

/* a + b as a * 1 + b, which is rounded once as well: Zen's units for additions are those for maxima, and its units
 * for multiply-adds would lie idle. The 1 is kept from the compiler, which would make an addition of it. */
#ifdef HAS_FMA
#define SUM(a, b) VFMA(a, one, b)
#else
#define SUM(a, b) ((a) + (b))
#endif

/* The first number of scratch from which vectors do not straddle cache lines; that costs up to TP_ALIGN numbers. */
static INLINE TYPE *NAME(aligned)(void *scratch) { return (TYPE *)(((uintptr_t)scratch + 63) / 64 * 64); }

typedef struct {
    size_t depth;
    const TYPE *a; /* (rows, depth), any strides                              */
    ptrdiff_t down, along;
    const TYPE *b; /* (depth, vectors * LANES), contiguous rows               */
    ptrdiff_t b_down;
    TYPE *c;       /* (rows, vectors * LANES), rows c_stride apart            */
    size_t c_stride;
    int fresh;     /* c holds nothing yet; else it counts                     */
    INT *where;    /* rows of WIDTH: the k that attains c, counted from first */
    INT first;
} NAME(operands);

/* Unrolled early, or the compiler starts and ends t in memory, a tenth of the time of a tile that is 64 deep. */
#define EACH_OF_TILE                                                                                        \
    _Pragma("GCC unroll 4") for (size_t q = 0; q < rows; ++q)                                               \
        _Pragma("GCC unroll 4") for (size_t r = 0; r < vectors; ++r)

static INLINE void NAME(multiply_tile)(int op, size_t rows, size_t vectors, const NAME(operands) *o)
{
    const ptrdiff_t down = o->down, along = o->along, b_down = o->b_down;
    const TYPE *b = o->b;
    VEC t[TALL][4], one = SPLAT(1);
    IN_REGISTER(one);
    EACH_OF_TILE
        t[q][r] = SPLAT(op == NAME(SUMS) ? 0 : op == NAME(MAXIMA) ? -INFINITY : INFINITY);
    if (!o->fresh && op != NAME(SUMS))
        EACH_OF_TILE {
            t[q][r] = NAME(load)(o->c + q * o->c_stride + r * LANES);
            __builtin_prefetch(o->c + (rows + q) * o->c_stride + r * LANES, 1); /* of the next tile */
        }
    const size_t depth = o->depth;
    const TYPE *a = o->a;
    for (size_t k = 0; k < depth; ++k, a += along, b += b_down) {
        VEC ak[TALL]; /* in registers: read from memory by each instruction, the two loads of a cycle do not suffice */
        for (size_t q = 0; q < rows; ++q) {
            ak[q] = SPLAT(a[(ptrdiff_t)q * down]);
            IN_REGISTER(ak[q]);
        }
        for (size_t r = 0; r < vectors; ++r) {
            VEC bk = NAME(load)(b + r * LANES);
            IN_REGISTER(bk);
            for (size_t q = 0; q < rows; ++q)
                if (op == NAME(SUMS))
                    t[q][r] = MULADD(ak[q], bk, t[q][r]);
                else
                    t[q][r] = op == NAME(MAXIMA) ? VMAX(SUM(bk, ak[q]), t[q][r]) : VMIN(SUM(bk, ak[q]), t[q][r]);
        }
    }
    EACH_OF_TILE {
        TYPE *to = o->c + q * o->c_stride + r * LANES;
        if (op == NAME(SUMS) && !o->fresh)
            t[q][r] += NAME(load)(to);
        NAME(store)(to, t[q][r] + SPLAT(0)); /* no -0 */
    }
}

/* The same with o->where. */
static INLINE void NAME(multiply_tile_where)(int op, size_t rows, size_t vectors, const NAME(operands) *o)
{
    const TYPE *a = o->a, *b = o->b;
    VEC t[TALL_INDEXED][4];
    IVEC w[TALL_INDEXED][4];
    for (size_t q = 0; q < rows; ++q)
        for (size_t r = 0; r < vectors; ++r) {
            t[q][r] = !o->fresh ? NAME(load)(o->c + q * o->c_stride + r * LANES)
                                : SPLAT(op == NAME(MAXIMA) ? -INFINITY : INFINITY);
            memcpy(&w[q][r], o->where + q * WIDTH + r * LANES, sizeof(IVEC));
        }
    for (size_t k = 0; k < o->depth; ++k, a += o->along, b += o->b_down) {
        const IVEC here = (IVEC){0} + (o->first + (INT)k);
        for (size_t q = 0; q < rows; ++q) {
            const VEC ak = SPLAT(a[(ptrdiff_t)q * o->down]);
            for (size_t r = 0; r < vectors; ++r) {
                const VEC sum = ak + NAME(load)(b + r * LANES);
                const IVEC better = (IVEC)(op == NAME(MAXIMA) ? sum > t[q][r] : sum < t[q][r]);
                w[q][r] = (better & here) | (~better & w[q][r]);
                t[q][r] = op == NAME(MAXIMA) ? VMAX(sum, t[q][r]) : VMIN(sum, t[q][r]);
            }
        }
    }
    for (size_t q = 0; q < rows; ++q)
        for (size_t r = 0; r < vectors; ++r) {
            NAME(store)(o->c + q * o->c_stride + r * LANES, t[q][r] + SPLAT(0));
            memcpy(o->where + q * WIDTH + r * LANES, &w[q][r], sizeof(IVEC));
        }
}

typedef void NAME(tile_function)(const NAME(operands) *o);
#define DEFINE_TILE(name, multiply, op, rows, vectors)                                                      \
    static TARGET __attribute__((noinline)) void NAME(name)(const NAME(operands) * o)                       \
    {                                                                                                       \
        multiply(op, rows, vectors, o);                                                                     \
    }
#define DEFINE_TILES(name, multiply, op, tall)                                                              \
    DEFINE_TILE(name##_1x1, multiply, op, 1, 1)                                                             \
    DEFINE_TILE(name##_1x2, multiply, op, 1, 2)                                                             \
    DEFINE_TILE(name##_1x4, multiply, op, 1, 4)                                                             \
    DEFINE_TILE(name##_tall_x1, multiply, op, tall, 1)                                                      \
    DEFINE_TILE(name##_tall_x2, multiply, op, tall, 2)                                                      \
    DEFINE_TILE(name##_tall_x4, multiply, op, tall, 4)
DEFINE_TILES(maxima, NAME(multiply_tile), NAME(MAXIMA), TALL)
DEFINE_TILES(minima, NAME(multiply_tile), NAME(MINIMA), TALL)
DEFINE_TILES(sums, NAME(multiply_tile), NAME(SUMS), TALL)
DEFINE_TILES(maxima_where, NAME(multiply_tile_where), NAME(MAXIMA), TALL_INDEXED)
DEFINE_TILES(minima_where, NAME(multiply_tile_where), NAME(MINIMA), TALL_INDEXED)

#define TILES_OF(name)                                                                                      \
    {                                                                                                       \
        {NAME(name##_1x1), NAME(name##_1x2), NAME(name##_1x4)},                                             \
        {NAME(name##_tall_x1), NAME(name##_tall_x2), NAME(name##_tall_x4)},                                 \
    }
/* By op (that with index 3 further on), one row or all rows, and the binary logarithm of vectors. */
static NAME(tile_function) *const NAME(product_tiles)[][2][3] = {
    TILES_OF(maxima), TILES_OF(minima), TILES_OF(sums), TILES_OF(maxima_where), TILES_OF(minima_where),
};
#define WITH_INDEX 3
#undef DEFINE_TILE
#undef DEFINE_TILES
#undef TILES_OF
#undef SUM
#undef EACH_OF_TILE

/* Rows of C from a whole block of A, tile by tile; o->a and o->c are those of the first row. */
static INLINE void NAME(multiply_strip)(int op, size_t log_vectors, size_t tall, size_t height, NAME(operands) o)
{
    NAME(tile_function) *const several = NAME(product_tiles)[op][1][log_vectors];
    NAME(tile_function) *const one = NAME(product_tiles)[op][0][log_vectors];
    for (; height >= tall; height -= tall) {
        several(&o);
        o.a += (ptrdiff_t)tall * o.down;
        o.c += tall * o.c_stride;
    }
    for (; height; --height) {
        one(&o);
        o.a += o.down;
        o.c += o.c_stride;
    }
}
