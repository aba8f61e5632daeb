/* Where the samples come from, and how they are divided. */
#include "examples/train/train.h"

#include <stdlib.h>
#include <string.h>

#include "examples/support/images.h"
#include "examples/support/samples.h"

static const char default_text[] = "/usr/share/common-licenses/GPL-3";

static ng_status open_text(source *s, const char *path, const config *c, ng_error *error)
{
    ng_dataset *all;
    const char *file = path != NULL ? path : default_text;
    ng_status status = c->model == MODEL_GPT ? ng_dataset_sequences(&all, file, c->context, error)
                                             : ng_dataset_text(&all, file, c->context, error);
    s->held_out_name = "validation";
    s->by_loss = 1;
    return status != NG_OK ? status : samples_hold_out(&s->train, &s->held_out, all, 10, error);
}

static ng_status open_csv(source *s, const char *path, const config *c, ng_error *error)
{
    ng_dataset *all;
    (void)c;
    if (path == NULL)
        return ng_error_set(error, NG_EARG, "csv wants a file: --data=csv:FILE");
    ng_status status = ng_dataset_csv(&all, path, NULL, error);
    return status != NG_OK ? status : samples_hold_out(&s->train, &s->held_out, all, 5, error);
}

static ng_status open_digits(source *s, const char *path, const config *c, ng_error *error)
{
    (void)c;
    if (path != NULL)
        return ng_error_set(error, NG_EARG, "digits are drawn, not read: '%s' means nothing", path);
    return images_digits(&s->train, &s->held_out, error);
}

static ng_status open_mnist(source *s, const char *path, const config *c, ng_error *error)
{
    (void)c;
    return images_mnist(&s->train, &s->held_out, path, error);
}

static const struct {
    const char *name;
    ng_status (*open)(source *s, const char *path, const config *c, ng_error *error);
} kinds[] = {
    {"text", open_text}, {"mnist", open_mnist}, {"digits", open_digits}, {"csv", open_csv}};

static ng_status open_kind(source *s, const config *c, ng_error *error)
{
    const char *colon = strchr(c->data, ':');
    size_t length = colon != NULL ? (size_t)(colon - c->data) : strlen(c->data);
    if (colon != NULL && colon[1] == '\0')
        return ng_error_set(error, NG_EARG, "--data=%.60s: a name is missing", c->data);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i].name) == length && strncmp(kinds[i].name, c->data, length) == 0) {
            snprintf(s->name, sizeof s->name, "%s", kinds[i].name);
            return kinds[i].open(s, colon != NULL ? colon + 1 : NULL, c, error);
        }
    return ng_error_set(error, NG_EARG, "--data=%.60s: expected text, mnist, digits or csv",
                        c->data);
}

int source_open(source *s, const config *c, int validate)
{
    ng_error error = {NG_OK, ""};
    progress bar;
    memset(s, 0, sizeof *s);
    s->held_out_name = "test";
    progress_start(&bar, "reading", 0, "");
    ng_status status = open_kind(s, c, &error);
    progress_end(&bar);
    if (status == NG_OK && validate) {
        ng_dataset *all = s->train;
        s->train = NULL;
        ng_dataset_destroy(s->held_out);
        s->held_out = NULL;
        s->held_out_name = "validation";
        status = samples_hold_out(&s->train, &s->held_out, all, 8, &error);
    }
    if (status == NG_OK)
        return 0;
    program_error("%s", error.text);
    source_close(s);
    return status == NG_EARG ? 2 : 1;
}

void source_close(source *s)
{
    ng_dataset_destroy(s->train);
    ng_dataset_destroy(s->held_out);
    s->train = s->held_out = NULL;
}
