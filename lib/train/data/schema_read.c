/* The text of schema_write.c, every word of it checked. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/number.h>

#include "lib/core/try.h"
#include "lib/train/data/schema.h"

typedef struct {
    ng_schema *schema;
    const char *at;    /* what is still to be read */
    ngi_span rest;     /* of the line */
    size_t line, room; /* room: of columns */
    char *word;        /* the last word, owned; as long as the text */
    size_t size;       /* of the word */
    ng_error *error;
} reader;

static ng_status bad(const reader *r, const char *what)
{
    return ng_error_set(r->error, NG_EFORMAT, "schema, line %zu: %s", r->line, what);
}

static int next_line(reader *r)
{
    if (*r->at == '\0')
        return 0;
    size_t size = strcspn(r->at, "\n");
    r->rest = (ngi_span){r->at, size};
    r->at += size + (r->at[size] == '\n');
    r->line++;
    return 1;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* r->word <- the next word of the line; NG_EFORMAT when there is none */
static ng_status next_word(reader *r)
{
    const char *at = r->rest.at, *end = at + r->rest.size;
    r->size = 0;
    if (at == end)
        return bad(r, "ends too early");
    const char *first = at;
    for (; at < end && *at != ' '; at++) {
        if (*at <= ' ' || *at > 126)
            return bad(r, "a byte that should be %xx");
        if (*at != '%') {
            r->word[r->size++] = *at;
            continue;
        }
        if (at == first && (at + 1 == end || at[1] == ' '))
            continue; /* empty */
        if (end - at < 3 || digit(at[1]) < 0 || digit(at[2]) < 0)
            return bad(r, "% without two hexadecimal digits");
        r->word[r->size++] = (char)(16 * digit(at[1]) + digit(at[2]));
        at += 2;
    }
    if (at == first)
        return bad(r, "two blanks");
    if (at < end && at + 1 == end)
        return bad(r, "a blank at its end");
    r->word[r->size] = '\0';
    at += at < end;
    r->rest = (ngi_span){at, (size_t)(end - at)};
    return NG_OK;
}

static ng_status next_name(reader *r)
{
    TRY(next_word(r));
    return memchr(r->word, '\0', r->size) == NULL ? NG_OK : bad(r, "a zero byte in a name");
}

static ng_status next_choice(reader *r, const char *const *names, size_t count, size_t *choice)
{
    TRY(next_name(r));
    for (*choice = 0; *choice < count; ++*choice)
        if (strcmp(names[*choice], r->word) == 0)
            return NG_OK;
    return bad(r, "an unknown word");
}

static ng_status next_number(reader *r, double *value)
{
    TRY(next_name(r));
    size_t length = ng_number_read(value, r->word);
    return length > 0 && r->word[length] == '\0' && isfinite(*value)
               ? NG_OK
               : bad(r, "expected a finite number");
}

static ng_status next_count(reader *r, size_t *count, double most)
{
    double value;
    TRY(next_number(r, &value));
    if (!(value >= 1 && value <= most && value == floor(value)))
        return bad(r, "a count that is out of range");
    *count = (size_t)value;
    return NG_OK;
}

static ng_status add_name(reader *r, ngi_names *names, size_t most)
{
    size_t number, before = names->count;
    if (r->size == 0)
        return bad(r, "an empty name"); /* an empty cell is a missing value */
    ng_status status = ngi_names_add(names, &number, (ngi_span){r->word, r->size}, most);
    if (status == NG_ERANGE)
        return bad(r, "too many names");
    if (status != NG_OK)
        return ng_error_set(r->error, status, "no memory for a schema");
    return names->count > before ? NG_OK : bad(r, "a name that is there already");
}

/* ---- Lines ------------------------------------------------------------------------------------
 */

static ng_status grow(reader *r)
{
    ng_schema *schema = r->schema;
    size_t room = r->room > 0 ? 2 * r->room : 16;
    if (schema->columns < r->room)
        return NG_OK;
    ngi_column *grown =
        room <= 2 * NGI_COLUMNS ? realloc(schema->column, room * sizeof *grown) : NULL;
    if (grown == NULL)
        return ng_error_set(r->error, NG_ENOMEM, "no memory for %zu columns", room);
    schema->column = grown;
    r->room = room;
    return NG_OK;
}

static ng_status read_column(reader *r)
{
    char place[NGI_PLACE];
    size_t role;
    TRY(grow(r));
    ngi_column *column = &r->schema->column[r->schema->columns];
    *column = (ngi_column){.factor = 1};
    r->schema->columns++;
    TRY(next_choice(r, ngi_roles, NGI_ROLES, &role));
    column->role = (ngi_role)role;
    TRY(next_name(r));
    ngi_span name = ngi_name_at(place, (ngi_span){r->word, r->size}, r->schema->columns - 1);
    TRY(ngi_column_name(column, name, r->error));
    if (ngi_is_scaled(column)) {
        TRY(next_number(r, &column->fill));
        TRY(next_number(r, &column->offset));
        TRY(next_number(r, &column->factor));
        if (!(column->factor > 0))
            return bad(r, "a factor that is not positive");
    }
    while (column->role == NGI_CATEGORY && r->rest.size > 0) {
        TRY(next_name(r));
        TRY(add_name(r, &column->categories, NGI_NAMES));
    }
    if (column->role == NGI_CATEGORY && column->categories.count < 2)
        return bad(r, "less than two categories");
    return NG_OK;
}

static ng_status read_label(reader *r)
{
    TRY(next_name(r));
    return add_name(r, &r->schema->labels, NGI_NAMES);
}

static ng_status read_kind(reader *r)
{
    TRY(next_name(r));
    if (r->size >= NGI_KIND)
        return bad(r, "a kind that is none");
    memcpy(r->schema->kind, r->word, r->size + 1);
    return NG_OK;
}

static ng_status read_task(reader *r)
{
    size_t choice;
    const char *const names[] = {ng_task_name(NG_TASK_CLASSIFICATION),
                                 ng_task_name(NG_TASK_REGRESSION)};
    TRY(next_choice(r, names, 2, &choice));
    r->schema->task = (ng_task)choice;
    return NG_OK;
}

static ng_status read_scale(reader *r)
{
    size_t choice;
    const char *const names[] = {ng_scaling_name(NG_SCALE_NONE), ng_scaling_name(NG_SCALE_STANDARD),
                                 ng_scaling_name(NG_SCALE_MINMAX)};
    TRY(next_choice(r, names, 3, &choice));
    r->schema->scale = (ng_scaling)(choice + NG_SCALE_NONE);
    return NG_OK;
}

static ng_status read_header(reader *r)
{
    static const char *const names[] = {"no", "yes"};
    size_t choice;
    TRY(next_choice(r, names, 2, &choice));
    r->schema->header = (int)choice;
    return NG_OK;
}

static ng_status read_features(reader *r)
{
    return next_count(r, &r->schema->features, 0x1p40);
}

static ng_status read_context(reader *r)
{
    return next_count(r, &r->schema->context, 1 << 20);
}

static ng_status read_vocabulary(reader *r)
{
    ng_schema *schema = r->schema;
    TRY(next_word(r));
    for (size_t k = 1; k < r->size; k++)
        if ((unsigned char)r->word[k - 1] >= (unsigned char)r->word[k])
            return bad(r, "a vocabulary that does not ascend");
    if (r->size == 0 || r->size > NGI_BYTES)
        return bad(r, "a vocabulary of no bytes");
    memcpy(schema->vocabulary, r->word, r->size);
    schema->vocabulary_size = r->size;
    return NG_OK;
}

static ng_status read_line(reader *r)
{
    static const struct {
        const char *name;
        ng_status (*read)(reader *r);
    } lines[] = {{"kind", read_kind},         {"task", read_task},
                 {"scale", read_scale},       {"header", read_header},
                 {"features", read_features}, {"context", read_context},
                 {"column", read_column},     {"vocabulary", read_vocabulary},
                 {"label", read_label}};
    TRY(next_name(r));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strcmp(lines[i].name, r->word) == 0) {
            TRY(lines[i].read(r));
            return r->rest.size == 0 ? NG_OK : bad(r, "goes on too long");
        }
    return bad(r, "an unknown word");
}

