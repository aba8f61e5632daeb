/* Samples into the rows of a batch of one dtype. Included by gather.c once per
 * dtype with T the type and K(name) our static name. `index` is checked. */

/* Divided, not multiplied with 1/255: the correctly rounded value, and memory
 * is the limit anyway. */
static void K(bytes)(const ngi_store *store, ng_mat x, const size_t *index, size_t first)
{
    const size_t n = x.cols;
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *restrict from = (unsigned char *)store->values + (first + index[i]) * n;
        T *restrict to = (T *)x.data + i * x.stride;
        for (size_t j = 0; j < n; j++)
            to[j] = (T)from[j] / (T)255;
    }
}

static void K(reals)(const ngi_store *store, ng_mat x, const size_t *index, size_t first)
{
    const size_t n = x.cols;
    for (size_t i = 0; i < x.rows; i++) {
        const double *restrict from = (double *)store->values + (first + index[i]) * n;
        T *restrict to = (T *)x.data + i * x.stride;
        for (size_t j = 0; j < n; j++)
            to[j] = (T)from[j];
    }
}

/* One-hot, block c for character c of the window. */
static void K(windows)(const ngi_store *store, ng_mat x, const size_t *index, size_t first)
{
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *from = (unsigned char *)store->values + first + index[i];
        T *to = (T *)x.data + i * x.stride;
        memset(to, 0, x.cols * sizeof *to); /* +0 in IEEE arithmetic */
        for (size_t c = 0; c < store->context; c++)
            to[c * store->classes + from[c]] = 1;
    }
}
