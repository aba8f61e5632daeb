/* One object of every representation beside the dense F it stands for, made by
 * naive sums in double from the very numbers the object was given. */
#ifndef NG_TEST_FISHER_WORLDS_H
#define NG_TEST_FISHER_WORLDS_H

#include <natgrad/fisher.h>

#include "tests/support/dense.h"

enum { PAD = 3 };

typedef struct {
    ng_fisher *f;
    ng_mat exact; /* n x n, on dense.h's list */
    size_t n, outputs;
    ng_dtype dtype;
    double tol; /* 1e-10 in double, 1e-5 in float */
    int representation;
} world;

/* Representation and size by number, 0 <= i < WORLDS; fed with `batches`
 * batches by the rule (NULL: the defaults). */
enum { DENSE, DIAGONAL, LOWRANK, KRON, EKFAC, BLOCKS, FREE, REPRESENTATIONS };
enum { SHAPES = 4, WORLDS = REPRESENTATIONS * SHAPES * 2 };
world world_open(int i, int batches, const ng_fisher_batch *rule, int weighted, test_rng *rng);
void world_close(world *w);

/* An object without data of that representation; factored ones: outputs x
 * n / outputs, the last column of it a bias unless there is one column;
 * matrix-free ones multiply by the F of the world opened last. */
ng_fisher *world_empty(int i, ng_dtype dtype, size_t n, size_t outputs);

/* Blocks along n parameters: their sizes, and how many. */
size_t world_blocks(size_t sizes[3], size_t n);

/* rows x cols normal numbers of the dtype, padded; and positive weights */
ng_mat world_normal(size_t rows, size_t cols, ng_dtype dtype, test_rng *rng);

/* sum_i w_i s_i s_i^T, w NULL: 1 */
ng_mat exact_scatter(ng_mat s, const ng_mat *w);

/* the scores vec(g_i a_i^T), one a row */
ng_mat exact_scores(ng_mat a, ng_mat g);

/* an ng_random on a test_rng */
ng_random world_random(test_rng *rng);

#endif
