/* Each allocation of opening, dividing and following fails in turn: NG_ENOMEM and nothing left
 * behind (as a build with the address sanitizer sees), until all of it works. */
#include "tests/support/faults.h"
#include "tests/train/data_world.h"

#include <zlib.h>

static const char *source;
static ng_dataset *train, *held_out;
static ng_schema *schema;

static ng_status open_source(ng_error *error)
{
    return ng_dataset_open(&data, source, &options, error);
}

static void close_source(void)
{
    ng_dataset_destroy(data);
}

static ng_status divide(ng_error *error)
{
    return ng_dataset_split(&train, &held_out, data, &options, error);
}

static void close_parts(void)
{
    ng_dataset_destroy(train);
    ng_dataset_destroy(held_out);
}

static ng_status follow(ng_error *error)
{
    return ng_dataset_open_like(&train, schema, source, &options, error);
}

static void close_train(void)
{
    ng_dataset_destroy(train);
}

static char text[8192];

static ng_status read_text(ng_error *error)
{
    return ng_schema_read(&schema, text, error);
}

static void close_schema(void)
{
    ng_schema_destroy(schema);
}

/* The call with its k-th allocation failing, k = 1, 2, ..., until none is left to fail. */
static void fail_in_turn(ng_status (*call)(ng_error *error), void (*close)(void))
{
    ng_status status = NG_ENOMEM;
    for (long k = 1; status != NG_OK; k++) {
        ng_error error = {NG_OK, ""};
        fault_once(FAULT_MEMORY, k, FAIL);
        status = call(&error);
        long calls = fault_over();
        if (status == NG_OK && calls < k) {
            ck_assert_int_ge(k, 2);
            close();
            break;
        }
        if (status == NG_OK) { /* a note for describe was lost, nothing else may be */
            close();
            status = NG_ENOMEM;
            continue;
        }
        ck_assert_msg(status == NG_ENOMEM, "%s, allocation %ld: %s (%s)", source, k,
                      ng_status_name(status), error.text);
        ck_assert_msg(strstr(error.text, "no memory") != NULL, "%s, allocation %ld: \"%s\"", source,
                      k, error.text);
    }
}

/* Everything there is to do with a source. */
static void assert_survives(const char *kind, const char *path, const char *words)
{
    char name[1400];
    snprintf(name, sizeof name, "%s:%s", kind, path);
    source = name;
    set_options(words);
    fail_in_turn(open_source, close_source);
    ng_assert_ok(open_source(&err), &err);
    fail_in_turn(divide, close_parts);
    schema = ng_schema_share(ng_dataset_schema(data));
    set_options("missing=drop");
    fail_in_turn(follow, close_train);
    ng_schema_write(schema, text, sizeof text);
    ng_schema_destroy(schema);
    fail_in_turn(read_text, close_schema);
    ng_dataset_destroy(data);
}

START_TEST(tables)
{
    char table[4096] = "w,c,k,y\n", *at = table + strlen(table);
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "%d,\"w\"\"%d\",9,%s\n", i, i % 3, i % 7 < 3 ? "no" : "yes");
    at += sprintf(at, ",w\"1,9,no\n");
    assert_survives("csv", files_text("t.csv", table), "missing=drop");
    assert_survives("libsvm", files_text("t.svm", "1 1:2 3:4\n2 2:1\n1 1:1\n2 3:1\n1 2:9\n2 1:1\n"),
                    "");
}
END_TEST

START_TEST(others)
{
    assert_survives("text", files_text("t", "some text that is long enough to be divided"),
                    "context=3");
    assert_survives("digits", "12", "");
    assert_survives("mixture", "12", "classes=3 features=2");
    assert_survives("npy",
                    files_write("x.npy",
                                "\x93NUMPY\1\0\x46\0"
                                "{'descr': '|u1', 'fortran_order': False, 'shape': (6, 2)}"
                                "            \n\1\1\2\2\3\1\4\2\5\1\6\2",
                                92),
                    "");
    char both[1200], path[600];
    snprintf(path, sizeof path, "%s",
             files_write("i", "\0\0\x08\2\0\0\0\6\0\0\0\1\1\2\3\4\5\6", 18));
    snprintf(both, sizeof both, "%s,%s", path,
             files_write("l", "\0\0\x08\1\0\0\0\6\0\1\0\1\0\1", 14));
    assert_survives("idx", both, "");
}
END_TEST

TEST_SUITE(data_alloc)
{
    TCase *tc = tcase_create("data_alloc");
    tcase_set_timeout(tc, 120); /* seconds; for valgrind */
    tcase_add_checked_fixture(tc, files_setup, files_teardown);
    tcase_add_test(tc, tables);
    tcase_add_test(tc, others);
    suite_add_tcase(suite, tc);
}
