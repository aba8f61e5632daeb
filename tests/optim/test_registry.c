/* The registry of presets, options made from it, structs of another size, and options as text
 * under a locale with decimal commas. */
#define _POSIX_C_SOURCE 200809L
#include <natgrad.h>

#include "tests/support/locale.h"
#include "tests/support/support.h"

START_TEST(new_options)
{
    ng_error err = {NG_OK, ""};
    void *options;
    for (size_t i = 0; i < ng_preset_count(); i++) {
        const ng_preset *preset = ng_preset_get(i);
        ck_assert_ptr_eq(ng_preset_find(preset->name), preset);
        void *filled = calloc(1, preset->size);
        ng_assert_ok(preset->init(filled, preset->size), NULL);
        ng_assert_ok(ng_options_new(&options, preset->name, &err), &err);
        ck_assert_mem_eq(options, filled, preset->size);
        ng_assert_ok(ng_options_check(options, &err), &err);
        ng_options_free(options);
        free(filled);
    }
    ng_options_free(NULL);
    options = &err;
    ng_assert_fails(ng_options_new(&options, "mouon", &err), NG_EOPTION, &err, "muon");
    ck_assert_ptr_null(options);
    ng_assert_fails(ng_options_new(&options, NULL, &err), NG_EOPTION, &err, "(NULL)");
    ng_assert_fails(ng_options_new(NULL, "muon", &err), NG_EARG, &err, "options");
}
END_TEST

/* A program compiled with other headers: nothing is written, before, in or behind its struct. */
START_TEST(another_size)
{
    const ng_preset *preset = ng_preset_get((size_t)_i);
    size_t room = preset->size + 64;
    unsigned char *bytes = malloc(room), *before = malloc(room);
    memset(bytes, 0x5a, room);
    memcpy(before, bytes, room);
    const size_t sizes[] = {
        0, sizeof(size_t), preset->size - 8, preset->size - 1, preset->size + 1, preset->size + 8};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        ck_assert_int_eq(preset->init(bytes + 16, sizes[i]), NG_EOPTION);
    ck_assert_int_eq(preset->init(NULL, preset->size), NG_EARG);
    ck_assert_mem_eq(bytes, before, room);
    ng_assert_ok(preset->init(bytes + 16, preset->size), NULL);
    ck_assert_mem_eq(bytes, before, 16);
    ck_assert_mem_eq(bytes + 16 + preset->size, before, room - 16 - preset->size);
    free(bytes);
    free(before);
}
END_TEST

/* ... and a group refuses it, with both sizes and the library's version. */
START_TEST(another_size_in_a_group)
{
    const ng_preset *preset = ng_preset_get((size_t)_i);
    ng_optimizer *opt;
    ng_group *group;
    size_t *size = malloc(preset->size + 8);
    char here[32], there[32];
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(preset->init(size, preset->size), NULL);
    for (int step = -8; step <= 8; step += 16) {
        *size = preset->size + (size_t)step;
        ck_assert_int_eq(ng_optimizer_add_group(opt, &group, size), NG_EOPTION);
        sprintf(here, "%zu", *size);
        sprintf(there, "%zu", preset->size);
        const char *text = ng_optimizer_error(opt);
        ck_assert_msg(strstr(text, here) != NULL && strstr(text, there) != NULL, "%s", text);
        ck_assert_ptr_nonnull(strstr(text, ng_version()));
    }
    free(size);
    ng_optimizer_destroy(opt);
}
END_TEST

/* Every option of the list is one that can be read by name. */
START_TEST(listing)
{
    void *options;
    double value;
    ng_assert_ok(ng_options_new(&options, ng_preset_get((size_t)_i)->name, NULL), NULL);
    size_t count = ng_options_count(options);
    ck_assert_uint_gt(count, 0);
    for (size_t i = 0; i < count; i++) {
        const ng_option *o = ng_options_at(options, i);
        ng_assert_ok(ng_options_get(options, o->name, &value, NULL), NULL);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(o->name, ng_options_at(options, k)->name);
    }
    ck_assert_str_eq(ng_options_at(options, 0)->name, "lr");
    ck_assert_ptr_null(ng_options_at(options, count));
    ck_assert_uint_eq(ng_options_count(NULL), 0);
    ck_assert_ptr_null(ng_options_at(NULL, 0));
    ng_options_free(options);
}
END_TEST

START_TEST(decimal_comma)
{
    ng_error err = {NG_OK, ""};
    ng_adamw_options o;
    char text[16];
    if (!test_comma_locale()) {
        fputs("no locale with a decimal comma: not tested\n", stderr);
        return;
    }
    ng_assert_ok(ng_adamw_init(&o), NULL);
    ng_assert_ok(ng_options_set_text(&o, "lr", "0.25", &err), &err);
    ck_assert(o.lr == 0.25);
    ng_assert_fails(ng_options_set_text(&o, "lr", "0,5", &err), NG_EOPTION, &err, "0,5");
    ck_assert(o.lr == 0.25);
    ng_assert_ok(ng_options_get_text(&o, "lr", text, sizeof text, &err), &err);
    ck_assert_str_eq(text, "0.25");
    ng_assert_fails(ng_options_set(&o, "beta1", 1.5, &err), NG_EOPTION, &err, "1.5");
    ng_optimizer *opt;
    ng_group *group;
    char table[512];
    double w = 1, dw = 1;
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, &o), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "w", ng_f64(&w, 1, 1), ng_f64(&dw, 1, 1)), NULL);
    ng_optimizer_describe(opt, table, sizeof table);
    ck_assert_ptr_nonnull(strstr(table, "0.25"));
    ng_optimizer_destroy(opt);
}
END_TEST

TEST_SUITE(registry)
{
    TCase *tcase = tcase_create("registry");
    int presets = (int)ng_preset_count();
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, NULL, test_plain_locale);
    tcase_add_test(tcase, new_options);
    tcase_add_loop_test(tcase, another_size, 0, presets);
    tcase_add_loop_test(tcase, another_size_in_a_group, 0, presets);
    tcase_add_loop_test(tcase, listing, 0, presets);
    tcase_add_test(tcase, decimal_comma);
    suite_add_tcase(suite, tcase);
}
