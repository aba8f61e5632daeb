/* Dividing a data set. */
#include "lib/train/data/dataset.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/train/rng.h>

#include "lib/core/try.h"
#include "lib/train/data/table.h"

typedef struct {
    const ng_dataset *all;
    const ng_dataset_options *options;
    size_t train; /* so many for training */
    int shuffled;
    ngi_order *order; /* samples of the store: first those for training; NULL: as they lie */
    size_t *index;    /* owned scratch: count */
    size_t *quota;    /* owned scratch: of each class, in training; then counters */
    size_t *share;    /* owned scratch: of each class, in all */
    ng_dataset *parts[2];
    ng_schema *schema; /* fitted */
    ng_error *error;
} division;

/* ---- How many --------------------------------------------------------------------------- */

/* Whole samples: the held-out ones are rounded to the nearest, so that a fifth of nine is two. */
static size_t rounded(double share, size_t count)
{
    size_t rest = (size_t)((1 - share) * (double)count + 0.5 + 1e-9);
    return rest < count ? count - rest : 0;
}

static ng_status decide(division *d)
{
    const ngi_store *store = d->all->store;
    const ng_dataset_options *o = d->options;
    double share = o->train > 0 ? o->train : store->train;
    int whole = d->all->first == 0 && d->all->order == NULL && d->all->count == store->count;
    int given = whole && o->train == 0 && o->split == NG_SPLIT_AUTO && store->boundary > 0;
    d->shuffled =
        !given && (o->split == NG_SPLIT_SHUFFLED || (o->split == NG_SPLIT_AUTO && !store->ordered));
    d->train = given ? store->boundary : rounded(share, d->all->count);
    if (d->train == 0 || d->train == d->all->count)
        return ng_error_set(d->error, NG_ENODATA, "%s: %zu samples are too few to hold some out",
                            d->all->name, d->all->count);
    return NG_OK;
}

/* quota <- how many of each class are for training, d->train in all: each class by its share,
 * rounded down, and one more where most was lost; at least one, and not all if there are two. */
static void apportion(division *d, size_t classes)
{
    double share = (double)d->train / (double)d->all->count;
    size_t sum = 0;
    for (size_t k = 0; k < classes; k++) {
        size_t n = d->share[k], most = n > 1 ? n - 1 : n, least = n > 0;
        size_t part = (size_t)(share * (double)n + 1e-9);
        d->quota[k] = part < least ? least : part > most ? most : part;
        sum += d->quota[k];
    }
    while (sum < d->train) {
        size_t best = classes;
        double lost = -INFINITY;
        for (size_t k = 0; k < classes; k++) {
            double missing = share * (double)d->share[k] - (double)d->quota[k];
            if (d->quota[k] + 1 < d->share[k] && missing > lost + 1e-9) {
                best = k;
                lost = missing;
            }
        }
        if (best == classes)
            break; /* singletons fill the training part */
        d->quota[best]++;
        sum++;
    }
    d->train = sum;
}

/* ---- Which --------------------------------------------------------------------------------- */

static int label_of(const ng_dataset *dataset, size_t i)
{
    return ngi_store_label(dataset->store, ngi_dataset_row(dataset, i));
}

static ng_status draw_order(division *d)
{
    ng_random random;
    const size_t count = d->all->count;
    d->index = malloc(count * sizeof *d->index);
    d->order = malloc(sizeof *d->order + count * sizeof *d->order->at);
    if (d->order != NULL)
        atomic_init(&d->order->users, 1); /* release counts down, whatever else fails */
    if (d->index == NULL || d->order == NULL)
        return ng_error_set(d->error, NG_ENOMEM, "no memory for the order of %zu samples", count);
    for (size_t i = 0; i < count; i++)
        d->index[i] = i;
    TRY(ng_rng_create(&random, d->options->seed, d->error));
    ng_rng_shuffle(&random, d->index, count);
    ng_rng_destroy(&random);
    return NG_OK;
}

/* The shuffled samples, each class's first for training. */
static ng_status shuffle(division *d)
{
    const ng_dataset *all = d->all;
    size_t classes = all->schema->labels.count, taken = 0, left;
    int strata = classes > 0 && ng_dataset_labelled(all);
    TRY(draw_order(d));
    if (!strata)
        classes = 1;
    d->share = calloc(classes, sizeof *d->share);
    d->quota = calloc(classes, sizeof *d->quota);
    if (d->share == NULL || d->quota == NULL)
        return ng_error_set(d->error, NG_ENOMEM, "no memory for %zu classes", classes);
    for (size_t i = 0; i < all->count; i++)
        d->share[strata ? label_of(all, i) : 0]++;
    apportion(d, classes);
    left = d->train;
    for (size_t i = 0; i < all->count; i++) {
        size_t sample = d->index[i], *quota = &d->quota[strata ? label_of(all, sample) : 0];
        size_t *place = *quota > 0 ? &taken : &left;
        *quota -= *quota > 0;
        d->order->at[(*place)++] = ngi_dataset_row(all, sample);
    }
    return NG_OK;
}

