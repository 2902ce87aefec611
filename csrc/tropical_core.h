/* tropical_core: kernels for tropical polynomials in max-plus, min-plus and log-semiring arithmetic.
 *
 * C11, no Python. Kernels are written once in *.template.c and instantiated for float and double and
 * for each instruction set (kernels_*.c); dispatch.c chooses one table of them at run time.
 * Kernels allocate nothing, keep no state and never fail: what they rely on is checked by the caller.
 */
#ifndef TROPICAL_CORE_H
#define TROPICAL_CORE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#define TP_COMPILER __VERSION__
#elif defined(__GNUC__)
#define TP_COMPILER "GCC " __VERSION__
#else
#define TP_COMPILER "unknown"
#endif

/* Monomials come in panels of this many, the last one filled up with coefficients -inf. */
#define PANEL 64

/* One polynomial. Its arrays, and all others here, hold float or double as the kernel's name says. */
typedef struct {
    size_t terms;              /* N, number of monomials                                         */
    size_t variables;          /* d                                                              */
    int sign;                  /* +1 max, -1 min                                                 */
    double eps;                /* temperature, >= 0; 0 is tropical                               */
    const void *panels;        /* (ceil(N/PANEL), d, PANEL), C order: slopes, finite             */
    const void *coefficients;  /* (ceil(N/PANEL) * PANEL,): never NaN, times the sign            */
} tp_polynomial;

/* Where results go, B points at a time; a NULL member is not computed. */
typedef struct {
    void *values;              /* (B,): f_eps                                            */
    void *excess;              /* (B,): f_eps - f_0, free of cancellation                */
    void *entropy;             /* (B,): -sum_j w_j log w_j, in nats                      */
    int64_t *argmax;           /* (B,): first dominant monomial, -1 where there is none  */
    void *gradient;            /* (B, d): sum_j w_j slopes_j                             */
    void *weights;             /* (B, N): Gibbs weights w                                */
} tp_outputs;

/* f(x_i) and its relatives for i < points; x is (points, d), C order. `scratch` holds
 * TP_ROWS_SCRATCH(d) or TP_TILES_SCRATCH(d) numbers. rows is for few points and gives every result; tiles
 * is for many points: values and gradient, or excess and entropy (eps > 0 only), or the argmax; at eps = 0 also
 * values, gradient and argmax together.                                                              */
typedef void tp_polynomial_kernel(const tp_polynomial *p, size_t points, const void *x, void *scratch,
                                  const tp_outputs *out);
#define TP_TILE_MAX 64 /* most points in a tile, on any instruction set */
#define TP_GROUP 4     /* tiles that meet a panel of monomials while it is in the second-level cache */
#define TP_DEPTH 104   /* most variables whose terms are summed in one go */
#define TP_ROWS_SCRATCH(d) ((d) + 1)
#define TP_TILES_SCRATCH(d)                                                                                 \
    (2 * TP_GROUP * TP_TILE_MAX * (d) + (d) + 16 +                                                          \
     ((d) > TP_DEPTH ? TP_GROUP : 1) * TP_TILE_MAX * PANEL)

/* Second derivatives at eps > 0: `hessians` is (points, d, d), `scratch` holds TP_HESSIAN_SCRATCH(d) numbers. */
typedef void tp_hessian_kernel(const tp_polynomial *p, size_t points, const void *x, void *scratch, void *hessians);
#define TP_HESSIAN_SCRATCH(d) ((PANEL + 2) * (d) + 1)

/* The semiring sum of each row of z, which is (rows, columns), C order; all of `out` but the gradient
 * may be asked.                                                                                     */
typedef void tp_reduce_kernel(size_t rows, size_t columns, const void *z, int sign, double eps,
                              const tp_outputs *out);

/* Several polynomials of one semiring in the same variables. The monomials of each lie in one panel. */
typedef struct {
    tp_polynomial all;         /* all monomials in their panels; `terms` is not read            */
    size_t count;              /* m, number of polynomials                                      */
    const int64_t *first;      /* (m,): place of the first monomial, ascending                  */
    const int64_t *terms;      /* (m,): number of monomials, 1 to PANEL; every panel has some   */
} tp_layer;

/* values[i * m + s] = polynomial s at x_i, for i < points; x is (points, d), C order. `tiles` chooses the way for many
 * points. `scratch` holds TP_TILES_SCRATCH(d) numbers. See layer.template.c.                          */
typedef void tp_layer_kernel(const tp_layer *l, int tiles, size_t points, const void *x, void *scratch, void *values);

/* The semiring sum of `count` >= 1 arrays at eps > 0, number by number. */
typedef struct {
    size_t count, rows, columns;
    int sign;
    double eps;
    const void *const *branches; /* each (rows, columns), contiguous rows                        */
    const ptrdiff_t *strides;    /* (count,): numbers from row to row, 0 for one row that all share */
    void *to;                    /* (rows, columns), contiguous rows                             */
    size_t to_stride;
} tp_gates;
typedef void tp_gate_kernel(const tp_gates *g);

