/* Instantiates the kernels for one instruction set and defines its table, tp_kernels_<ISA>.
 * The including file defines: ISA (its name), TARGET (a function attribute) and, where the hardware
 * has a fused multiply-add, HAS_FMA.                                                                */
#include "tropical_core.h"

#include <math.h>
#include <string.h>

#define BLOCK 256 /* monomials at a time: 2 kB of double, well inside the first-level cache */

#define PASTE_(a, b, c) a##_##b##_##c
#define PASTE(a, b, c) PASTE_(a, b, c)
#define TO_STRING_(a) #a
#define TO_STRING(a) TO_STRING_(a)
#define PRAGMA(text) _Pragma(#text)
#define SIMD(...) PRAGMA(omp simd __VA_ARGS__)

#ifdef HAS_FMA
#define MULADD(a, b, c) FMA(a, b, c)
#else
#define MULADD(a, b, c) ((a) * (b) + (c))
#endif

#define REAL 64
#include "real.h"
#include "exp.template.h"
#include "polynomial.template.c"

#undef REAL
#define REAL 32
#include "real.h"
#include "exp.template.h"
#include "polynomial.template.c"

#define TABLE_(isa) tp_kernels_##isa
#define TABLE(isa) TABLE_(isa)
const tp_kernels TABLE(ISA) = {
    .name = TO_STRING(ISA),
    .polynomial_f64 = PASTE(polynomial, f64, ISA),
    .polynomial_f32 = PASTE(polynomial, f32, ISA),
    .reduce_f64 = PASTE(reduce, f64, ISA),
    .reduce_f32 = PASTE(reduce, f32, ISA),
    .exp_f64 = PASTE(exp_array, f64, ISA),
    .exp_f32 = PASTE(exp_array, f32, ISA),
};
