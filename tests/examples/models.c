/* models FOLDER: for the tests of natgrad-predict, a model of every kind in either dtype with a
 * schema, and data for it. In FOLDER, for NAME = mlp-f32, ...:
 *   NAME.safetensors   the model
 *   NAME.data          the operand DATA
 *   NAME.said          what the model says of them in this process: a row a sample, commas between
 * The models are untrained, but for points-*, which tell three clouds apart. */
#include <natgrad-train.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ng_error error;
static const char *folder;

static void must(ng_status status)
{
    if (status == NG_OK)
        return;
    fprintf(stderr, "models: %s\n", error.text);
    exit(1);
}

static FILE *begin(const char *name, const char *extension)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, extension);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

/* ---- Data -------------------------------------------------------------------------------- */

static double noise(void)
{
    static unsigned long state = 1;
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (double)state / 0x7fffffff;
}

/* A column of words, two of numbers; a label with a comma in it, or two targets. */
static void write_table(const char *name, int targets)
{
    static const char *const words[] = {"red", "blue", "dark green"};
    static const char *const labels[] = {"\"a, b\"", "c", "d e"};
    FILE *file = begin(name, "");
    fputs(targets ? "colour,w,h,price,size\n" : "colour,w,h,label\n", file);
    for (int i = 0; i < 60; i++) {
        double w = 3 * (i % 3) + noise(), h = 40 - 20 * (i % 3 == 1) + 5 * noise();
        fprintf(file, "%s,%.4f,%.4f,", words[i / 7 % 3], w, h);
        if (targets)
            fprintf(file, "%.4f,%.4f\n", 1000 + 3 * w + h, w * noise());
        else
            fprintf(file, "%s\n", labels[i % 3]);
    }
    fclose(file);
}

/* Names of columns and classes that gnuplot, a shell and a terminal would mind. */
static void write_hostile(const char *name)
{
    static const char *const labels[] = {"\"a\nEOD\n!touch PWN\n\"", "$(touch PWN)@'",
                                         "\x1b]0;x\x07"};
    FILE *file = begin(name, "");
    fputs("`touch PWN`,\"|touch PWN\",'\"\"\n", file);
    for (int i = 0; i < 30; i++)
        fprintf(file, "%d,%d,%s\n", i % 3, i * i % 7, labels[i % 3]);
    fclose(file);
}

static void write_text(const char *name)
{
    FILE *file = begin(name, "");
    for (int i = 0; i < 60; i++)
        fprintf(file, "%.*s ", i % 5 + 1, &"the cat sat on a mat"[i % 13]);
    fclose(file);
}

/* ---- Models ------------------------------------------------------------------------------- */

static size_t outputs_of(const ng_schema *schema)
{
    return ng_schema_targets(schema) > 0 ? ng_schema_targets(schema) : ng_schema_classes(schema);
}

static ng_model *mlp(const ng_schema *schema, ng_dtype dtype, ng_loss loss, size_t outputs)
{
    const size_t widths[2] = {6, outputs};
    ng_mlp_options o;
    ng_model *model;
    ng_mlp_init(&o);
    o.dtype = dtype;
    o.inputs = ng_schema_features(schema);
    o.widths = widths;
    o.layers = 2;
    o.loss = loss;
    o.max_batch = 7;
    must(ng_model_create_mlp(&model, &o, &error));
    return model;
}

static ng_model *softmax(const ng_schema *schema, ng_dtype dtype)
{
    return mlp(schema, dtype, NG_LOSS_SOFTMAX, outputs_of(schema));
}

static ng_model *squared(const ng_schema *schema, ng_dtype dtype)
{
    return mlp(schema, dtype, NG_LOSS_SQUARED, outputs_of(schema));
}

static ng_model *bernoulli(const ng_schema *schema, ng_dtype dtype)
{
    return mlp(schema, dtype, NG_LOSS_BERNOULLI, 4);
}

static ng_model *cnn(const ng_schema *schema, ng_dtype dtype)
{
    const size_t filters[2] = {2, 3};
    ng_cnn_options o;
    ng_model *model;
    ng_cnn_init(&o);
    o.dtype = dtype;
    o.height = o.width = 28;
    o.filters = filters;
    o.stages = 2;
    o.classes = outputs_of(schema);
    o.max_batch = 8;
    must(ng_model_create_cnn(&model, &o, &error));
    return model;
}

