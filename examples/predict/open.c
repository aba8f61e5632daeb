/* The model, the data, and what the one says of the other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/predict/predict.h"
#include "examples/support/progress.h"

enum { SOURCE_ROOM = 4200, CHUNK = 1000 };

/* ---- Opening ---------------------------------------------------------------------------- */

/* out <- DATA, with the model's kind in front unless it has one of its own. */
static int name_source(char out[SOURCE_ROOM], const char *data, const char *own)
{
    const ng_dataset_kind *kind;
    size_t length = strcspn(data, ":");
    int named = 0;
    for (size_t i = 0; (kind = ng_dataset_kind_get(i)) != NULL; i++)
        named |= strlen(kind->name) == length && strncmp(kind->name, data, length) == 0 &&
                 (data[length] == ':' || kind->what[0] == '[');
    int size = named ? snprintf(out, SOURCE_ROOM, "%s", data)
                     : snprintf(out, SOURCE_ROOM, "%s:%s", own, data);
    return size < SOURCE_ROOM ? 0 : program_error("the name of DATA has %d characters", size);
}

int data_open(ng_dataset **data, const prediction *p, const config *c, const char *name)
{
    char source[SOURCE_ROOM];
    ng_error error;
    ng_dataset_options reading = c->reading;
    reading.dtype = ng_model_input(p->model, 1).dtype;
    int status = name_source(source, name, ng_schema_kind(p->schema));
    if (status != 0)
        return status;
    ng_status opened = ng_dataset_open_like(data, p->schema, source, &reading, &error);
    if (opened == NG_OK)
        return 0;
    program_error("%s", error.text);
    return opened == NG_EARG || opened == NG_EOPTION ? 2 : 1;
}

/* What was found and decided, unless quiet. */
static void say_what(const prediction *p)
{
    char said[4096];
    progress bar;
    progress_start(&bar, "reading", 0, "");
    ng_dataset_describe(p->data, said, sizeof said, NULL);
    for (char *line = strtok(said, "\n"); line != NULL; line = strtok(NULL, "\n"))
        progress_line(&bar, line);
    progress_end(&bar);
}

int prediction_open(prediction *p, const config *c)
{
    ng_error error;
    ng_model_load_options how;
    memset(p, 0, sizeof *p);
    ng_model_load_init(&how);
    how.max_batch = c->batch;
    ng_status loaded = ng_model_load(&p->model, &p->schema, &p->file, c->model, &how, &error);
    if (loaded != NG_OK)
        return program_error("%s%s", error.text, loaded == NG_ERANGE ? "; here --batch=N" : "");
    if (p->schema == NULL)
        return program_error("%s: a model without a schema: it does not say what its inputs are",
                             c->model);
    size_t outputs = ng_model_output(p->model).cols;
    p->classes = ng_schema_classes(p->schema) == outputs;
    p->values = !p->classes && ng_schema_targets(p->schema) == outputs;
    int status = data_open(&p->data, p, c, c->data);
    if (status == 0)
        say_what(p);
    return status == 0 && c->uncertainty != NULL ? bars_open(p, c) : status;
}

void prediction_close(prediction *p)
{
    free(p->answers.data);
    free(p->deviations.data);
    ng_laplace_destroy(p->bars);
    ng_tensors_close(p->file);
    free(p->truth.data);
    free(p->labels);
    ng_dataset_destroy(p->data);
    ng_schema_destroy(p->schema);
    ng_model_destroy(p->model);
}

/* ---- Predicting -------------------------------------------------------------------------- */

