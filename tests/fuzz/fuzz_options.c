/* Lines NAME=VALUE for the options of a preset, which the first byte chooses, or of data: refused
 * with nothing changed, or read back alike. Options that are legal make a group, and a step. */
#include "tests/fuzz/fuzz.h"

#ifdef FUZZ_DATA
#include <natgrad/train/data_options.h>
#endif

/* Every option of every preset as it is. */
static size_t fuzz_seed(unsigned char *out, size_t room, size_t i)
{
    void *options;
    char value[64];
    size_t used = 1;
    if (i >= ng_preset_count())
        return 0;
    check(ng_options_new(&options, ng_preset_get(i)->name, NULL) == NG_OK);
    out[0] = (unsigned char)i;
    for (size_t k = 0; k < ng_options_count(options); k++) {
        const char *name = ng_options_at(options, k)->name;
        check(ng_options_get_text(options, name, value, sizeof value, NULL) == NG_OK);
        used += (size_t)snprintf((char *)out + used, room - used, "%s=%s\n", name, value);
    }
    ng_options_free(options);
    return used;
}

static void set(void *options, size_t size, const char *name, const char *text)
{
    unsigned char before[1024], after[1024];
    char value[128];
    ng_error error;
    check(size <= sizeof before);
    memcpy(before, options, size);
    ng_status status = ng_options_set_text(options, name, text, &error);
    if (status != NG_OK) {
        check_failed(status, &error);
        check(memcmp(before, options, size) == 0);
        return;
    }
    memcpy(after, options, size);
    check(ng_options_get_text(options, name, value, sizeof value, &error) == NG_OK);
    check(ng_options_set_text(options, name, value, &error) == NG_OK);
    check(memcmp(after, options, size) == 0);
}

/* Calls `set` for every line of the text, which is cut up. */
static void set_lines(char *text, void *options, size_t size)
{
    for (char *end; text != NULL; text = end) {
        end = strchr(text, '\n');
        if (end != NULL)
            *end++ = '\0';
        char *equals = strchr(text, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
#ifdef FUZZ_DATA
        if (size == sizeof(ng_dataset_options)) {
            (void)ng_dataset_options_set(options, text, equals + 1, NULL);
            continue;
        }
#endif
        set(options, size, text, equals + 1);
    }
}

/* Two layers, one of them transposed; kfac is given statistics. */
static void step(const void *options)
{
    double w[12], dw[12], a[8] = {1, 2, 3, 4, -1, 0, 1, 0}, g[6] = {1, 0, -1, 0.5, 2, 1};
    ng_optimizer *opt;
    ng_group *group;
    for (int i = 0; i < 12; i++) {
        w[i] = 1 - 0.25 * i;
        dw[i] = 0.125 * (i % 5) - 0.25;
    }
    check(ng_optimizer_create(&opt, NULL) == NG_OK);
    check(ng_optimizer_add_group(opt, &group, options) == NG_OK);
    check(ng_group_add(group, NULL, "w", ng_f64(w, 3, 4), ng_f64(dw, 3, 4)) == NG_OK);
    for (int i = 0; i < 2; i++) {
        if (ng_options_want_capture(options))
            check(ng_group_capture(group, 0, ng_f64(a, 2, 4), ng_f64(g, 2, 3), 2) == NG_OK);
        ng_status status = ng_optimizer_step(opt);
        check(status == NG_OK || ng_optimizer_error(opt)[0] != '\0');
        for (int k = 0; k < 12; k++)
            check(isfinite(w[k]));
    }
    ng_optimizer_destroy(opt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes b = {data, size};
    ng_error error;
    size_t which = fuzz_byte(&b) % (ng_preset_count() + 1);
    char *text = fuzz_text(&b);
    if (which < ng_preset_count()) {
        void *options;
        check(ng_options_new(&options, ng_preset_get(which)->name, &error) == NG_OK);
        set_lines(text, options, ng_preset_get(which)->size);
        ng_status status = ng_options_check(options, &error);
        if (status != NG_OK)
            check_failed(status, &error);
        else
            step(options);
        ng_options_free(options);
    }
#ifdef FUZZ_DATA
    else {
        ng_dataset_options options;
        check(ng_dataset_init(&options) == NG_OK);
        set_lines(text, &options, sizeof options);
        ng_status status = ng_dataset_options_check(&options, &error);
        if (status != NG_OK)
            check_failed(status, &error);
    }
#endif
    free(text);
    return 0;
}