/* One matrix product over max-plus (sign 1) or min-plus (-1), or over their log versions at eps > 0. Strides
 * count numbers, not bytes.                                                                          */
typedef struct {
    size_t rows, inner, columns;
    int sign;
    double eps;                /* 0 for matmul; between TINY_EPS and HUGE_EPS for log_matmul */
    int accumulate;            /* C ⊕= A ⊗ B, else C = A ⊗ B; matmul only            */
    int no_nan;                /* the caller knows that there is none                 */
    int same_b;                /* B is that of the call before, which answers for its NaN; matmul only */
    const void *a;             /* (rows, inner), any strides                          */
    const void *b;             /* (inner, columns), any strides                       */
    ptrdiff_t a_strides[2], b_strides[2];
    void *c;                   /* (rows, columns), contiguous rows                    */
    size_t c_stride;
    int64_t *index;            /* (rows, columns), C order, or NULL; not accumulated, matmul only */
} tp_matmul;

/* C at eps = 0; returns whether A or B may have NaN, which does not show in C (0 where `no_nan` says so).
 * `scratch` holds TP_MATMUL_SCRATCH(rows, inner) numbers: small products should not pay for fresh pages. */
typedef int tp_matmul_kernel(const tp_matmul *m, void *scratch);
#define TP_MATMUL_DEPTH 256  /* columns, and rows, of A in a block, which stays in the second-level cache */
#define TP_MATMUL_HEIGHT 384
#define TP_ALIGN 16          /* numbers up to the next cache line */
#define TP_MATMUL_SCRATCH(rows, inner)                                                                      \
    (TP_ALIGN + ((inner) < TP_MATMUL_DEPTH ? (inner) : TP_MATMUL_DEPTH) *                                   \
     (TP_TILE_MAX + ((rows) < TP_MATMUL_HEIGHT ? (rows) : TP_MATMUL_HEIGHT)))

/* C at eps > 0. `prepared` is what log_prepare makes of B, TP_LOG_PREPARED(inner, columns) numbers; NULL, for one
 * row only, sums e^{(a + b)/eps} term by term. `scratch` holds TP_LOG_SCRATCH(inner) numbers.       */
typedef void tp_log_prepare_kernel(const tp_matmul *m, void *prepared);
typedef void tp_log_matmul_kernel(const tp_matmul *m, void *prepared, void *scratch);
#define TP_LOG_PREPARED(inner, columns)                                                                     \
    (TP_ALIGN + ((columns) + TP_TILE_MAX - 1) / TP_TILE_MAX * TP_TILE_MAX * ((inner) + 6))
#define TP_LOG_HEIGHT 64     /* rows of A in a block */
#define TP_LOG_DEPTH 128     /* terms summed in one go */
#define TP_LOG_ROWS(inner) ((inner) <= 4096 ? TP_LOG_HEIGHT : 4)
#define TP_LOG_SCRATCH(inner)                                                                               \
    (TP_ALIGN + TP_LOG_ROWS(inner) * ((inner) + 2 * TP_TILE_MAX) + 3 * TP_LOG_HEIGHT * TP_TILE_MAX +        \
     (TP_TILE_MAX + 1) * TP_LOG_DEPTH + 2 * TP_LOG_HEIGHT)

/* Messages along `batch` chains: x_t = (x_{t-1} ⊗ A_t) ⊗ e_t from the state x before the first step. */
typedef struct {
    size_t batch, states;
    int sign;
    double eps;
    int bare;                  /* messages are x_{t-1} ⊗ A_t, without e_t                */
    int fixed, shared;         /* A is the same at all steps; only for all of several chains */
    const void *transitions;   /* A, (steps, batch, states, states), any strides         */
    ptrdiff_t a_strides[4];
    const void *emissions;     /* e, (steps, batch, states), any strides, or NULL        */
    ptrdiff_t e_strides[3];
    void *messages;            /* (steps, batch, states), contiguous states, or NULL     */
    ptrdiff_t m_strides[2];
} tp_chain;

/* `count` steps from `first` on; `state` is (batch, states), C order, and is replaced by the last message with
 * its emission. `prepared` is as for log_matmul where A is fixed at eps > 0, else room for it.
 * Returns whether NaN or the infinity that is not the zero turned up, and results are not to be used.
 * `scratch` holds TP_CHAIN_SCRATCH(batch, states) numbers.                                           */
typedef int tp_chain_kernel(const tp_chain *c, size_t first, size_t count, void *state, void *prepared,
                            void *scratch);
#define TP_CHAIN_SCRATCH(batch, states)                                                                     \
    ((batch) * (states) + TP_LOG_SCRATCH(states) + TP_MATMUL_SCRATCH(batch, states))

/* A best path at eps = 0: `path` is (steps + 1, batch), its last row given; `messages` is (steps + 1, batch,
 * states) in any strides but contiguous states, messages[0] before the first step.                 */
typedef void tp_backtrack_kernel(const tp_chain *c, size_t steps, int64_t *path);

/* The closure A+ of a small square matrix in place, rows `stride` numbers apart. */
typedef void tp_close_kernel(size_t n, int sign, void *matrix, size_t stride);

