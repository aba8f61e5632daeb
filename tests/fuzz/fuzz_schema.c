/* Bytes as the text of a schema: refused, or written and read again alike, and perhaps followed by
 * a table. */
#include "tests/fuzz/data.h"

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const char *const files[] = {
        "a,b,label\n1,red,x\n3,blue,y\n5,red,x\n7,green,y\n",
        "1,2,0.5\n3,4,1\n5,,2\n1,1,1\n",
        "a,\"\",\n1,red,x\n3,blue,y\n",
    };
    static const char nameless[] = "natgrad schema 1\nkind csv\ntask regression\nscale none\n"
                                   "header yes\ncolumn number % 4 4 0.5\ncolumn target % 0 0 1\n";
    ng_dataset_options o;
    ng_dataset *d;
    char source[64];
    if (i == sizeof files / sizeof *files)
        return fuzz_say(out, 0, nameless);
    if (i > sizeof files / sizeof *files)
        return 0;
    check(ng_dataset_init(&o) == NG_OK);
    o.task = i == 1 ? NG_TASK_REGRESSION : NG_TASK_CLASSIFICATION;
    o.missing = NG_MISSING_MEAN;
    snprintf(source, sizeof source, "csv:%s", fuzz_file(0, files[i], strlen(files[i])));
    check(ng_dataset_open(&d, source, &o, NULL) == NG_OK);
    size_t size = ng_schema_write(ng_dataset_schema(d), (char *)out, room);
    ng_dataset_destroy(d);
    return size;
}

static void follow(const ng_schema *schema)
{
    static const char table[] = "a,b,label\n1,red,x\n,blue,y\n3,red,x\n";
    ng_dataset_options o;
    char source[64];
    check(ng_dataset_init(&o) == NG_OK);
    snprintf(source, sizeof source, "csv:%s", fuzz_file(0, table, sizeof table - 1));
    if (strcmp(ng_schema_kind(schema), "csv") == 0)
        fuzz_follow(schema, source, &o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes b = {data, size};
    char *text = fuzz_text(&b), name[64];
    ng_schema *schema;
    ng_error error;
    double offset, factor;
    ng_status status = ng_schema_read(&schema, text, &error);
    free(text);
    if (status != NG_OK) {
        check_failed(status, &error);
        check(schema == NULL);
        return 0;
    }
    size_t features = ng_schema_features(schema);
    for (size_t i = 0; i < features; i += 1 + features / 8) {
        check(ng_schema_feature_name(schema, i, name, sizeof name) > 0);
        check(ng_schema_feature_scale(schema, i, &offset, &factor) == NG_OK);
        check(isfinite(offset) && isfinite(factor));
    }
    for (size_t k = 0; k < ng_schema_classes(schema) && k < 8; k++)
        check(ng_schema_label(schema, k) != NULL);
    for (size_t k = 0; k < ng_schema_targets(schema) && k < 8; k++)
        check(ng_schema_target_name(schema, k) != NULL);
    fuzz_schema(schema);
    follow(schema);
    ng_schema_destroy(schema);
    return 0;
}
