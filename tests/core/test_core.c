/* Statuses, error texts, matrix views. */
#include <natgrad.h>

#include <stdint.h>

#include "tests/support/support.h"

/* ---- Status and error ----------------------------------------------------- */

START_TEST(status_names)
{
#define CHECK_STATUS(name, value, text)                                                            \
    ck_assert_int_eq(name, value);                                                                 \
    ck_assert_str_eq(ng_status_name(name), #name);                                                 \
    ck_assert_str_eq(ng_status_text(name), text);                                                  \
    ck_assert_msg(*ng_status_text(name) != '\0', "%s", #name);
    NG_STATUS_LIST(CHECK_STATUS)
#undef CHECK_STATUS
    ck_assert_str_eq(ng_status_name(NG_ESHAPE), "NG_ESHAPE");
    ck_assert_int_eq(NG_OK, 0);
}
END_TEST

START_TEST(status_unknown)
{
    static const int unknown[] = {2, 99, -16, -1000};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        ck_assert_str_eq(ng_status_name((ng_status)unknown[i]), "unknown");
        ck_assert_ptr_nonnull(ng_status_text((ng_status)unknown[i]));
    }
}
END_TEST

START_TEST(status_values_differ)
{
    static const int values[] = {
#define STATUS_VALUE(name, value, text) name,
        NG_STATUS_LIST(STATUS_VALUE)
#undef STATUS_VALUE
    };
    size_t n = sizeof values / sizeof *values;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            ck_assert_int_ne(values[i], values[j]);
            ck_assert_str_ne(ng_status_text((ng_status)values[i]),
                             ng_status_text((ng_status)values[j]));
        }
}
END_TEST

START_TEST(error_set_fills)
{
    ng_error error = {NG_OK, ""};
    ck_assert_int_eq(ng_error_set(&error, NG_ESHAPE, "%s is %d x %d", "W", 2, 3), NG_ESHAPE);
    ck_assert_int_eq(error.status, NG_ESHAPE);
    ck_assert_str_eq(error.text, "W is 2 x 3");
    ck_assert_int_eq(ng_error_set(NULL, NG_EIO, "nobody reads %d", 1), NG_EIO);
}
END_TEST

/* _i is the length of the text: around the 255 characters that fit */
START_TEST(error_set_truncates)
{
    struct {
        ng_error error;
        char behind[64];
    } guarded;
    char text[600];
    size_t length = (size_t)_i, kept = length < 255 ? length : 255;
    memset(&guarded, 0x5a, sizeof guarded);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + i % 26);
    text[length] = '\0';
    ck_assert_int_eq(ng_error_set(&guarded.error, NG_EARG, "%s", text), NG_EARG);
    ck_assert_uint_eq(strlen(guarded.error.text), kept);
    ck_assert_int_eq(memcmp(guarded.error.text, text, kept), 0);
    for (size_t i = 0; i < sizeof guarded.behind; i++)
        ck_assert_int_eq(guarded.behind[i], 0x5a);
}
END_TEST

START_TEST(version_is_the_package)
{
    ck_assert_str_eq(ng_version(), PACKAGE_VERSION);
}
END_TEST

/* ---- Matrix views ----------------------------------------------------------- */

static double cells[64];

