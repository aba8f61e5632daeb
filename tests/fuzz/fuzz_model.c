/* Bytes as a model's file: refused, or a model that runs, and that saved again is the same model.
 * The first byte says whether the file gets the check sum that belongs to it, without which
 * nothing but the header would ever be looked at. */
#include "tests/fuzz/fuzz.h"

#include <natgrad-train.h>

static const size_t widths[2] = {3, 2}, filters[1] = {2};

static ng_status small_mlp(ng_model **model, ng_dtype dtype)
{
    ng_mlp_options o;
    ng_mlp_init(&o);
    o.dtype = dtype;
    o.inputs = 2;
    o.widths = widths;
    o.layers = 2;
    o.loss = dtype == NG_F32 ? NG_LOSS_SOFTMAX : NG_LOSS_SQUARED;
    return ng_model_create_mlp(model, &o, NULL);
}

static ng_status small_cnn(ng_model **model, ng_dtype dtype)
{
    ng_cnn_options o;
    ng_cnn_init(&o);
    o.dtype = dtype;
    o.height = o.width = 3;
    o.filters = filters;
    o.stages = 1;
    o.classes = 2;
    return ng_model_create_cnn(model, &o, NULL);
}

static ng_status small_gpt(ng_model **model, ng_dtype dtype)
{
    ng_gpt_options o;
    ng_gpt_init(&o);
    o.dtype = dtype;
    o.vocabulary = 3;
    o.context = 2;
    o.width = 4;
    o.heads = 2;
    o.layers = 1;
    o.tied = dtype == NG_F32;
    return ng_model_create_gpt(model, &o, NULL);
}

static ng_status (*const kinds[])(ng_model **, ng_dtype) = {small_mlp, small_cnn, small_gpt};

/* Of two features and two classes, or one with a target of its own. */
static ng_schema *schema_of(int regression)
{
    static const char labels[] = "a,b,label\n1,3,x\n3,5,y\n5,2,x\n";
    static const char targets[] = "a,b,y,z\n1,3,0.5,2\n3,5,1,3\n5,2,2,7\n";
    ng_dataset_options o;
    ng_dataset *d;
    char source[64];
    check(ng_dataset_init(&o) == NG_OK);
    o.task = regression ? NG_TASK_REGRESSION : NG_TASK_CLASSIFICATION;
    o.label = regression ? "y,z" : NULL;
    const char *text = regression ? targets : labels;
    snprintf(source, sizeof source, "csv:%s", fuzz_file(0, text, strlen(text)));
    check(ng_dataset_open(&d, source, &o, NULL) == NG_OK);
    ng_schema *schema = ng_schema_share(ng_dataset_schema(d));
    ng_dataset_destroy(d);
    return schema;
}

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    char path[4096];
    double more[2] = {1, 2};
    ng_model *model;
    ng_model_extra *extra;
    if (i >= 6)
        return 0;
    snprintf(path, sizeof path, "%s/made", getenv("FUZZ_SEEDS"));
    check(kinds[i / 2](&model, i % 2 ? NG_F64 : NG_F32) == NG_OK);
    ng_schema *schema = i < 2 ? schema_of((int)i) : NULL;
    check(ng_model_extra_create(&extra, NULL) == NG_OK);
    check(ng_model_extra_add(extra, "a/more", ng_f64(more, 1, 2), NULL) == NG_OK);
    check(ng_model_extra_add_bytes(extra, "a/bytes", more, 3, NULL) == NG_OK);
    check(ng_model_extra_add_text(extra, "a/text", "more", NULL) == NG_OK);
    check(ng_model_save(model, schema, path, i % 2 ? extra : NULL, NULL) == NG_OK);
    ng_model_extra_destroy(extra);
    ng_schema_destroy(schema);
    ng_model_destroy(model);
    out[0] = 1;
    return 1 + fuzz_take(out + 1, room - 1, path);
}

/* Zeros are samples of any kind, tokens too. */
static void run(ng_model *model)
{
    ng_mat x = ng_model_input(model, 1);
    ng_error error;
    check(x.rows == 1 && x.data != NULL);
    ng_fill(x, 0);
    check(ng_model_forward(model, 1, &error) == NG_OK);
    check(ng_model_output(model).rows >= 1);
}

/* What was loaded is the same once more. */
static void again(const ng_model *model, const ng_schema *schema)
{
    char path[64];
    ng_model_load_options o;
    ng_model *same;
    ng_schema *like;
    ng_error error;
    ng_model_param p, q;
    check(ng_model_load_init(&o) == NG_OK);
    o.room = 1 << 20;
    snprintf(path, sizeof path, "/tmp/natgrad-fuzz-model-%ld", (long)getpid());
    check(ng_model_save(model, schema, path, NULL, &error) == NG_OK);
    check(ng_model_load(&same, &like, NULL, path, &o, &error) == NG_OK && unlink(path) == 0);
    check(ng_model_parameters(same) == ng_model_parameters(model));
    check((like == NULL) == (schema == NULL));
    for (size_t i = 0; i < ng_model_parameters(same); i++) {
        check(ng_model_parameter(model, &p, i, NULL) == NG_OK);
        check(ng_model_parameter(same, &q, i, NULL) == NG_OK);
        check(p.w.rows == q.w.rows && p.w.cols == q.w.cols && p.w.dtype == q.w.dtype);
        check(memcmp(p.w.data, q.w.data, p.w.rows * p.w.cols * ng_dtype_size(p.w.dtype)) == 0);
    }
    ng_schema_destroy(like);
    ng_model_destroy(same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char bytes[FUZZ_ROOM];
    ng_model_load_options o;
    ng_model *model;
    ng_schema *schema;
    ng_tensors *file;
    ng_error error;
    if (size == 0 || size > sizeof bytes)
        return 0;
    memcpy(bytes, data + 1, size - 1);
    if (data[0] & 1)
        fuzz_sum(bytes, size - 1, 4);
    check(ng_model_load_init(&o) == NG_OK);
    o.room = 1 << 20;
    ng_status status =
        ng_model_load(&model, &schema, &file, fuzz_file(1, bytes, size - 1), &o, &error);
    if (status != NG_OK) {
        check_failed(status, &error);
        check(model == NULL && schema == NULL && file == NULL);
        return 0;
    }
    run(model);
    again(model, schema);
    ng_tensors_close(file);
    ng_schema_destroy(schema);
    ng_model_destroy(model);
    return 0;
}
