/* Samples into the rows of a batch of one dtype. Included by gather.c once per
 * dtype with T the type, HEAD and TAIL with HEAD + TAIL = 1/255, and K(name)
 * our static name. `rows` are checked. */

/* byte / 255, correctly rounded, at the price of a product: HEAD is short
 * enough for byte * HEAD to be exact, and TAIL carries the rest of 1/255. (A
 * division takes twice the time; one product is off by one unit for half of
 * the bytes.) */
static void K(bytes)(const ngi_store *store, const ng_schema *schema, ng_mat x, const size_t *rows)
{
    const size_t n = x.cols;
    (void)schema;
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *restrict from = store->values + rows[i] * n;
        T *restrict to = (T *)x.data + i * x.stride;
        for (size_t j = 0; j < n; j++)
            to[j] = (T)from[j] * HEAD + (T)from[j] * TAIL;
    }
}

/* Value by value as its column says; slots hold floats or doubles. */
static void K(tables)(const ngi_store *store, const ng_schema *schema, ng_mat x, const size_t *rows)
{
    for (size_t i = 0; i < x.rows; i++) {
        T *to = (T *)x.data + i * x.stride;
        for (size_t j = 0; j < schema->columns; j++) {
            const ngi_column *column = &schema->column[j];
            if (column->role > NGI_CATEGORY)
                continue;
            double value = ng_mat_get(store->table, rows[i], column->slot);
            if (column->role == NGI_NUMBER) {
                value = value == value ? value : column->fill;
                *to++ = (T)((value - column->offset) * column->factor);
                continue;
            }
            for (size_t k = 0; k < column->categories.count; k++)
                *to++ = value == (double)k ? (T)1 : (T)0;
        }
    }
}

/* One-hot, block c for character c of the window. */
static void K(windows)(const ngi_store *store, const ng_schema *schema, ng_mat x,
                       const size_t *rows)
{
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *from = store->values + rows[i];
        T *to = (T *)x.data + i * x.stride;
        memset(to, 0, x.cols * sizeof *to); /* +0 in IEEE arithmetic */
        for (size_t c = 0; c < store->context; c++)
            to[c * schema->vocabulary_size + from[c]] = 1;
    }
}

static void K(sequences)(const ngi_store *store, const ng_schema *schema, ng_mat x,
                         const size_t *rows)
{
    (void)schema;
    for (size_t i = 0; i < x.rows; i++) {
        const unsigned char *from = store->values + rows[i] * store->step;
        T *to = (T *)x.data + i * x.stride;
        for (size_t c = 0; c < store->context; c++)
            to[c] = (T)from[c];
    }
}
