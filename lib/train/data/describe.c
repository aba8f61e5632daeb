/* What was found and decided, in words. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <natgrad/number.h>

#include "lib/train/data/dataset.h"
#include "lib/train/data/table.h"

enum { LISTED = 12 }; /* names of one kind */

typedef struct {
    char *text;
    size_t size, length; /* length: of all that was said, though cut */
} writer;

static void say(writer *w, const char *format, ...) NG_PRINTF(2, 3);

static void say(writer *w, const char *format, ...)
{
    va_list args;
    size_t at = w->length < w->size ? w->length : w->size;
    va_start(args, format);
    int n = vsnprintf(w->text != NULL ? w->text + at : NULL, w->size - at, format, args);
    va_end(args);
    w->length += n > 0 ? (size_t)n : 0;
}

/* Columns of a role, or nothing. */
static void say_columns(writer *w, const ng_schema *schema, ngi_role role, const char *what)
{
    size_t count = 0;
    char shown[NGI_SHOWN];
    for (size_t j = 0; j < schema->columns; j++) {
        const ngi_column *column = &schema->column[j];
        if (column->role != role)
            continue;
        if (count < LISTED)
            say(w, "%s%s", count == 0 ? what : ", ", ngi_shown(shown, ngi_span_of(column->name)));
        if (count < LISTED && role == NGI_CATEGORY)
            say(w, " (%zu)", column->categories.count);
        count++;
    }
    if (count > LISTED)
        say(w, " and %zu more", count - LISTED);
    if (count > 0)
        say(w, "\n");
}

static size_t count_label(const ng_dataset *dataset, int label)
{
    size_t count = 0;
    for (size_t i = 0; i < dataset->count; i++)
        count += ngi_store_label(dataset->store, ngi_dataset_row(dataset, i)) == label;
    return count;
}

/* Each class with its samples, here and held out. */
static void say_classes(writer *w, const ng_dataset *dataset, const ng_dataset *held_out)
{
    const ngi_names *labels = &dataset->schema->labels;
    char shown[NGI_SHOWN];
    size_t least = dataset->count, most = 0;
    if (labels->count == 0 || dataset->store->layout->text || !ng_dataset_labelled(dataset))
        return;
    say(w, "classes: %zu", labels->count);
    for (size_t k = 0; k < labels->count && k < LISTED; k++) {
        size_t n = count_label(dataset, (int)k);
        least = n < least ? n : least;
        most = n > most ? n : most;
        say(w, "%s %s %zu", k == 0 ? ":" : ",", ngi_shown(shown, ngi_span_of(labels->text[k])), n);
        if (held_out != NULL)
            say(w, "+%zu", count_label(held_out, (int)k));
    }
    say(w, "%s\n", labels->count > LISTED ? ", ..." : "");
    if (most > 10 * least)
        say(w, "note: the largest class has %zu samples, the smallest %zu\n", most, least);
}

static void say_scaling(writer *w, const ng_dataset *dataset, const ng_dataset *held_out)
{
    const ng_schema *schema = dataset->schema;
    if (schema->scale == NG_SCALE_NONE)
        return;
    say(w, "scaling: %s, fitted on %s\n", ng_scaling_name(schema->scale),
        dataset->followed  ? "the model's training part"
        : held_out != NULL ? "the training part"
                           : "all samples");
}

/* Values whose spread is lost in the digits of single precision. */
static void say_precision(writer *w, const ng_dataset *dataset)
{
    const ng_schema *schema = dataset->schema;
    char shown[NGI_SHOWN];
    for (size_t j = 0; j < schema->columns && dataset->store->table.dtype == NG_F32; j++) {
        const ngi_column *column = &schema->column[j];
        double level = column->fill < 0 ? -column->fill : column->fill;
        if (column->role == NGI_NUMBER && schema->scale == NG_SCALE_STANDARD &&
            level * column->factor > 1e5)
            say(w,
                "note: column %s is around %.6g with a deviation of %.3g: single precision "
                "keeps little of it; dtype=f64\n",
                ngi_shown(shown, ngi_span_of(column->name)), column->fill, 1 / column->factor);
    }
}

size_t ng_dataset_describe(const ng_dataset *dataset, char *text, size_t size,
                           const ng_dataset *held_out)
{
    writer w = {text, text != NULL ? size : 0, 0};
    const ng_schema *schema = dataset->schema;
    const ngi_store *store = dataset->store;
    say(&w, "data: %s, %zu samples, %zu features", dataset->name,
        dataset->count + (held_out != NULL ? held_out->count : 0), schema->features);
    if (held_out != NULL)
        say(&w, "; %zu for training, %zu held out%s", dataset->count, held_out->count,
            dataset->order != NULL ? " (drawn, every class by its share)" : " (the last)");
    say(&w, "\n");
    say(&w, "%s", store->notes);
    say_columns(&w, schema, NGI_CONSTANT, "note: constant, left out: ");
    say_columns(&w, schema, NGI_IGNORED, "left out as asked: ");
    say_columns(&w, schema, NGI_CATEGORY, "words, a feature 0 or 1 each: ");
    say_columns(&w, schema, NGI_LABEL, "label: ");
    say_columns(&w, schema, NGI_TARGET, "targets: ");
    say_classes(&w, dataset, held_out);
    say_scaling(&w, dataset, held_out);
    say_precision(&w, dataset);
    if (store->layout->table && schema->features > dataset->count)
        say(&w, "note: more features (%zu) than rows (%zu)%s\n", schema->features, dataset->count,
            held_out != NULL ? " for training" : "");
    return w.length;
}
