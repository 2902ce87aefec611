/* Any processor: no fused multiply-add is assumed. Where exactness needs one (the affine chain), the C
 * library's is called, which is slow but correctly rounded.                                         */
#define ISA baseline
#define TARGET
#include "kernels.template.h"