/* ---- The parts ----------------------------------------------------------------------------- */

static ng_status only_held_out(const division *d, size_t i, int label)
{
    const ng_dataset *part = d->parts[1];
    const ng_schema *schema = part->schema;
    char shown[NGI_SHOWN];
    size_t row = ngi_dataset_row(part, i), column = 0;
    while (column < schema->columns && schema->column[column].role != NGI_LABEL)
        column++;
    int lines = part->store->lines != NULL;
    return ng_error_set(d->error, NG_EFORMAT,
                        "%s: %s %zu, column %zu: the label \"%s\" is only in the held-out part; "
                        "split=shuffled, or order the file",
                        part->name, lines ? "line" : "sample",
                        lines ? part->store->lines[row] : row + 1, column + 1,
                        ngi_shown(shown, ngi_span_of(schema->labels.text[label])));
}

/* What is to be recognised must have been seen; not asked of texts, nor of how a source divides
 * itself. */
static ng_status check_labels(const division *d, unsigned char *seen)
{
    size_t classes = 0;
    for (size_t i = 0; i < d->parts[0]->count; i++) {
        int label = label_of(d->parts[0], i);
        classes += !seen[label];
        seen[label] = 1;
    }
    for (size_t i = 0; i < d->parts[1]->count; i++) {
        int label = label_of(d->parts[1], i);
        if (!seen[label])
            return only_held_out(d, i, label);
    }
    if (classes == 1)
        return ng_error_set(d->error, NG_EFORMAT,
                            "%s: the %zu samples for training are all of one class", d->all->name,
                            d->parts[0]->count);
    return NG_OK;
}

static ng_status check_parts(const division *d)
{
    int own = d->all->store->ordered && d->options->split == NG_SPLIT_AUTO;
    if (d->all->store->labels == NULL || own)
        return NG_OK;
    unsigned char *seen = calloc(d->all->schema->labels.count, 1);
    if (seen == NULL)
        return ng_error_set(d->error, NG_ENOMEM, "no memory for the classes");
    ng_status status = check_labels(d, seen);
    free(seen);
    return status;
}

static void take_order(ng_dataset *part, ngi_order *order, size_t first)
{
    if (part->order != NULL)
        atomic_fetch_sub(&part->order->users, 1); /* the whole's, which lives */
    atomic_fetch_add(&order->users, 1);
    part->order = order;
    part->first = first;
}

static ng_status divide(division *d)
{
    TRY(decide(d));
    if (d->shuffled)
        TRY(shuffle(d));
    size_t rest = d->all->count - d->train;
    if (rest == 0)
        return ng_error_set(d->error, NG_ENODATA,
                            "%s: with one sample of most classes none can be "
                            "held out",
                            d->all->name);
    TRY(ng_dataset_view(&d->parts[0], d->all, 0, d->train, d->error));
    TRY(ng_dataset_view(&d->parts[1], d->all, d->train, rest, d->error));
    for (int i = 0; i < 2 && d->shuffled; i++)
        take_order(d->parts[i], d->order, i == 0 ? 0 : d->train);
    TRY(check_parts(d));
    if (!d->all->store->layout->table || d->all->followed)
        return NG_OK;
    TRY(ngi_fit(&d->schema, d->parts[0], ngi_scale_of(d->all->store, d->options->scale), d->error));
    for (int i = 0; i < 2; i++) {
        ng_schema_destroy(d->parts[i]->schema);
        d->parts[i]->schema = ng_schema_share(d->schema);
    }
    return NG_OK;
}

static void release(division *d)
{
    if (d->order != NULL && atomic_fetch_sub(&d->order->users, 1) == 1)
        free(d->order);
    free(d->index);
    free(d->quota);
    free(d->share);
    ng_schema_destroy(d->schema);
    ng_dataset_destroy(d->parts[0]);
    ng_dataset_destroy(d->parts[1]);
}

ng_status ng_dataset_split(ng_dataset **train, ng_dataset **held_out, const ng_dataset *dataset,
                           const ng_dataset_options *options, ng_error *error)
{
    ng_dataset_options defaults;
    if (train == NULL || held_out == NULL || dataset == NULL)
        return ng_error_set(error, NG_EARG, "train, held_out or dataset is NULL");
    *train = *held_out = NULL;
    ng_dataset_init(&defaults);
    division d = {.all = dataset, .options = options != NULL ? options : &defaults, .error = error};
    TRY(ng_dataset_options_check(d.options, error));
    ng_status status = divide(&d);
    if (status == NG_OK) {
        *train = d.parts[0];
        *held_out = d.parts[1];
        d.parts[0] = d.parts[1] = NULL;
    }
    release(&d);
    return status;
}