START_TEST(mat_check_table)
{
    static const struct {
        ng_mat m;
        ng_status status;
    } cases[] = {
        {{cells, 4, 4, 4, NG_F64}, NG_OK},
        {{cells, 4, 4, 9, NG_F32}, NG_OK},
        {{cells, 1, 4, 4, NG_F64}, NG_OK},
        {{cells, 1, 4, 0, NG_F64}, NG_OK}, /* one row: the stride is never used */
        {{cells, 4, 1, 1, NG_F64}, NG_OK},
        {{NULL, 0, 4, 4, NG_F64}, NG_OK},
        {{NULL, 4, 0, 0, NG_F64}, NG_OK},
        {{NULL, 0, 0, 0, NG_F32}, NG_OK},
        {{NULL, SIZE_MAX, 0, 7, NG_F32}, NG_OK},
        {{cells, 2, 4, 3, NG_F64}, NG_ESHAPE},
        {{cells, 2, 1, 0, NG_F32}, NG_ESHAPE},
        {{NULL, 1, 1, 1, NG_F32}, NG_EARG},
        {{NULL, 4, 4, 4, NG_F64}, NG_EARG},
        {{cells, 4, 4, 4, (ng_dtype)2}, NG_EDTYPE},
        {{cells, 4, 4, 4, (ng_dtype)-1}, NG_EDTYPE},
        {{NULL, 0, 0, 0, (ng_dtype)7}, NG_EDTYPE},
        {{cells, 1, SIZE_MAX, SIZE_MAX, NG_F32}, NG_ERANGE},
        {{cells, 1, SIZE_MAX / 4, SIZE_MAX / 4, NG_F64}, NG_ERANGE},
        {{cells, SIZE_MAX, 1, 1, NG_F64}, NG_ERANGE},
        {{cells, (size_t)1 << 32, 4, (size_t)1 << 32, NG_F32}, NG_ERANGE},
        {{cells, 3, 4, SIZE_MAX / 2, NG_F32}, NG_ERANGE},
        {{cells, 2, 4, SIZE_MAX, NG_F64}, NG_ERANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ng_error error = {NG_OK, ""};
        ng_status status = ng_mat_check(cases[i].m, "weights", &error);
        ck_assert_msg(status == cases[i].status, "case %zu: %s", i, ng_status_name(status));
        ck_assert_int_eq(ng_mat_check(cases[i].m, "weights", NULL), status);
        ck_assert_int_eq(error.status, status);
        if (status != NG_OK)
            ck_assert_msg(strstr(error.text, "weights") != NULL, "case %zu: %s", i, error.text);
    }
}
END_TEST

START_TEST(mat_views)
{
    float f[12];
    double d[12];
    for (int i = 0; i < 12; i++)
        f[i] = (float)(d[i] = i);
    ng_mat both[] = {ng_f32(f, 3, 4), ng_f64(d, 3, 4), ng_f32_strided(f, 3, 2, 4),
                     ng_f64_strided(d, 3, 2, 4)};
    for (int k = 0; k < 4; k++) {
        ck_assert_int_eq(both[k].dtype, k % 2 ? NG_F64 : NG_F32);
        ck_assert_uint_eq(both[k].stride, 4);
        ck_assert(ng_mat_get(both[k], 2, 1) == 9);
        ng_mat block = ng_mat_block(both[k], 1, 1, 2, 1);
        ck_assert_uint_eq(block.rows, 2);
        ck_assert_uint_eq(block.cols, 1);
        ck_assert(ng_mat_get(block, 0, 0) == 5 && ng_mat_get(block, 1, 0) == 9);
        ng_mat_set(block, 1, 0, 0.5);
        ck_assert(ng_mat_get(both[k], 2, 1) == 0.5);
        ng_mat_set(block, 1, 0, 9);
    }
}
END_TEST

START_TEST(dtype_numbers)
{
    volatile float f = 1 + (float)ng_dtype_eps(NG_F32), half = 1 + (float)ng_dtype_eps(NG_F32) / 2;
    volatile double d = 1 + ng_dtype_eps(NG_F64), dhalf = 1 + ng_dtype_eps(NG_F64) / 2;
    ck_assert(f > 1 && half == 1);
    ck_assert(d > 1 && dhalf == 1);
    ck_assert_uint_eq(ng_dtype_size(NG_F32), sizeof(float));
    ck_assert_uint_eq(ng_dtype_size(NG_F64), sizeof(double));
}
END_TEST

TEST_SUITE(core)
{
    TCase *errors = tcase_create("status and error"), *views = tcase_create("views");
    tcase_add_test(errors, status_names);
    tcase_add_test(errors, status_unknown);
    tcase_add_test(errors, status_values_differ);
    tcase_add_test(errors, error_set_fills);
    tcase_add_loop_test(errors, error_set_truncates, 250, 260);
    tcase_add_loop_test(errors, error_set_truncates, 500, 501);
    tcase_add_test(errors, version_is_the_package);
    tcase_add_test(views, mat_check_table);
    tcase_add_test(views, mat_views);
    tcase_add_test(views, dtype_numbers);
    suite_add_tcase(suite, errors);
    suite_add_tcase(suite, views);
}
