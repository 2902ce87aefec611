/* Transforms along an axis: lines are gathered into contiguous scratch, transformed one at a time, scattered.
 *
 * A block is up to TP_LINES lines that lie side by side, so that cache lines of the array are read and written
 * once. With 32 lines, not 8, an axis of 1000 costs 1.2 times a contiguous one, not twice as much: rows of memory
 * are a power of two apart and fall on one another in the cache before their neighbours are due. Formulas: envelope.template.c and softmin.template.c.
 */
typedef struct {
    size_t lines;        /* in this block                                              */
    size_t base_from, base_to; /* index of its first number                            */
} NAME(block);

static INLINE NAME(block) NAME(block_at)(const tp_lines *t, size_t index)
{
    const size_t most = TP_LINES(t), across = (t->inner + most - 1) / most;
    const size_t outer = index / across, k = index % across * most;
    return (NAME(block)){
        .lines = t->inner - k < most ? t->inner - k : most,
        .base_from = outer * t->length * t->inner + k,
        .base_to = outer * t->results * t->inner + k,
    };
}

/* Distance of two lines in scratch: odd in cache lines, lest powers of two fall on one another. */
static INLINE size_t NAME(stride_of)(size_t n) { return (n / 16 * 16) + 24; }

#define GATHER(T, LINES)                                                                                    \
    for (size_t i = 0; i < t->length; ++i)                                                                  \
        for (size_t l = 0; l < (LINES); ++l)                                                                \
            to[l * stride + i] = sign * (double)((const T *)t->from)[b.base_from + i * t->inner + l];
#define SCATTER(T, LINES)                                                                                   \
    for (size_t j = begin; j < end; ++j)                                                                    \
        for (size_t l = 0; l < (LINES); ++l)                                                                \
            ((T *)t->to)[b.base_to + j * t->inner + l] = (T)(sign * from[l * stride + j] + 0.0);

/* With a number of lines that the compiler knows. */
#define EACH_WIDTH(MOVE, T)                                                                                 \
    if (b.lines == 32) {                                                                                    \
        MOVE(T, 32)                                                                                         \
    } else if (b.lines == 8) {                                                                              \
        MOVE(T, 8)                                                                                          \
    } else {                                                                                                \
        MOVE(T, b.lines)                                                                                    \
    }

static TARGET void NAME(gather)(const tp_lines *t, NAME(block) b, double *to, size_t stride)
{
    const double sign = t->sign;
    if (t->single) {
        EACH_WIDTH(GATHER, float)
    } else {
        EACH_WIDTH(GATHER, double)
    }
}

/* results begin <= j < end */
static TARGET void NAME(scatter)(const tp_lines *t, NAME(block) b, size_t begin, size_t end, const double *from,
                                 size_t stride)
{
    const double sign = t->sign;
    if (t->single) {
        EACH_WIDTH(SCATTER, float)
    } else {
        EACH_WIDTH(SCATTER, double)
    }
}
#undef EACH_WIDTH
#undef GATHER
#undef SCATTER

/* Both hard transforms: p = NULL is hopf_lax. */
static INLINE void NAME(hard_blocks)(const tp_lines *t, size_t first, size_t count, const double *x, const double *p,
                                     double w, void *scratch)
{
    const size_t width = TP_BLOCK(t), from_stride = NAME(stride_of)(t->length), to_stride = NAME(stride_of)(t->results);
    double *gathered = scratch, *values = gathered + width * from_stride;
    int64_t *winners = (int64_t *)(values + width * to_stride);
    void *vertices = winners + width * t->results;
    for (size_t index = first; index < first + count; ++index) {
        const NAME(block) b = NAME(block_at)(t, index);
        /* A line of doubles that is contiguous already stays where it is; scan reads it before results are written. */
        const int in_place = t->inner == 1 && !t->single && t->sign == 1;
        const double *f = in_place ? (const double *)t->from + b.base_from : gathered;
        double *out = in_place ? (double *)t->to + b.base_to : values;
        int64_t *won = !t->winners ? NULL : t->inner == 1 ? t->winners + b.base_to : winners;
        if (!in_place)
            NAME(gather)(t, b, gathered, from_stride);
        for (size_t l = 0; l < b.lines; ++l) {
            const double *line = f + l * from_stride;
            int64_t *line_won = won ? won + l * t->results : NULL;
            if (p)
                NAME(legendre_line)(t->length, line, x, t->results, p, vertices, out + l * to_stride, line_won);
            else
                NAME(hopf_lax_line)(t->length, line, x, w, vertices, out + l * to_stride, line_won);
        }
        if (!in_place)
            NAME(scatter)(t, b, 0, t->results, values, to_stride);
        for (size_t j = 0; won == winners && j < t->results; ++j)
            for (size_t l = 0; l < b.lines; ++l)
                t->winners[b.base_to + j * t->inner + l] = won[l * t->results + j];
    }
}

static TARGET void NAME(legendre)(const tp_lines *t, size_t first, size_t count, const double *x, const double *p,
                                  void *scratch)
{
    NAME(hard_blocks)(t, first, count, x, p, 0, scratch);
}

static TARGET void NAME(hopf_lax)(const tp_lines *t, size_t first, size_t count, const double *x, double w,
                                  void *scratch)
{
    NAME(hard_blocks)(t, first, count, x, NULL, w, scratch);
}

static TARGET void NAME(hopf_cole)(const tp_lines *t, size_t block, size_t begin, size_t end, int fresh, double w,
                                   double eps, double cut, void *scratch)
{
    const size_t n = t->length, pad = TP_SOFT_PAD(t), width = TP_BLOCK(t);
    double *f = scratch, *e = f + width * pad, *top = e + width * pad, *low = top + width * pad;
    double *kernel = low + width * pad + pad, *vertices = kernel + pad;
    double *least = vertices + sizeof(tp_vertex) / sizeof(double) * (n + 2);
    const NAME(block) b = NAME(block_at)(t, block);
    if (kernel[0] == 0)
        NAME(prepare_kernel)(kernel, pad, w, eps);
    if (fresh)
        NAME(gather)(t, b, f, pad);
    for (size_t l = 0; l < b.lines; ++l) {
        NAME(soft_line) s = {
            .n = n, .w = w, .eps = eps, .cut = cut, .thermal = NAME(thermal_of)(eps), .kernel = kernel,
            .f = f + l * pad, .e = e + l * pad, .top = top + l * pad, .low = low + l * pad,
            .rise = low + l * pad + pad / 2, .least = least[2 * l], .flat = least[2 * l + 1] != 0,
        };
        if (fresh) {
            NAME(hopf_lax_line)(n, s.f, NULL, w, vertices, s.top, NULL);
            NAME(prepare_blocks)(&s);
            least[2 * l] = s.least;
            least[2 * l + 1] = s.flat;
        }
        /* A line without a finite minimum has it everywhere, and it is the result. */
        if (fabs(s.top[begin]) < INFINITY)
            NAME(soft_results)(&s, begin, end);
    }
    NAME(scatter)(t, b, begin, end, top, pad);
}
