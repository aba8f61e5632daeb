/* What a training must agree in with the one it goes on from, as lines of text. */
#include "lib/train/trainer/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/number.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"

enum { VALUE = 64 };

typedef struct {
    char *text;
    size_t size, length; /* length: of all, though cut */
} writer;

static void add(writer *w, const char *text)
{
    for (; *text != '\0'; text++, w->length++)
        if (w->length + 1 < w->size)
            w->text[w->length] = *text;
}

static void put(writer *w, const char *group, const char *name, const char *value)
{
    add(w, group);
    add(w, name);
    add(w, "=");
    add(w, value);
    add(w, "\n");
}

static void put_number(writer *w, const char *name, double value)
{
    char text[NG_NUMBER_SIZE];
    ng_number_write(text, sizeof text, value);
    put(w, "", name, text);
}

static void put_options(writer *w, const char *group, const void *options)
{
    for (size_t i = 0; i < ng_options_count(options); i++) {
        char value[VALUE];
        const char *name = ng_options_at(options, i)->name;
        ng_options_get_text(options, name, value, sizeof value, NULL);
        put(w, group, name, value);
    }
}

/* Its max_batch is a matter of room. */
static void put_model(writer *w, const ng_model *model)
{
    put(w, "", "model", model->kind->name);
    put(w, "", "dtype", model->dtype == NG_F32 ? "f32" : "f64");
    for (size_t i = 0; i < model->kind->field_count; i++) {
        const ngi_field *f = &model->kind->fields[i];
        char value[VALUE * 4];
        if (strcmp(f->name, "max_batch") == 0)
            continue;
        ngi_field_write(model->options, f, value, sizeof value);
        put(w, "model.", f->name, value);
    }
}

static size_t write_all(const ng_trainer *t, char *text, size_t size)
{
    const ng_trainer_options *o = &t->o;
    writer w = {text, size, 0};
    char seed[VALUE];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)o->seed);
    put_model(&w, t->model);
    put_number(&w, "batch", (double)o->batch);
    if (t->exchange.shards > 1) /* one has the bits of none */
        put_number(&w, "shards", (double)t->exchange.shards);
    put(&w, "", "seed", seed);
    put(&w, "", "schedule", ng_schedule_shape_name(NULL, o->schedule));
    put_number(&w, "warmup", o->warmup);
    put_number(&w, "final", o->final);
    put_number(&w, "decay", o->decay);
    put_number(&w, "ema", o->ema);
    put(&w, "", "fisher", ng_trainer_fisher_name(o->fisher));
    put(&w, "", "patience", o->patience > 0 ? "yes" : "no");
    put(&w, "", "method", ng_method_name(((const ngi_head *)o->method)->method));
    put_options(&w, "method.", o->method);
    if (t->rest != NULL && o->rest != NULL)
        put_options(&w, "rest.", o->rest);
    if (size > 0)
        text[w.length < size ? w.length : size - 1] = '\0';
    return w.length;
}

ng_status ngi_settings_create(char **text, const ng_trainer *t, ng_error *error)
{
    size_t size = write_all(t, NULL, 0) + 1;
    *text = malloc(size);
    if (*text == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for the settings of a trainer");
    write_all(t, *text, size);
    return NG_OK;
}

static int line_length(const char *text)
{
    size_t length = strcspn(text, "\n");
    return length < 80 ? (int)length : 80;
}

ng_status ngi_settings_agree(const char *here, const char *there, ng_error *error)
{
    while (*here != '\0' && *here == *there) {
        size_t a = strcspn(here, "\n"), b = strcspn(there, "\n");
        if (a != b || memcmp(here, there, a) != 0)
            break;
        here += a + (here[a] == '\n');
        there += b + (there[b] == '\n');
    }
    if (*here == *there && *here == '\0')
        return NG_OK;
    return ng_error_set(error, NG_EOPTION, "saved with %.*s, this trainer has %.*s",
                        line_length(there), there, line_length(here), here);
}
