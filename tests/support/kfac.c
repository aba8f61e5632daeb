#include "tests/support/kfac.h"

kfac_batch kfac_random(size_t rows, size_t outputs, size_t inputs, test_rng *rng)
{
    kfac_batch batch = {dense_normal(rows, inputs, rng), dense_normal(rows, outputs, rng),
                        dense_normal(outputs, inputs, rng)};
    return batch;
}

ng_mat kfac_output_factor(kfac_batch batch, double scale)
{
    ng_mat gram = dense_mul(batch.g, 1, batch.g, 0);
    return dense_scale(scale * scale / (double)batch.g.rows, gram);
}

ng_mat kfac_input_factor(kfac_batch batch)
{
    ng_mat gram = dense_mul(batch.a, 1, batch.a, 0);
    return dense_scale(1 / (double)batch.a.rows, gram);
}

ng_mat kfac_damped(ng_mat x, double lambda)
{
    return dense_add(1, x, lambda, dense_identity(x.rows));
}

ng_mat kfac_dense_solve(ng_mat f, double lambda, ng_mat m)
{
    ng_mat vec = dense_of(m), values, vectors;
    vec.rows = m.rows * m.cols;
    vec.cols = vec.stride = 1;
    dense_eigh(&values, &vectors, f);
    ng_mat x = dense_mul(vectors, 0, vec, 0);
    for (size_t i = 0; i < x.rows; i++)
        ng_mat_set(x, i, 0, ng_mat_get(x, i, 0) / (ng_mat_get(values, 0, i) + lambda));
    x = dense_mul(vectors, 1, x, 0);
    x.rows = m.rows;
    x.cols = x.stride = m.cols;
    return x;
}

ng_mat kfac_solve(ng_mat p, ng_mat q, ng_mat m)
{
    return dense_mul(dense_power(p, -1), 0, dense_mul(m, 0, dense_power(q, -1), 0), 0);
}

/* the same in another dtype, with gaps between its rows */
static ng_mat strided(ng_mat m, ng_dtype dtype, size_t pad)
{
    ng_mat copy = test_mat(m.rows, m.cols, pad, dtype);
    test_assign(copy, m);
    return copy;
}

ng_status kfac_capture(test_run *run, kfac_batch batch, double scale)
{
    ng_mat a = strided(batch.a, run->w.dtype, 2), g = strided(batch.g, run->w.dtype, 3);
    ng_status status = ng_group_capture(run->group, 0, a, g, scale);
    ng_fill(a, NAN); /* nothing is borrowed */
    ng_fill(g, NAN);
    test_free(a);
    test_free(g);
    return status;
}

ng_mat kfac_direction(test_run *run, kfac_batch batch, double scale)
{
    ck_assert_msg(kfac_capture(run, batch, scale) == NG_OK, "%s", ng_optimizer_error(run->opt));
    return test_run_direction(run, batch.dw);
}
