/* Instantiates the kernels for one instruction set and defines its table, tp_kernels_<ISA>.
 * The including file defines: ISA (its name), TARGET (a function attribute) and, where the hardware
 * has a fused multiply-add, HAS_FMA.                                                                */
#include "tropical_core.h"

#include <math.h>
#include <string.h>

#ifdef TP_APART /* one function for all uses: quick to compile, and gcov counts the branches of all together */
#define INLINE TARGET
#else
#define INLINE TARGET inline __attribute__((always_inline))
#endif

#define PASTE_(a, b, c) a##_##b##_##c
#define PASTE(a, b, c) PASTE_(a, b, c)
#define TO_STRING_(a) #a
#define TO_STRING(a) TO_STRING_(a)

#ifdef HAS_FMA
#define MULADD(a, b, c) VFMA(a, b, c)
#else
#define MULADD(a, b, c) ((a) * (b) + (c))
#endif

#define REAL 64
#include "real.h"
#include "simd.h"
#include "exp.template.h"
#include "log.template.h"
#include "rows.template.c"
#include "hessian.template.c"
#include "tile.template.h"
#include "deep.template.c"
#include "entropy.template.c"
#include "tiles.template.c"
#include "layer.template.c"
#include "gate.template.c"
#include "product.template.h"
#include "matmul.template.c"
#include "log_matmul.template.c"
#include "chain.template.c"
#include "sparse.template.c"
#include "envelope.template.c"
#include "walk.template.c"
#include "softmin.template.c"
#include "lines.template.c"

#undef REAL
#define REAL 32
#include "real.h"
#include "simd.h"
#include "exp.template.h"
#include "log.template.h"
#include "rows.template.c"
#include "hessian.template.c"
#include "tile.template.h"
#include "deep.template.c"
#include "entropy.template.c"
#include "tiles.template.c"
#include "layer.template.c"
#include "gate.template.c"
#include "product.template.h"
#include "matmul.template.c"
#include "log_matmul.template.c"
#include "chain.template.c"
#include "sparse.template.c"

#define TABLE_(isa) tp_kernels_##isa
#define TABLE(isa) TABLE_(isa)
const tp_kernels TABLE(ISA) = {
    .name = TO_STRING(ISA),
    .rows_f64 = PASTE(rows, f64, ISA),
    .rows_f32 = PASTE(rows, f32, ISA),
    .tiles_f64 = PASTE(tiles, f64, ISA),
    .tiles_f32 = PASTE(tiles, f32, ISA),
    .hessian_f64 = PASTE(hessian, f64, ISA),
    .hessian_f32 = PASTE(hessian, f32, ISA),
    .reduce_f64 = PASTE(reduce, f64, ISA),
    .reduce_f32 = PASTE(reduce, f32, ISA),
    .layer_f64 = PASTE(layer, f64, ISA),
    .layer_f32 = PASTE(layer, f32, ISA),
    .gate_f64 = PASTE(gate, f64, ISA),
    .gate_f32 = PASTE(gate, f32, ISA),
    .matmul_f64 = PASTE(matmul, f64, ISA),
    .matmul_f32 = PASTE(matmul, f32, ISA),
    .log_prepare_f64 = PASTE(log_prepare, f64, ISA),
    .log_prepare_f32 = PASTE(log_prepare, f32, ISA),
    .log_matmul_f64 = PASTE(log_matmul, f64, ISA),
    .log_matmul_f32 = PASTE(log_matmul, f32, ISA),
    .chain_f64 = PASTE(chain, f64, ISA),
    .chain_f32 = PASTE(chain, f32, ISA),
    .backtrack_f64 = PASTE(backtrack, f64, ISA),
    .backtrack_f32 = PASTE(backtrack, f32, ISA),
    .close_f64 = PASTE(close, f64, ISA),
    .close_f32 = PASTE(close, f32, ISA),
    .exp_f64 = PASTE(exp_array, f64, ISA),
    .exp_f32 = PASTE(exp_array, f32, ISA),
    .log_f64 = PASTE(log_array, f64, ISA),
    .log_f32 = PASTE(log_array, f32, ISA),
    .pull_f64 = PASTE(pull, f64, ISA),
    .pull_f32 = PASTE(pull, f32, ISA),
    .legendre = PASTE(legendre, f64, ISA),
    .hopf_lax = PASTE(hopf_lax, f64, ISA),
    .hopf_cole = PASTE(hopf_cole, f64, ISA),
};
