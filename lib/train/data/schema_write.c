/* A schema as lines of text; schema_read.c is the way back.
 *
 *   natgrad schema 1
 *   kind csv
 *   task classification
 *   scale standard
 *   header yes
 *   features 12                       of pictures and texts, which have no columns
 *   context 8
 *   vocabulary %0a%20ab
 *   column number width 5.8 5.8 1.2   name, fill, offset, factor
 *   column category colour red green
 *   column constant, ignored, label   name
 *   column target price 0 0 1
 *   label setosa
 *
 * Words are separated by one blank; bytes other than printable ASCII, the blank and % are
 * %xx. An empty word is %. */
#include <stdio.h>
#include <string.h>

#include <natgrad/number.h>

#include "lib/train/data/schema.h"

typedef struct {
    char *text;
    size_t size, length;
} writer;

static void put(writer *w, const char *text)
{
    for (; *text != '\0'; text++, w->length++)
        if (w->length + 1 < w->size)
            w->text[w->length] = *text;
}

/* A blank and a word */
static void put_word(writer *w, const unsigned char *bytes, size_t size)
{
    put(w, size > 0 ? " " : " %");
    for (size_t i = 0; i < size; i++) {
        char code[4];
        int plain = bytes[i] > ' ' && bytes[i] < 127 && bytes[i] != '%';
        snprintf(code, sizeof code, plain ? "%c" : "%%%02x", bytes[i]);
        put(w, code);
    }
}

static void put_text(writer *w, const char *text)
{
    put_word(w, (const unsigned char *)text, strlen(text));
}

static void put_number(writer *w, double value)
{
    char text[NG_NUMBER_SIZE + 1] = " ";
    ng_number_write(text + 1, sizeof text - 1, value);
    put(w, text);
}

static void put_count(writer *w, const char *what, size_t count)
{
    char text[64];
    snprintf(text, sizeof text, "\n%s %zu", what, count);
    put(w, text);
}

static void put_column(writer *w, const ngi_column *column)
{
    put(w, "\ncolumn");
    put_text(w, ngi_roles[column->role]);
    put_text(w, column->name);
    if (ngi_is_scaled(column)) {
        put_number(w, column->fill);
        put_number(w, column->offset);
        put_number(w, column->factor);
    }
    for (size_t k = 0; k < column->categories.count && column->role == NGI_CATEGORY; k++)
        put_text(w, column->categories.text[k]);
}

size_t ng_schema_write(const ng_schema *schema, char *text, size_t size)
{
    writer w = {text, text != NULL ? size : 0, 0};
    put(&w, ngi_schema_magic);
    put(&w, "\nkind");
    put_text(&w, schema->kind);
    put(&w, "\ntask");
    put_text(&w, ng_task_name(schema->task));
    put(&w, "\nscale");
    put_text(&w, ng_scaling_name(schema->scale));
    put(&w, schema->header ? "\nheader yes" : "\nheader no");
    if (schema->columns == 0)
        put_count(&w, "features", schema->features);
    if (schema->context > 0) {
        put_count(&w, "context", schema->context);
        put(&w, "\nvocabulary");
        put_word(&w, schema->vocabulary, schema->vocabulary_size);
    }
    for (size_t j = 0; j < schema->columns; j++)
        put_column(&w, &schema->column[j]);
    for (size_t k = 0; k < schema->labels.count; k++) {
        put(&w, "\nlabel");
        put_text(&w, schema->labels.text[k]);
    }
    put(&w, "\n");
    if (w.size > 0)
        w.text[w.length < w.size ? w.length : w.size - 1] = '\0';
    return w.length;
}