static ng_model *gpt(const ng_schema *schema, ng_dtype dtype)
{
    ng_gpt_options o;
    ng_model *model;
    ng_gpt_init(&o);
    o.dtype = dtype;
    o.vocabulary = outputs_of(schema);
    o.context = ng_schema_features(schema);
    o.width = 8;
    o.heads = 2;
    must(ng_model_create_gpt(&model, &o, &error));
    return model;
}

static void train(ng_model *model, const ng_dataset *data)
{
    ng_trainer *trainer;
    ng_trainer_options o;
    ng_adamw_options adam;
    ng_adamw_init(&adam);
    adam.lr = 0.02;
    ng_trainer_init(&o);
    o.method = &adam;
    o.epochs = 40;
    o.batch = 7;
    o.keep_weights = 1;
    must(ng_trainer_create(&trainer, model, &o, &error));
    if (ng_trainer_fit(trainer, data, NULL) != NG_OK) {
        fprintf(stderr, "models: %s\n", ng_trainer_error(trainer));
        exit(1);
    }
    ng_trainer_destroy(trainer);
}

/* ---- One of them ----------------------------------------------------------------------------- */

static void say(const char *name, ng_model *model, const ng_dataset *data, ng_dtype dtype)
{
    size_t count = ng_dataset_count(data), outputs = ng_model_output(model).cols;
    ng_mat out = {calloc(count * outputs, sizeof(double)), count, outputs, outputs, dtype};
    FILE *file = begin(name, ".said");
    must(ng_model_predict(model, out, NULL, data, &error));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < outputs; j++)
            fprintf(file, dtype == NG_F32 ? "%.9g%c" : "%.17g%c", ng_mat_get(out, i, j),
                    j + 1 < outputs ? ',' : '\n');
    free(out.data);
    fclose(file);
}

static void make(const char *kind, ng_model *(*create)(const ng_schema *, ng_dtype),
                 const char *source, ng_task task, ng_dtype dtype)
{
    char name[64], path[1024];
    ng_dataset_options o;
    ng_dataset *data;
    ng_random random;
    ng_dataset_init(&o);
    o.dtype = dtype;
    o.task = task;
    o.label = task == NG_TASK_REGRESSION ? "price,size" : NULL;
    o.context = 4;
    snprintf(name, sizeof name, "%s-%s", kind, dtype == NG_F32 ? "f32" : "f64");
    must(ng_dataset_open(&data, source, &o, &error));
    ng_model *model = create(ng_dataset_schema(data), dtype);
    must(ng_rng_create(&random, 5, &error));
    must(ng_model_initialise(model, &random, &error));
    if (strcmp(kind, "points") == 0)
        train(model, data);
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    must(ng_model_save(model, ng_dataset_schema(data), path, NULL, &error));
    say(name, model, data, dtype);
    FILE *file = begin(name, ".data");
    fprintf(file, "%s\n", source);
    fclose(file);
    ng_rng_destroy(&random);
    ng_model_destroy(model);
    ng_dataset_destroy(data);
}

int main(int argc, char **argv)
{
    char table[1024], targets[1024], text[1024], sequences[1024], hostile[1024];
    folder = argc > 1 ? argv[1] : ".";
    snprintf(table, sizeof table, "csv:%s/table.csv", folder);
    snprintf(targets, sizeof targets, "csv:%s/targets.csv", folder);
    snprintf(text, sizeof text, "text:%s/words.txt", folder);
    snprintf(sequences, sizeof sequences, "sequences:%s/words.txt", folder);
    snprintf(hostile, sizeof hostile, "csv:%s/hostile.csv", folder);
    write_table("table.csv", 0);
    write_table("targets.csv", 1);
    write_text("words.txt");
    write_hostile("hostile.csv");
    for (int d = NG_F32; d <= NG_F64; d++) {
        ng_dtype dtype = (ng_dtype)d;
        make("points", softmax, table, NG_TASK_CLASSIFICATION, dtype);
        make("mlp", softmax, text, NG_TASK_CLASSIFICATION, dtype);
        make("hostile", softmax, hostile, NG_TASK_CLASSIFICATION, dtype);
        make("values", squared, targets, NG_TASK_REGRESSION, dtype);
        make("outputs", bernoulli, table, NG_TASK_CLASSIFICATION, dtype);
        make("cnn", cnn, "digits:30", NG_TASK_CLASSIFICATION, dtype);
        make("gpt", gpt, sequences, NG_TASK_CLASSIFICATION, dtype);
    }
    return 0;
}
