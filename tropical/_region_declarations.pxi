# What _regions.pyx uses of csrc/regions.h and csrc/memory.h.

cdef extern from "memory.h" nogil:
    int TP_HAS_FAULTS
    void *tp_zeros(size_t, size_t)
    void tp_free(void *)
    void tp_fail_at(long)
    long tp_blocks_held()

cdef extern from "regions.h" nogil:
    enum:
        TP_INFINITY_PLANE

    ctypedef struct tp_form:
        const uint64_t *limbs
        size_t count
        double *at
        double size
        int is_zero

    ctypedef struct tp_operand:
        size_t step, limbs
        const int32_t *start
        const int32_t *rows
        const uint64_t *weights
        const int8_t *negative

    ctypedef struct tp_step:
        size_t size, limbs, operand_count, arity, first_gate
        uint64_t *forms
        tp_operand *operands
        const uint64_t *bias
        int32_t *branches
        int32_t *taken
        int32_t *changed
        tp_form *differences
        uint64_t *change
        uint64_t *spare

    ctypedef struct tp_numbering:
        size_t words, count
        uint64_t *keys

    ctypedef struct tp_ray:
        double error
        int32_t a, b, form, infinite

    ctypedef struct tp_rays:
        size_t width, count, cuts
        tp_ray *rays
        double *at
        tp_numbering edges
        uint64_t *limbs
        int64_t *start

    ctypedef struct tp_cell:
        size_t words, count, constraints
        int32_t lines, line_count
        int32_t *names
        int32_t *rays
        uint64_t *tight

    ctypedef struct tp_calls:
        void *owner
        int (*signs)(void *, const tp_form *, size_t, const int32_t *, int8_t *) except -1 nogil
        int (*crosses)(void *, int32_t, const tp_form *) except -1 nogil
        int (*cut_lines)(void *, const tp_cell *, const tp_form *, int32_t, int32_t, int32_t, tp_cell **,
                         tp_cell **) except -1 nogil
        int (*poll)(void *, size_t) except -1 nogil

    ctypedef struct tp_list:
        int32_t *at
        size_t count

    ctypedef struct tp_search:
        size_t width, step_count, gates, output_count, prefix_count, stop, limit, winner_size, found
        tp_step *steps
        size_t *outputs
        int32_t *winners
        int32_t *first_branch
        int32_t *same_as
        int32_t *prefix
        int8_t *line_state
        int partial, reason
        tp_rays rays
        tp_calls calls
        tp_numbering known
        tp_numbering *output_forms
        uint64_t *spare_limbs
        tp_form spare
        tp_list gaps, output_numbers, equal, equal_start
        unsigned char *all_winners
        tp_cell **cells

    int32_t tp_new_ray(tp_rays *)
    tp_cell *tp_new_cell(size_t, size_t, int32_t, int32_t)
    void tp_drop(tp_cell *)
    void tp_form_measure(tp_form *, size_t)
    int tp_clip(tp_search *, tp_cell *, const tp_form *, int32_t, int32_t, const uint64_t *, tp_cell **) except? -1
    int tp_leave_out(tp_search *, size_t)
    int tp_search_in(tp_search *, tp_cell *) except? -1
    void tp_search_free(tp_search *)
    int lowest_bit "tp_lowest_bit"(uint64_t)
