/* Bytes as a safetensors file: refused, or every tensor can be read and written again alike. */
#include "tests/fuzz/fuzz.h"

#include <natgrad/tensors.h>

static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    static const char *const headers[] = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"b/\\u03b1\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[24,25]},"
        "\"__metadata__\":{\"key\":\"text\",\"k2\":\"\\\"\\n\"}}",
        "{\"x\":{\"dtype\":\"F4\",\"shape\":[5,10],\"data_offsets\":[0,25]}}",
        "{}",
    };
    (void)room;
    if (i >= sizeof headers / sizeof *headers)
        return 0;
    size_t length = strlen(headers[i]);
    memset(out, 0, 8);
    out[0] = (unsigned char)length;
    memcpy(out + 8, headers[i], length);
    memset(out + 8 + length, 1, 25);
    return 8 + length + (i < 2 ? 25 : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char bytes[256];
    ng_error error;
    ng_tensors *tensors;
    ng_status status = ng_tensors_open(&tensors, fuzz_file(0, data, size), &error);
    if (status != NG_OK) {
        check(status == NG_EFORMAT && tensors == NULL);
        return 0;
    }
    size_t end = 0;
    for (size_t i = 0; i < ng_tensors_count(tensors); i++) {
        const ng_tensor *t = ng_tensors_get(tensors, i);
        size_t some = t->bytes < sizeof bytes ? t->bytes : sizeof bytes;
        check(ng_tensors_find(tensors, t->name) == t);
        check(i == 0 || t->begin == end);
        end = t->begin + t->bytes;
        check(end <= size && t->count * ng_tensor_dtype_bits(t->dtype) == 8 * t->bytes);
        for (size_t k = 0; k < t->rank; k++)
            check(t->count == 0 || t->count % t->shape[k] == 0);
        check(ng_tensors_read(tensors, bytes, t, t->bytes - some, some, &error) == NG_OK);
        check(memcmp(bytes, data + end - some, some) == 0);
        float *room = malloc(t->bytes + 1);
        ng_mat row = ng_f32(room, 1, t->bytes / 4);
        (void)ng_tensors_read_mat(tensors, row, t, &error);
        free(room);
    }
    const char *key;
    for (size_t i = 0; ng_tensors_text_at(tensors, i, &key) != NULL; i++)
        check(ng_tensors_text(tensors, key) == ng_tensors_text_at(tensors, i, NULL));
    ng_tensors_close(tensors);
    return 0;
}
