/* Samples into the rows of a batch of one dtype. Included by gather.c once per
 * dtype with T the type, HEAD and TAIL with HEAD + TAIL = 1/255, and K(name)
 * our static name. `index` is checked. */

/* byte / 255, correctly rounded, at the price of a product: HEAD is short
 * enough for byte * HEAD to be exact, and TAIL carries the rest of 1/255. (A
 * division takes twice the time; one product is off by one unit for half of
 * the bytes.) */
static void K(bytes)(const ngi_store *store, ng_mat x, const size_t *index, size_t first)
{
    const size_t n = x.cols;
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *restrict from = (unsigned char *)store->values + (first + index[i]) * n;
        T *restrict to = (T *)x.data + i * x.stride;
        for (size_t j = 0; j < n; j++)
            to[j] = (T)from[j] * HEAD + (T)from[j] * TAIL;
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

static void K(sequences)(const ngi_store *store, ng_mat x, const size_t *index, size_t first)
{
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *from =
            (unsigned char *)store->values + (first + index[i]) * store->context;
        T *to = (T *)x.data + i * x.stride;
        for (size_t c = 0; c < store->context; c++)
            to[c] = (T)from[c];
    }
}
