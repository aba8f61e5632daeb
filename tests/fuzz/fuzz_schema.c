/* Schemas as text: what is read is written as it was read, and a table can follow it. */
#include "tests/fuzz/fuzz_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t table[] = "a,b,y\n1,x,0\n2,z,1\n";
    ng_dataset_options options;
    ng_dataset *data;
    ng_schema *schema, *again;
    char source[128], *text = malloc(size + 1);
    memcpy(text, bytes, size);
    text[size] = '\0';
    ng_status status = ng_schema_read(&schema, text, NULL);
    free(text);
    if (status != NG_OK)
        return 0;
    size_t length = ng_schema_write(schema, NULL, 0);
    char *one = malloc(length + 1), *two = malloc(length + 1);
    ng_schema_write(schema, one, length + 1);
    if (ng_schema_read(&again, one, NULL) != NG_OK ||
        ng_schema_write(again, two, length + 1) != length || strcmp(one, two) != 0)
        abort();
    free(one);
    free(two);
    ng_schema_destroy(again);
    ng_dataset_init(&options);
    snprintf(source, sizeof source, "%s:%s", ng_schema_kind(schema),
             fuzz_file(0, table, sizeof table - 1));
    if (ng_dataset_open_like(&data, schema, source, &options, NULL) == NG_OK) {
        fuzz_use(data);
        ng_dataset_destroy(data);
    }
    ng_schema_destroy(schema);
    return 0;
}
