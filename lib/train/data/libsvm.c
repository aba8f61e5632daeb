/* Lines `label index:value index:value ...` with ascending indices (LIBSVM, svmlight), made dense:
 * what is not there is 0. The file is read twice, first for the largest index. */
#include <math.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/train/data/decimal.h"
#include "lib/train/data/lines.h"
#include "lib/train/data/table.h"

enum { INDEX = 1 << 20, DENSE_FREE = 1 << 20, DENSE_PER_BYTE = 256 };

typedef struct {
    ngi_opening *o;
    ngi_lines lines;
    size_t least, largest; /* indices of the whole file */
    size_t rows, features;
    size_t first; /* the index of the first feature */
} libsvm_reader;

static ng_status bad(const libsvm_reader *r, ngi_span found, const char *expected)
{
    char shown[NGI_SHOWN];
    return ngi_file_fail(&r->o->file, NG_EFORMAT, "line %zu: \"%s\", expected %s", r->o->line,
                         ngi_shown(shown, found), expected);
}

/* Cuts index:value off the rest; *index <- SIZE_MAX behind the last. */
static ng_status next_pair(const libsvm_reader *r, ngi_span *rest, size_t *index, double *value,
                           size_t before)
{
    *index = SIZE_MAX;
    if (rest->at == NULL)
        return NG_OK;
    ngi_span pair = ngi_next_column(rest, ' ', NULL);
    if (pair.size == 0)
        return NG_OK;
    if (*pair.at == '#') {
        rest->at = NULL;
        return NG_OK;
    }
    const char *end = pair.at + pair.size, *colon = memchr(pair.at, ':', pair.size);
    if (pair.size > 4 && memcmp(pair.at, "qid:", 4) == 0)
        return bad(r, pair, "no queries: ranking is not supported");
    size_t number = 0;
    for (const char *at = pair.at; colon != NULL && at < colon && number <= INDEX; at++) {
        if (*at < '0' || *at > '9')
            return bad(r, pair, "index:value");
        number = 10 * number + (size_t)(*at - '0');
    }
    if (colon == NULL || colon == pair.at || !ngi_decimal(value, colon + 1, end, '.'))
        return bad(r, pair, "index:value, the value a finite number");
    if (number >= INDEX)
        return bad(r, pair, "an index below 1048576");
    if (before != SIZE_MAX && number <= before)
        return bad(r, pair, "indices in ascending order");
    *index = number;
    return NG_OK;
}

static ng_status next_line(libsvm_reader *r, ngi_span *label, ngi_span *rest, int *more)
{
    TRY(ngi_lines_next(&r->lines, rest, more));
    if (!*more)
        return NG_OK;
    *label = ngi_next_column(rest, ' ', NULL);
    if (memchr(label->at, ',', label->size) != NULL)
        return bad(r, *label, "one label");
    return memchr(label->at, ':', label->size) != NULL ? bad(r, *label, "a label first") : NG_OK;
}

static ng_status measure(libsvm_reader *r)
{
    ngi_span label, rest;
    int more;
    r->least = SIZE_MAX;
    for (;;) {
        size_t index, before = SIZE_MAX;
        double value;
        TRY(next_line(r, &label, &rest, &more));
        if (!more)
            return NG_OK;
        r->rows++;
        for (;; before = index) {
            TRY(next_pair(r, &rest, &index, &value, before));
            if (index == SIZE_MAX)
                break;
            r->least = index < r->least ? index : r->least;
            r->largest = index > r->largest ? index : r->largest;
        }
    }
}

static ng_status check_size(const libsvm_reader *r)
{
    const ngi_file *file = &r->o->file;
    size_t dense = r->rows * r->features, allowed = DENSE_FREE + DENSE_PER_BYTE * file->given;
    if (r->rows == 0)
        return ngi_file_fail(file, NG_EFORMAT, "the file is empty");
    if (r->least == SIZE_MAX)
        return ngi_file_fail(file, NG_EFORMAT, "it has no index:value at all");
    return dense <= allowed ? NG_OK
                            : ngi_file_fail(file, NG_ERANGE,
                                            "%zu rows of %zu dense numbers are more than %d for "
                                            "each of its bytes",
                                            r->rows, r->features, DENSE_PER_BYTE);
}

static ng_status set_columns(libsvm_reader *r)
{
    const ng_schema *model = r->o->model;
    if (model != NULL) { /* columns "0" or "1", ... and the label */
        r->features = model->columns - 1;
        r->first = model->columns > 0 && strcmp(model->column[0].name, "0") == 0 ? 0 : 1;
        if (r->least != SIZE_MAX && (r->largest >= r->first + r->features || r->least < r->first))
            return ngi_file_fail(&r->o->file, NG_EFORMAT, "index %zu, the model has %zu ... %zu",
                                 r->least < r->first ? r->least : r->largest, r->first,
                                 r->first + r->features - 1);
    } else {
        r->first = r->least == 0 ? 0 : 1;
        r->features = r->largest + 1 - r->first;
    }
    TRY(check_size(r));
    ngi_columns found = {.count = r->features + 1, .first = r->first, .label = r->features};
    return ngi_table_columns(r->o, &found);
}

static ng_status read_row(libsvm_reader *r, ngi_span label, ngi_span rest)
{
    ngi_opening *o = r->o;
    double value;
    size_t index, next = 0, before = SIZE_MAX;
    TRY(ngi_table_row(o));
    ngi_table_look(o, r->features, ngi_is_missing(label));
    for (;; before = index) {
        TRY(next_pair(r, &rest, &index, &value, before));
        size_t stop = index == SIZE_MAX ? r->features : index - r->first;
        for (; next < stop; next++)
            TRY(ngi_table_number(o, next, 0));
        if (index == SIZE_MAX)
            break;
        TRY(ngi_table_number(o, next++, value));
    }
    TRY(ngi_table_cell(o, r->features, label, '.'));
    return ngi_table_keep(o);
}

static ng_status read_libsvm(ngi_opening *o)
{
    libsvm_reader r = {.o = o};
    ngi_span label, rest;
    int more;
    TRY(ngi_lines_open(&r.lines, o, o->what, 0));
    TRY(measure(&r));
    TRY(set_columns(&r));
    TRY(ngi_lines_restart(&r.lines));
    for (;;) {
        TRY(next_line(&r, &label, &rest, &more));
        if (!more)
            return ngi_table_finish(o);
        TRY(read_row(&r, label, rest));
    }
}

const ngi_kind ngi_kind_libsvm = {
    .shown = {"libsvm", "FILE", "label index:value ... in lines"},
    .layout = &ngi_tables,
    .read = read_libsvm,
};
