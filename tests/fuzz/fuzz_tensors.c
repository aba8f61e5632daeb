/* Bytes as a safetensors file: refused, or every tensor can be read and written again alike. */
#define _GNU_SOURCE
#include <natgrad/tensors.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[32], bytes[256];
    ng_error error;
    ng_tensors *tensors;
    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    check(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    ng_status status = ng_tensors_open(&tensors, path, &error);
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
