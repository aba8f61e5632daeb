/* The table of options, and what reads it. */
#include <natgrad/train/data_options.h>

#include <string.h>

#include <natgrad/number.h>

#include "lib/core/try.h"

#define FIELD(name) offsetof(ng_dataset_options, name)

static const char *const tasks[] = {"classification", "regression", NULL};
static const char *const headers[] = {"auto", "yes", "no", NULL};
static const char *const missings[] = {"refuse", "mean", "drop", NULL};
static const char *const scales[] = {"auto", "none", "standard", "minmax", NULL};
static const char *const splits[] = {"auto", "shuffled", "order", NULL};
static const char *const dtypes[] = {"f32", "f64", NULL};

static const ng_dataset_option table[] = {
    {"task", NG_DATASET_CHOICE, FIELD(task), .choices = tasks,
     .doc = "what the label column(s) are: classes, or numbers to predict"},
    {"header", NG_DATASET_CHOICE, FIELD(header), .choices = headers,
     .doc = "whether the first line of a table names its columns"},
    {"separator", NG_DATASET_TEXT, FIELD(separator), .text = "auto",
     .doc = "of columns: auto, space, tab, or a character"},
    {"decimal", NG_DATASET_TEXT, FIELD(decimal), .text = ".", .doc = "the decimal point: . or ,"},
    {"label", NG_DATASET_TEXT, FIELD(label),
     .doc = "column by name or number from 1 (regression: several, by commas); default: the last"},
    {"ignore", NG_DATASET_TEXT, FIELD(ignore), .doc = "columns to leave out, by commas"},
    {"categorical", NG_DATASET_TEXT, FIELD(categorical),
     .doc = "columns of words though they begin with a number, by commas"},
    {"categories", NG_DATASET_COUNT, FIELD(categories), 32, 2, 65536,
     .doc = "most different words of a column, each a feature 0 or 1"},
    {"missing", NG_DATASET_CHOICE, FIELD(missing), .choices = missings,
     .doc = "rows that lack a value: an error, the column's mean instead, or left out"},
    {"dtype", NG_DATASET_CHOICE, FIELD(dtype), .choices = dtypes,
     .doc = "of a table's numbers in memory"},
    {"scale", NG_DATASET_CHOICE, FIELD(scale), .choices = scales,
     .doc = "of a table's features, fitted on the training part; auto: standard"},
    {"split", NG_DATASET_CHOICE, FIELD(split), .choices = splits,
     .doc = "who is held out: drawn, every class by its share; or the last (time series, text)"},
    {"train", NG_DATASET_REAL, FIELD(train), 0, 0, 1,
     .doc = "the share for training; 0: 0.8, of texts 0.9, or as the source is divided"},
    {"seed", NG_DATASET_SEED, FIELD(seed), 2026, 0, 0x1p53,
     .doc = "of the shuffle and of what is generated"},
    {"context", NG_DATASET_COUNT, FIELD(context), 8, 1, 1 << 20,
     .doc = "characters of a text seen before the one to predict"},
    {"classes", NG_DATASET_COUNT, FIELD(classes), 10, 1, 256, .doc = "of a mixture"},
    {"features", NG_DATASET_COUNT, FIELD(features), 20, 1, 1 << 20, .doc = "of a mixture"},
    {"separation", NG_DATASET_REAL, FIELD(separation), 4, 0, 1e6,
     .doc = "root mean square distance of a mixture's centres, in their standard deviations"},
};

enum { OPTIONS = sizeof table / sizeof *table };

const ng_dataset_option *ng_dataset_option_get(size_t i)
{
    return i < OPTIONS ? &table[i] : NULL;
}

static void store_number(void *field, ng_dataset_option_kind kind, double value)
{
    if (kind == NG_DATASET_CHOICE)
        *(int *)field = (int)value; /* an enum */
    else if (kind == NG_DATASET_COUNT)
        *(size_t *)field = (size_t)value;
    else if (kind == NG_DATASET_SEED)
        *(uint64_t *)field = (uint64_t)value;
    else
        *(double *)field = value;
}

ng_status ng_dataset_init_sized(ng_dataset_options *options, size_t size)
{
    if (options == NULL || size != sizeof *options)
        return NG_EOPTION;
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
    for (size_t i = 0; i < OPTIONS; i++) {
        void *field = (char *)options + table[i].offset;
        if (table[i].kind == NG_DATASET_TEXT)
            *(const char **)field = table[i].text;
        else
            store_number(field, table[i].kind, table[i].value);
    }
    return NG_OK;
}

/* ---- Set ------------------------------------------------------------------------------ */

