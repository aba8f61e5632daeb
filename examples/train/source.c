/* Where the samples come from, and how they are divided. */
#include "examples/train/train.h"

#include <string.h>

#include "examples/support/images.h"

static const char default_text[] = "/usr/share/common-licenses/GPL-3";
enum { SOURCE_ROOM = 4200 };

/* ---- Names that stand for others --------------------------------------------------- */

static ng_status usual_mnist(char out[SOURCE_ROOM], ng_error *error)
{
    const int kind = snprintf(out, SOURCE_ROOM, "mnist:");
    return images_usual_folder(out + kind, (size_t)(SOURCE_ROOM - kind), error);
}

/* out <- what ng_dataset_open reads: text and mnist have a usual file, and a transformer reads
 * texts as sequences. */
static ng_status name_source(char out[SOURCE_ROOM], const config *c, ng_error *error)
{
    int text = strcmp(c->data, "text") == 0 || strncmp(c->data, "text:", 5) == 0;
    if (strcmp(c->data, "mnist") == 0)
        return usual_mnist(out, error);
    int length =
        text ? snprintf(out, SOURCE_ROOM, "%s:%s", c->model == MODEL_GPT ? "sequences" : "text",
                        c->data[4] == ':' ? c->data + 5 : default_text)
             : snprintf(out, SOURCE_ROOM, "%s", c->data);
    return length < SOURCE_ROOM
               ? NG_OK
               : ng_error_set(error, NG_EARG, "--data: %d characters are too long", length);
}

/* ---- Opening -------------------------------------------------------------------------- */

static ng_status divide(source *s, ng_dataset *all, const ng_dataset_options *options,
                        ng_error *error)
{
    ng_status status = ng_dataset_split(&s->train, &s->held_out, all, options, error);
    ng_dataset_destroy(all);
    return status;
}

/* An eighth of the training set takes the place of the held-out one, which is the test set or
 * not looked at. */
static ng_status validate_on_train(source *s, ng_dataset_options *options, holding held,
                                   ng_error *error)
{
    ng_dataset *all = s->train;
    if (held == HOLD_BOTH)
        s->test = s->held_out;
    else
        ng_dataset_destroy(s->held_out);
    s->train = s->held_out = NULL;
    s->held_out_name = "validation";
    options->train = 0.875;
    return divide(s, all, options, error);
}

static ng_status open_all(source *s, const config *c, holding held, ng_error *error)
{
    char name[SOURCE_ROOM];
    ng_dataset *all;
    ng_dataset_options options = c->reading;
    options.context = c->context;
    options.dtype = c->dtype;
    snprintf(s->name, sizeof s->name, "%.*s", (int)strcspn(c->data, ":"), c->data);
    s->by_loss = strncmp(c->data, "text", 4) == 0 || strncmp(c->data, "sequences", 9) == 0;
    s->score = "accuracy";
    s->held_out_name = s->by_loss ? "validation" : "test";
    ng_status status = name_source(name, c, error);
    if (status == NG_OK)
        status = ng_dataset_open(&all, name, &options, error);
    if (status == NG_OK)
        status = divide(s, all, &options, error);
    if (status == NG_OK && ng_dataset_classes(s->train) == 0) {
        s->by_loss = 1;
        s->score = "r2";
    }
    return status == NG_OK && held != HOLD_TEST ? validate_on_train(s, &options, held, error)
                                                : status;
}

/* What was found and decided, unless quiet. */
static void say_what(const source *s, progress *bar)
{
    char said[4096];
    ng_dataset_describe(s->train, said, sizeof said, s->held_out);
    for (char *line = strtok(said, "\n"); line != NULL; line = strtok(NULL, "\n"))
        progress_line(bar, line);
}

int source_open(source *s, const config *c, holding held)
{
    ng_error error = {NG_OK, ""};
    progress bar;
    memset(s, 0, sizeof *s);
    progress_start(&bar, "reading", 0, "");
    ng_status status = open_all(s, c, held, &error);
    if (status == NG_OK)
        say_what(s, &bar);
    progress_end(&bar);
    if (status != NG_OK) {
        program_error("%s", error.text);
        source_close(s);
        return status == NG_EARG || status == NG_EOPTION ? 2 : 1;
    }
    return 0;
}

void source_close(source *s)
{
    ng_dataset_destroy(s->train);
    ng_dataset_destroy(s->held_out);
    ng_dataset_destroy(s->test);
    s->train = s->held_out = s->test = NULL;
}
