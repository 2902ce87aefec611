/* Many points together: a tile is four vectors of them, and a group of TP_GROUP tiles meets the monomials panel by
 * panel. Included once for each REAL; tiles.template.c undefines TILE.                                         */
#define TILE (4 * LANES)

/* What is summed: nothing, for values at eps = 0; nothing, but the block of the maximum is kept, for the argmax
 * and for gradients at eps = 0; all terms, for values and gradients; the largest apart from the others, for the
 * excess and the entropy (entropy.template.c). */
enum { NAME(HARD), NAME(LOCATED), NAME(SOFT), NAME(APART) };

/* what a tile has come to after some panels */
typedef struct {
    VEC top[4];
    VEC sum[4];    /* SOFT: sum_j e^((z_j - top)/eps); APART: of those behind the largest */
    VEC moment[4]; /* APART: sum_j (z_j - top) e^((z_j - top)/eps)                        */
    VEC ties[4];   /* APART: how many terms are equal to top                              */
    IVEC block[4]; /* LOCATED: the block in which top was first attained                  */
} NAME(tile);