/* ---- The whole ------------------------------------------------------------------------------- */

static ng_status check(const reader *r)
{
    const ng_schema *schema = r->schema;
    size_t labels = 0, features = schema->features, twice[2];
    for (size_t j = 0; j < schema->columns; j++)
        labels += schema->column[j].role == NGI_LABEL;
    int regression = schema->task == NG_TASK_REGRESSION;
    TRY(ngi_schema_twice(schema, twice, r->error));
    if (schema->header && twice[0] != twice[1])
        return bad(r, "two columns of one name");
    if (schema->kind[0] == '\0' || features == 0)
        return bad(r, "no kind or no features in it");
    if (schema->columns > 0 && (labels != !regression || (schema->targets > 0) != regression))
        return bad(r, "its label and target columns do not fit its task");
    if ((schema->labels.count > 0) == regression)
        return bad(r, "its labels do not fit its task");
    if ((schema->context > 0) != (schema->vocabulary_size > 0) ||
        (schema->context > 0 &&
         (schema->columns > 0 || schema->labels.count != schema->vocabulary_size)))
        return bad(r, "its text, labels and vocabulary do not fit together");
    if (schema->context > 0 && features != schema->context &&
        features != schema->context * schema->vocabulary_size)
        return bad(r, "its features do not fit its context");
    return NG_OK;
}

static ng_status read_all(reader *r, const char *text)
{
    r->at = text;
    r->word = malloc(strlen(text) + 1);
    if (r->word == NULL)
        return ng_error_set(r->error, NG_ENOMEM, "no memory for a schema");
    TRY(ngi_schema_create(&r->schema, "", r->error));
    if (!next_line(r) || r->rest.size != strlen(ngi_schema_magic) ||
        memcmp(r->rest.at, ngi_schema_magic, r->rest.size) != 0)
        return ng_error_set(r->error, NG_EFORMAT, "schema, line 1: expected \"%s\"",
                            ngi_schema_magic);
    while (next_line(r))
        TRY(read_line(r));
    if (r->schema->columns > 0)
        ngi_schema_count(r->schema);
    return check(r);
}

ng_status ng_schema_read(ng_schema **schema, const char *text, ng_error *error)
{
    reader r = {.error = error};
    if (schema == NULL || text == NULL)
        return ng_error_set(error, NG_EARG, "%s is NULL", text == NULL ? "text" : "schema");
    *schema = NULL;
    ng_status status = read_all(&r, text);
    free(r.word);
    if (status == NG_OK)
        *schema = r.schema;
    else
        ng_schema_destroy(r.schema);
    return status;
}
