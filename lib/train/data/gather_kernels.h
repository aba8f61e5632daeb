/* Samples into the rows of a batch of one dtype. Included by gather.c once per
 * dtype with T the type, HEAD and TAIL with HEAD + TAIL = 1/255, and K(name)
 * our static name. `rows` are checked. Each returns the rows that are finite in
 * T: all of them, but of a table those before the first that is not. */

/* byte / 255, correctly rounded, at the price of a product: HEAD is short
 * enough for byte * HEAD to be exact, and TAIL carries the rest of 1/255. (A
 * division takes twice the time; one product is off by one unit for half of
 * the bytes.) */
static size_t K(bytes)(const ngi_store *store, const ng_schema *schema, ng_mat x,
                       const size_t *rows)
{
    const size_t n = x.cols;
    (void)schema;
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *restrict from = store->values + rows[i] * n;
        T *restrict to = (T *)x.data + i * x.stride;
        for (size_t j = 0; j < n; j++)
            to[j] = (T)from[j] * HEAD + (T)from[j] * TAIL;
    }
    return x.rows;
}

/* Value by value as its column says; slots hold floats or doubles. */
static size_t K(tables)(const ngi_store *store, const ng_schema *schema, ng_mat x,
                        const size_t *rows)
{
    for (size_t i = 0; i < x.rows; i++) {
        T *to = (T *)x.data + i * x.stride;
        int finite = 1;
        for (size_t j = 0; j < schema->columns; j++) {
            const ngi_column *column = &schema->column[j];
            if (column->role > NGI_CATEGORY)
                continue;
            double value = ng_mat_get(store->table, rows[i], column->slot);
            if (column->role == NGI_NUMBER) {
                value = value == value ? value : column->fill;
                *to = (T)((value - column->offset) * column->factor);
                finite &= isfinite(*to) != 0;
                to++;
                continue;
            }
            for (size_t k = 0; k < column->categories.count; k++)
                *to++ = value == (double)k ? (T)1 : (T)0;
        }
        if (!finite)
            return i;
    }
    return x.rows;
}

/* One-hot, block c for character c of the window. */
static size_t K(windows)(const ngi_store *store, const ng_schema *schema, ng_mat x,
                         const size_t *rows)
{
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *from = store->values + rows[i];
        T *to = (T *)x.data + i * x.stride;
        memset(to, 0, x.cols * sizeof *to); /* +0 in IEEE arithmetic */
        for (size_t c = 0; c < store->context; c++)
            to[c * schema->vocabulary_size + from[c]] = 1;
    }
    return x.rows;
}

static size_t K(sequences)(const ngi_store *store, const ng_schema *schema, ng_mat x,
                           const size_t *rows)
{
    (void)schema;
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *from = store->values + rows[i] * store->step;
        T *to = (T *)x.data + i * x.stride;
        for (size_t c = 0; c < store->context; c++)
            to[c] = (T)from[c];
    }
    return x.rows;
}