/* e^a for a <= 0 and log s for normal s > 0 elementwise: those inside the other kernels, for accuracy tests. */
typedef void tp_elementwise_kernel(size_t n, const void *from, void *to);

/* A sparse matrix by its rows. */
typedef struct {
    size_t rows, columns;
    const int64_t *offsets;    /* (rows + 1,): where each row begins, and the last one ends */
    const int32_t *places;     /* the column of every entry                          */
    const void *entries;
} tp_sparse;

/* to[p, j] += sum of entry (i, j) times slopes[r] over the r < count with at[r] = p * rows + i; slopes is
 * (count, width) and `to` (points, columns, width), C order. See sparse.template.c.                  */
typedef void tp_pull_kernel(const tp_sparse *s, size_t count, const int64_t *at, size_t width, const void *slopes,
                            void *to);

/* Transforms along one axis of an array: its lines are seen as (outer, length, inner), C order. `from` and
 * `to` hold float if `single`, else double, and may be the same where results = length.             */
typedef struct {
    size_t outer, length, results, inner;
    int single;
    int sign;          /* the transform of sign * f, times sign                                      */
    const void *from;  /* (outer, length, inner): f                                                  */
    void *to;          /* (outer, results, inner)                                                    */
    int64_t *winners;  /* (outer, results, inner): index along the axis, -1 where none; or NULL      */
} tp_lines;

/* A function that is lowest somewhere, and the slope from the one before it to itself. */
typedef struct {
    double x, f, slope;
    int64_t index;
} tp_vertex;

/* Blocks of up to TP_LINES(lines) neighbouring lines, from block `first` on; there are TP_BLOCKS(lines) of them.
 * `scratch` holds TP_LINE_SCRATCH(lines) bytes. See envelope.template.c.                            */
#define TP_LINES(t) ((t)->length > 4096 ? 8 : 32) /* one cache line of the array; four while lines are short */
#define TP_BLOCK(t) ((t)->inner < TP_LINES(t) ? (t)->inner : TP_LINES(t))
#define TP_BLOCKS(t) ((t)->outer * (((t)->inner + TP_LINES(t) - 1) / TP_LINES(t)))
#define TP_LINE_SCRATCH(t)                                                                                  \
    (((t)->length + 2) * sizeof(tp_vertex) + TP_BLOCK(t) * 8 * ((t)->length + 2 * (t)->results + 48))
typedef void tp_legendre_kernel(const tp_lines *t, size_t first, size_t count, const double *x, const double *p,
                                void *scratch);
typedef void tp_hopf_lax_kernel(const tp_lines *t, size_t first, size_t count, const double *x, double w,
                                void *scratch);

/* Results begin <= j < end of every line of one block; begin is a multiple of TP_SOFT_STEP, and so is end if it is
 * not `results`. The first call for a block with this scratch is `fresh`, the others follow it. The first call of
 * all finds `scratch`, TP_SOFT_SCRATCH(lines) bytes, filled with zeros. `cut`: terms e^-cut of the largest may go.
 * See softmin.template.c.                                                                           */
#define TP_SOFT_STEP 64
#define TP_SOFT_PAD(t) (((t)->length / TP_SOFT_STEP + 2) * TP_SOFT_STEP)
#define TP_SOFT_SCRATCH(t)                                                                                  \
    (((t)->length + 2) * sizeof(tp_vertex) + 8 * (TP_SOFT_PAD(t) * (4 * TP_BLOCK(t) + 2) + 2 * TP_BLOCK(t)))
typedef void tp_soft_kernel(const tp_lines *t, size_t block, size_t begin, size_t end, int fresh, double w,
                            double eps, double cut, void *scratch);

typedef struct {
    const char *name;
    tp_polynomial_kernel *rows_f64, *rows_f32;
    tp_polynomial_kernel *tiles_f64, *tiles_f32;
    tp_hessian_kernel *hessian_f64, *hessian_f32;
    tp_reduce_kernel *reduce_f64, *reduce_f32;
    tp_layer_kernel *layer_f64, *layer_f32;
    tp_gate_kernel *gate_f64, *gate_f32;
    tp_matmul_kernel *matmul_f64, *matmul_f32;
    tp_log_prepare_kernel *log_prepare_f64, *log_prepare_f32;
    tp_log_matmul_kernel *log_matmul_f64, *log_matmul_f32;
    tp_chain_kernel *chain_f64, *chain_f32;
    tp_backtrack_kernel *backtrack_f64, *backtrack_f32;
    tp_close_kernel *close_f64, *close_f32;
    tp_elementwise_kernel *exp_f64, *exp_f32, *log_f64, *log_f32;
    tp_pull_kernel *pull_f64, *pull_f32;
    tp_legendre_kernel *legendre;
    tp_hopf_lax_kernel *hopf_lax;
    tp_soft_kernel *hopf_cole;
} tp_kernels;

/* The fastest kernels that this processor runs, at most `ceiling`: "baseline", "avx2", "avx512" or
 * NULL for no ceiling. Returns NULL for a ceiling of another name.                                  */
const tp_kernels *tp_select_kernels(const char *ceiling);

#endif