static int allocate(prediction *p)
{
    size_t count = ng_dataset_count(p->data), outputs = ng_model_output(p->model).cols;
    size_t targets = ng_schema_targets(p->schema);
    p->labelled = ng_dataset_labelled(p->data);
    p->answers = (ng_mat){NULL, count, outputs, outputs, ng_model_input(p->model, 1).dtype};
    p->truth = (ng_mat){NULL, count, targets, targets, NG_F64};
    p->deviations = p->truth;
    p->deviations.data = calloc(count, targets > 0 ? targets * sizeof(double) : 1);
    p->answers.data = calloc(count, outputs * ng_dtype_size(p->answers.dtype));
    p->truth.data = calloc(count, targets > 0 ? targets * sizeof(double) : 1);
    p->labels = calloc(count, sizeof *p->labels);
    return p->answers.data != NULL && p->truth.data != NULL && p->labels != NULL &&
                   p->deviations.data != NULL
               ? 0
               : program_no_memory();
}

/* What is true of the samples first ... first + batch - 1; the model's input is a place for what
 * is not asked. */
static ng_status gather_truth(prediction *p, size_t first, size_t batch, size_t *index,
                              ng_error *error)
{
    for (size_t i = 0; i < batch; i++)
        index[i] = first + i;
    if (!p->labelled)
        return NG_OK;
    if (p->values)
        return ng_dataset_gather_targets(
            p->data, ng_mat_block(p->truth, first, 0, batch, p->truth.cols), index, batch, error);
    return ng_dataset_gather(p->data, ng_model_input(p->model, batch), p->labels + first, index,
                             batch, error);
}

/* Some whole batches: bits are those of all at once. */
static ng_status predict_part(prediction *p, size_t first, size_t part, ng_error *error)
{
    ng_dataset *view;
    double loss;
    int judge = p->labelled && (p->classes || p->values);
    ng_status status = ng_dataset_view(&view, p->data, first, part, error);
    if (status == NG_OK)
        status =
            ng_model_predict(p->model, ng_mat_block(p->answers, first, 0, part, p->answers.cols),
                             judge ? &loss : NULL, view, error);
    ng_dataset_destroy(view);
    if (status == NG_OK)
        p->loss += judge ? loss * (double)part : (double)NAN;
    return status;
}

static int predict_all(prediction *p, size_t batch, size_t *index, progress *bar)
{
    size_t count = ng_dataset_count(p->data), chunk = batch * (1 + CHUNK / batch);
    ng_error error;
    for (size_t part; p->count < count && !program_interrupted(); p->count += part) {
        part = count - p->count < chunk ? count - p->count : chunk;
        ng_status status = NG_OK;
        for (size_t i = 0, n; i < part && status == NG_OK; i += n) {
            n = part - i < batch ? part - i : batch;
            status = gather_truth(p, p->count + i, n, index, &error);
            if (status == NG_OK && p->bars != NULL)
                status = bars_predict(p, index, n, &error);
        }
        if (status == NG_OK && p->bars == NULL)
            status = predict_part(p, p->count, part, &error);
        if (status != NG_OK)
            return program_error("%s", error.text);
        progress_update(bar, (double)(p->count + part), "");
    }
    return 0;
}

/* Only what is done, in the units of the data. */
static void finish(prediction *p)
{
    p->answers.rows = p->truth.rows = p->deviations.rows = p->count;
    p->loss /= (double)p->count;
    for (size_t j = 0; j < p->truth.cols; j++) {
        double offset = 0, factor = 1;
        ng_schema_target_scale(p->schema, j, &offset, &factor);
        for (size_t i = 0; i < p->count; i++)
            ng_mat_set(p->truth, i, j, ng_mat_get(p->truth, i, j) / factor + offset);
    }
    if (p->bars != NULL)
        bars_finish(p);
}

int prediction_make(prediction *p)
{
    progress bar;
    size_t batch = ng_model_max_batch(p->model), *index = calloc(batch, sizeof *index);
    int status = index != NULL ? allocate(p) : program_no_memory();
    if (status == 0) {
        progress_start(&bar, "predicting", (double)ng_dataset_count(p->data), "samples");
        status = predict_all(p, batch, index, &bar);
        progress_end(&bar);
    }
    free(index);
    if (status == 0)
        finish(p);
    return status;
}
