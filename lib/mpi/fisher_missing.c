/* ng_mpi_fisher where ScaLAPACK was not found. */
#include <natgrad-mpi.h>

static ng_status missing(ng_error *error)
{
    return ng_error_set(error, NG_EUNSUPPORTED, "natgrad was built without ScaLAPACK");
}

ng_status ng_mpi_fisher_create(ng_mpi_fisher **f, MPI_Comm comm, size_t n, size_t block,
                               ng_error *error)
{
    (void)comm, (void)n, (void)block;
    if (f != NULL)
        *f = NULL;
    return missing(error);
}

void ng_mpi_fisher_destroy(ng_mpi_fisher *f)
{
    (void)f;
}

size_t ng_mpi_fisher_memory(const ng_mpi_fisher *f)
{
    (void)f;
    return 0;
}

ng_status ng_mpi_fisher_accumulate(ng_mpi_fisher *f, ng_mat scores, ng_mat weights,
                                   const ng_fisher_batch *batch, ng_error *error)
{
    (void)f, (void)scores, (void)weights, (void)batch;
    return missing(error);
}

ng_status ng_mpi_fisher_set(ng_mpi_fisher *f, ng_mat dense, double samples, ng_error *error)
{
    (void)f, (void)dense, (void)samples;
    return missing(error);
}

ng_status ng_mpi_fisher_mul(ng_mpi_fisher *f, ng_mat y, ng_mat x, ng_error *error)
{
    (void)f, (void)y, (void)x;
    return missing(error);
}

ng_status ng_mpi_fisher_quadratic(ng_mpi_fisher *f, double *value, ng_mat x, ng_error *error)
{
    (void)f, (void)value, (void)x;
    return missing(error);
}

ng_status ng_mpi_fisher_solve(ng_mpi_fisher *f, ng_mat y, ng_mat x, double damping, ng_error *error)
{
    (void)f, (void)y, (void)x, (void)damping;
    return missing(error);
}

ng_status ng_mpi_fisher_trace(ng_mpi_fisher *f, double *value, ng_error *error)
{
    (void)f, (void)value;
    return missing(error);
}

ng_status ng_mpi_fisher_logdet(ng_mpi_fisher *f, double *value, double damping, ng_error *error)
{
    (void)f, (void)value, (void)damping;
    return missing(error);
}

ng_status ng_mpi_fisher_eigen(ng_mpi_fisher *f, ng_mat values, ng_mat vectors, ng_error *error)
{
    (void)f, (void)values, (void)vectors;
    return missing(error);
}

ng_status ng_mpi_fisher_to_dense(ng_mpi_fisher *f, ng_mat dense, ng_error *error)
{
    (void)f, (void)dense;
    return missing(error);
}