static ng_status set_choice(const ng_dataset_option *option, void *field, const char *text,
                            ng_error *error)
{
    char known[160] = "";
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            store_number(field, NG_DATASET_CHOICE, i);
            return NG_OK;
        }
        strcat(strcat(known, i > 0 ? ", " : ""), option->choices[i]); /* at most 40 bytes */
    }
    return ng_error_set(error, NG_EOPTION, "%s=%.40s: not one of %s", option->name, text, known);
}

static ng_status set_number(const ng_dataset_option *option, void *field, const char *text,
                            ng_error *error)
{
    double value;
    size_t length = ng_number_read(&value, text);
    int whole = option->kind != NG_DATASET_REAL;
    if (length == 0 || text[length] != '\0' || !(value >= option->min && value <= option->max) ||
        (whole && value != (double)(uint64_t)value))
        return ng_error_set(error, NG_EOPTION, "%s=%.40s: expected a %snumber, %.17g ... %.17g",
                            option->name, text, whole ? "whole " : "", option->min, option->max);
    store_number(field, option->kind, value);
    return NG_OK;
}

ng_status ng_dataset_options_set(ng_dataset_options *options, const char *name, const char *text,
                                 ng_error *error)
{
    if (options == NULL || name == NULL || text == NULL)
        return ng_error_set(error, NG_EARG, "options, name or text is NULL");
    if (options->size != sizeof *options)
        return ng_error_set(error, NG_EOPTION, "options of %zu bytes, this library's have %zu",
                            options->size, sizeof *options);
    for (size_t i = 0; i < OPTIONS; i++) {
        void *field = (char *)options + table[i].offset;
        if (strcmp(table[i].name, name) != 0)
            continue;
        if (table[i].kind == NG_DATASET_CHOICE)
            return set_choice(&table[i], field, text, error);
        if (table[i].kind != NG_DATASET_TEXT)
            return set_number(&table[i], field, text, error);
        *(const char **)field = text;
        return NG_OK;
    }
    return ng_error_set(error, NG_EOPTION, "there is no data option %.60s", name);
}

/* ---- Check ------------------------------------------------------------------------------- */

static double number_in(const void *field, ng_dataset_option_kind kind)
{
    if (kind == NG_DATASET_CHOICE)
        return *(const int *)field;
    if (kind == NG_DATASET_COUNT)
        return (double)*(const size_t *)field;
    return kind == NG_DATASET_SEED ? (double)*(const uint64_t *)field : *(const double *)field;
}

static double largest(const ng_dataset_option *option)
{
    int count = 0;
    while (option->choices != NULL && option->choices[count] != NULL)
        count++;
    return count > 0 ? count - 1 : option->max;
}

static ng_status check_texts(const ng_dataset_options *o, ng_error *error)
{
    const char *s = o->separator, *d = o->decimal;
    int known =
        s != NULL && (strcmp(s, "auto") == 0 || strcmp(s, "space") == 0 || strcmp(s, "tab") == 0);
    if (s == NULL || (!known && (strlen(s) != 1 || strchr("\"\n\r.+-#", *s) != NULL ||
                                 (*s >= '0' && *s <= '9'))))
        return ng_error_set(error, NG_EOPTION,
                            "separator=%.40s: expected auto, space, tab, or a "
                            "character that is no part of a number",
                            s != NULL ? s : "NULL");
    if (d == NULL || (strcmp(d, ".") != 0 && strcmp(d, ",") != 0))
        return ng_error_set(error, NG_EOPTION, "decimal=%.40s: expected . or ,",
                            d != NULL ? d : "NULL");
    if (strcmp(s, d) == 0)
        return ng_error_set(error, NG_EOPTION, "separator and decimal are both %s", s);
    return NG_OK;
}

ng_status ng_dataset_options_check(const ng_dataset_options *options, ng_error *error)
{
    if (options->size != sizeof *options)
        return ng_error_set(error, NG_EOPTION,
                            "ng_dataset_options of %zu bytes, this library's have %zu: another "
                            "version, or not from ng_dataset_init",
                            options->size, sizeof *options);
    for (size_t i = 0; i < OPTIONS; i++) {
        const ng_dataset_option *option = &table[i];
        if (option->kind == NG_DATASET_TEXT || option->kind == NG_DATASET_SEED)
            continue;
        double value = number_in((const char *)options + option->offset, option->kind);
        double max = largest(option);
        if (!(value >= option->min && value <= max))
            return ng_error_set(error, NG_EOPTION, "%s is %g, expected %g ... %g", option->name,
                                value, option->min, max);
    }
    return check_texts(options, error);
}
