/* Schemas: to text and back, and files read against one. */
#include "tests/train/data_world.h"

static ng_schema *schema;

#define HEAD "natgrad schema 1\nkind csv\ntask classification\nscale standard\nheader yes\n"

/* schema <- of this table, through its text */
static void learn(const char *text, const char *words)
{
    char one[4096], two[4096];
    ng_assert_ok(open_csv(text, words), &err);
    size_t length = ng_schema_write(ng_dataset_schema(data), one, sizeof one);
    ck_assert_uint_eq(length, strlen(one));
    ck_assert_uint_eq(ng_schema_write(ng_dataset_schema(data), two, 10), length);
    ck_assert_uint_eq(strlen(two), 9);
    ng_assert_ok(ng_schema_read(&schema, one, &err), &err);
    ng_schema_write(schema, two, sizeof two);
    ck_assert_str_eq(one, two);
    close_data();
}

static ng_status follow(const char *text, const char *words)
{
    set_options(words);
    return open_path("csv", files_text("other.csv", text), schema);
}

static const char table[] = "w,c,k,y\n1,red,9,no\n3,blue,9,yes\n5,red,9,no\n";

/* Another order, no constant column, one row: the same features. w: mean 3, deviation sqrt(8/3). */
START_TEST(by_name)
{
    const double x[] = {(7 - 3) / sqrt(8 / 3.0), 0, 1}; /* w, blue, red */
    learn(table, "dtype=f64");
    ck_assert_str_eq(ng_schema_kind(schema), "csv");
    ck_assert_int_eq(ng_schema_scale(schema), NG_SCALE_STANDARD);
    ng_assert_ok(follow("y,c,w\nyes,red,7\n", "dtype=f64"), &err);
    assert_samples(data, 1, 3, x, (const int[]){1});
    close_data();
    ng_assert_ok(follow("y,id,c,w\nyes,x7,red,7\n", "dtype=f64 ignore=id"), &err);
    assert_samples(data, 1, 3, x, (const int[]){1});
    close_data();
    ng_assert_ok(follow("y,id,n,c,w\nyes,x7,,red,7\n", "dtype=f64 ignore=n,2"), &err);
    assert_samples(data, 1, 3, x, (const int[]){1});
    close_data();
    ng_assert_ok(follow("c,w\nred,7\n", "dtype=f64 header=yes"), &err); /* no labels */
    ck_assert(!ng_dataset_labelled(data));
    assert_samples(data, 1, 3, x, (const int[]){-1});
    close_data();
    ng_assert_ok(follow("7,red,1,yes\n", "dtype=f64 header=no"), &err); /* by place */
    assert_samples(data, 1, 3, x, (const int[]){1});
    close_data();
    ng_assert_ok(follow("7,red,1\n", "dtype=f64 header=no"), &err);
    assert_samples(data, 1, 3, x, (const int[]){-1});
    close_data();
    ng_schema_destroy(schema);
}
END_TEST

/* Found again where they stood, and by the schemas of files that kept the name empty. */
START_TEST(nameless_columns)
{
    const double x[] = {(7 - 3) / sqrt(8 / 3.0), 0, 1};
    char name[32];
    learn(",c,,y\n1,red,9,no\n3,blue,9,yes\n5,red,9,no\n", "dtype=f64");
    ng_assert_ok(follow(",y,c\n7,yes,red\n", "dtype=f64"), &err);
    assert_samples(data, 1, 3, x, (const int[]){1});
    close_data();
    ng_assert_fails(follow("c,,y\nred,7,no\n", "header=yes"), NG_EFORMAT, &err,
                    "column 2 \"column 2\" is not among those of the model");
    ng_schema_destroy(schema);
    ng_assert_ok(ng_schema_read(&schema,
                                HEAD "column number a 0 0 1\ncolumn category % x y\n"
                                     "column label %\nlabel p\n",
                                &err),
                 &err);
    ck_assert_uint_eq(ng_schema_feature_name(schema, 1, name, sizeof name), 10);
    ck_assert_str_eq(name, "column 2=x");
    ng_schema_destroy(schema);
}
END_TEST

/* Rows that are left out may have words that the model does not know, before their missing value.
 */
START_TEST(rows_left_out)
{
    learn(table, "dtype=f64");
    ng_assert_ok(follow("w,c,y\n7,green,?\n1,red,no\n,green,perhaps\n", "missing=drop header=yes"),
                 &err);
    ck_assert_uint_eq(ng_dataset_count(data), 1);
    close_data();
    ng_schema_destroy(schema);
}
END_TEST

/* So many columns that looking through them for each would take hours: by place, and by name. */
START_TEST(many_columns)
{
    enum { COLUMNS = 1 << 19 };
    char *text = malloc(COLUMNS * 16), *at = text, name[16];
    ck_assert_ptr_nonnull(text);
    for (int header = 0; header < 2; header++, at = text) {
        for (int j = COLUMNS; j > 0 && header; j--)
            at += sprintf(at, "c%07d%c", j, j > 1 ? ',' : '\n');
        for (int j = 0; j < 2 * COLUMNS; j++, *at++ = j % COLUMNS == 0 ? '\n' : ',')
            *at++ = j < COLUMNS ? '0' : '1';
        *at = '\0';
        ng_assert_ok(open_csv(text, header ? "header=yes" : "header=no"), &err);
        schema = ng_schema_share(ng_dataset_schema(data));
        close_data();
        ng_assert_ok(follow(text, header ? "header=yes" : "header=no"), &err);
        ck_assert_uint_eq(ng_dataset_features(data), COLUMNS - 1);
        for (size_t i = 0; i < COLUMNS - 1; i++) {
            snprintf(name, sizeof name, header ? "c%07zu" : "%zu", header ? COLUMNS - i : i + 1);
            char found[16];
            ng_schema_feature_name(schema, i, found, sizeof found);
            ck_assert_str_eq(found, name);
        }
        close_data();
        ng_schema_destroy(schema);
    }
    free(text);
}
END_TEST

/* Numbers far from what the schema was fitted to leave the library finite or not at all. */
START_TEST(out_of_range)
{
    static const size_t index[] = {1, 2, 0};
    double x[3];
    float single[3];
    learn("a,y\n1e-100,0\n2e-100,1\n", "dtype=f64");
    ng_assert_ok(follow("a,y\n1e300,0\n1e-100,1\n1e-50,1\n", "dtype=f64"), &err);
    ng_assert_ok(ng_dataset_gather(data, ng_f64(x, 2, 1), NULL, index, 2, &err), &err);
    ng_assert_fails(ng_dataset_gather(data, ng_f64(x, 3, 1), NULL, index, 3, &err), NG_ERANGE, &err,
                    "sample 0, column \"a\": 1e+300 is inf once it is scaled");
    ng_assert_rel(x[0], -1, 1e-12);
    ng_assert_fails(ng_dataset_gather(data, ng_f32(single, 2, 1), NULL, index, 2, &err), NG_ERANGE,
                    &err, "sample 2, column \"a\"");
    close_data();
    ng_schema_destroy(schema);
    learn("a,t\n0,1e-100\n1,2e-100\n", "dtype=f64 task=regression");
    ng_assert_ok(follow("a,t\n1,1e300\n", "dtype=f64 task=regression"), &err);
    ng_assert_fails(ng_dataset_gather_targets(data, ng_f64(x, 1, 1), index + 2, 1, &err), NG_ERANGE,
                    &err, "sample 0, column \"t\": 1e+300 is inf");
    close_data();
    ng_schema_destroy(schema);
}
END_TEST

START_TEST(what_does_not_fit)
{
    learn(table, "");
    ng_assert_fails(follow("w,c,y\n1,red,perhaps\n", "header=yes"), NG_EFORMAT, &err,
                    "line 2, column 3 \"y\": the label \"perhaps\" is none of the 2");
    ng_assert_fails(follow("w,c,y\n1,green,no\n", "header=yes"), NG_EFORMAT, &err,
                    "line 2, column 2 \"c\": the model knows no \"green\"");
    ng_assert_fails(follow("w,c,size,y\n1,red,2,no\n", "header=yes"), NG_EFORMAT, &err,
                    "column 3 \"size\" is not among those of the model");
    ng_assert_fails(follow("w,c,size,y\n1,red,2,no\n", "header=yes ignore=siz,4"), NG_EFORMAT, &err,
                    "column 3 \"size\" is not among those of the model");
    ng_assert_fails(follow("c,y\nred,no\n", "header=yes"), NG_EFORMAT, &err,
                    "column \"w\" of the model is missing");
    ng_assert_fails(follow("w,c,w,y\n1,red,2,no\n", "header=yes"), NG_EFORMAT, &err,
                    "column \"w\" is there twice");
    ng_assert_fails(follow("1,red\n", "header=no"), NG_EFORMAT, &err,
                    "2 columns, expected 3, or 4");
    ng_assert_fails(follow("w,c,y\nNaN,red,no\n", "header=yes"), NG_EFORMAT, &err,
                    "line 2, column 1 \"w\": \"NaN\"");
    ng_assert_fails(follow("w,c,y\n1,red,no\n", "header=yes scale=minmax"), NG_EOPTION, &err,
                    "trained with scale=standard");
    ng_assert_fails(follow("", ""), NG_EFORMAT, &err, "empty");
    set_options("");
    ng_assert_fails(open_path("text", files_text("t", "abc"), schema), NG_EOPTION, &err,
                    "csv data");
    ng_schema_destroy(schema);
}
END_TEST

/* A split of a followed set keeps the schema. */
START_TEST(followed_sets_stay)
{
    ng_dataset *train, *rest;
    char before[4096], after[4096];
    learn("a,y\n1,0\n3,1\n", "");
    ng_schema_write(schema, before, sizeof before);
    ng_assert_ok(follow("a,y\n10,0\n30,1\n20,0\n15,1\n11,1\n", ""), &err);
    ng_assert_ok(ng_dataset_split(&train, &rest, data, &options, &err), &err);
    ng_schema_write(ng_dataset_schema(train), after, sizeof after);
    ck_assert_str_eq(before, after);
    ng_dataset_destroy(train);
    ng_dataset_destroy(rest);
    close_data();
    ng_schema_destroy(schema);
}
END_TEST

/* Regression, words with every kind of byte, texts, pictures. */
START_TEST(all_kinds_as_text)
{
    char text[8192], again[8192];
    learn("\"a b%\",\xc3\xa9,t\n1,\"x\ny\",2\n2,,3\n",
          "missing=drop task=regression label=t ignore=2");
    ng_schema_write(schema, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "a%20b%25"));
    ck_assert_ptr_nonnull(strstr(text, "%c3%a9"));
    for (size_t i = 0; text[i] != '\0'; i++)
        ck_assert(text[i] == '\n' || (text[i] >= ' ' && text[i] < 127));
    ng_schema_destroy(schema);
    static const char *const sources[] = {"digits:20", "mixture:20"};
    for (int k = 0; k < 3; k++) {
        set_options("context=3");
        if (k == 2)
            ng_assert_ok(open_path("text", files_text("t", "some text\nwith lines"), NULL), &err);
        else
            ng_assert_ok(ng_dataset_open(&data, sources[k], NULL, &err), &err);
        ng_schema_write(ng_dataset_schema(data), text, sizeof text);
        ng_assert_ok(ng_schema_read(&schema, text, &err), &err);
        ng_schema_write(schema, again, sizeof again);
        ck_assert_str_eq(text, again);
        ck_assert_uint_eq(ng_schema_features(schema), ng_dataset_features(data));
        ck_assert_uint_eq(ng_schema_classes(schema), ng_dataset_classes(data));
        close_data();
        if (k == 2) {
            ng_assert_ok(open_path("text", files_text("u", "the line\n"), schema), &err);
            ck_assert_uint_eq(ng_dataset_features(data), ng_schema_features(schema));
            close_data();
            ng_assert_fails(open_path("text", files_text("u", "zebra"), schema), NG_EFORMAT, &err,
                            "byte 1 is 0x7a");
        }
        ng_schema_destroy(schema);
    }
}
END_TEST

START_TEST(bad_texts)
{
    static const struct {
        const char *text, *what;
    } bad[] = {
        {"", "line 1"},
        {"natgrad schema 2\n", "expected \"natgrad schema 1\""},
        {HEAD "column number a 0 0 1\nlabel x\nlabel y\n", "label and target columns"},
        {HEAD "column number a 0 0 1\ncolumn label y\n", "labels do not fit"},
        {HEAD "column number a 0 0 1\ncolumn number a 0 0 1\ncolumn label y\nlabel x\n",
         "two columns of one name"},
        {HEAD "column number a 0 0 0\ncolumn label y\nlabel x\n", "line 6: a factor"},
        {HEAD "column number a nan 0 1\ncolumn label y\nlabel x\n", "line 6: expected a finite"},
        {HEAD "column number a 0 0 1e999\ncolumn label y\nlabel x\n", "line 6: expected a finite"},
        {HEAD "column number a 0 0\ncolumn label y\nlabel x\n", "line 6: ends too early"},
        {HEAD "column number a 0 0 1 2\ncolumn label y\nlabel x\n", "line 6: goes on"},
        {HEAD "column number a%zz 0 0 1\n", "line 6: % without"},
        {HEAD "column number a%00b 0 0 1\n", "line 6: a zero byte"},
        {HEAD "column category a one\n", "line 6: less than two"},
        {HEAD "column category a one one\n", "line 6: a name that is there"},
        {HEAD "column category a one %\n", "line 6: an empty name"},
        {HEAD "label %\n", "line 6: an empty name"},
        {HEAD "column  number a 0 0 1\n", "line 6: two blanks"},
        {HEAD "colour red\n", "line 6: an unknown word"},
        {HEAD "features 0\n", "out of range"},
        {HEAD "features 1e18\n", "out of range"},
        {HEAD "features 5\ncontext 3\nlabel x\n", "do not fit"},
        {HEAD "features 5\ncontext 3\nvocabulary ba\n", "line 8: a vocabulary"},
        {HEAD "features 5\ncontext 3\nvocabulary ab\nlabel a\nlabel b\n", "features do not fit"},
        {HEAD "features 5\n", "labels do not fit"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        schema = (ng_schema *)&err;
        ng_assert_fails(ng_schema_read(&schema, bad[i].text, &err), NG_EFORMAT, &err, bad[i].what);
        ck_assert_ptr_null(schema);
    }
    ng_assert_ok(
        ng_schema_read(&schema, HEAD "column number a 0 0 1\ncolumn label y\nlabel x\n", &err),
        &err);
    ng_schema_destroy(schema);
}
END_TEST

/* A model file may say anything of any kind of data. */
START_TEST(impossible_models)
{
    static const char *const texts[][3] = {
        {"kind digits", "features 5\nlabel a\n", "digits:10"},
        {"kind text", "features 5\nlabel a\n", "text:"},
        {"kind sequences", "features 6\ncontext 3\nvocabulary ab\nlabel a\nlabel b\n",
         "sequences:"},
        {"kind mixture", "features 5\nlabel a\n", "mixture:10"},
        {"kind mixture", "column number a 0 0 1\ncolumn number b 0 0 1\ncolumn label c\nlabel 9\n",
         "mixture:10"},
        {"kind idx", "features 5\nlabel a\n", "idx:"},
        {"kind npy", "features 5\nlabel a\n", "npy:"},
        {"kind libsvm", "features 5\nlabel a\n", "libsvm:"},
        {"kind csv", "features 5\nlabel a\n", "csv:"},
    };
    const char *path = files_text("t", "1 1:1\n2 1:2\nabab");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[512], source[600];
        snprintf(text, sizeof text, "natgrad schema 1\n%s\n%s", texts[i][0], texts[i][1]);
        ng_assert_ok(ng_schema_read(&schema, text, &err), &err);
        size_t length = strlen(texts[i][2]);
        snprintf(source, sizeof source, "%s%s", texts[i][2],
                 texts[i][2][length - 1] == ':' ? path : "");
        ng_status status = ng_dataset_open_like(&data, schema, source, NULL, &err);
        ck_assert_msg(status == NG_EFORMAT, "%s: %s", source, ng_status_name(status));
        ng_schema_destroy(schema);
    }
}
END_TEST

/* Damaged bytes never crash, and what is accepted is written as it was read. */
START_TEST(damaged_texts)
{
    static const char whole[] =
        HEAD "column number w 1 2 3\ncolumn category c a b\ncolumn label y\nlabel no\nlabel yes\n";
    test_rng rng = {3};
    for (int round = 0; round < 5000; round++) {
        char text[sizeof whole], one[1024], two[1024];
        ng_schema *again;
        memcpy(text, whole, sizeof whole);
        for (int k = 0; k < 2; k++)
            text[(size_t)(test_uniform(&rng) * (sizeof whole - 1))] =
                "\n %0129azy"[(int)(10 * test_uniform(&rng))];
        if (ng_schema_read(&schema, text, &err) != NG_OK)
            continue;
        ng_schema_write(schema, one, sizeof one);
        ng_assert_ok(ng_schema_read(&again, one, &err), &err);
        ng_schema_write(again, two, sizeof two);
        ck_assert_str_eq(one, two);
        ng_schema_destroy(again);
        ng_schema_destroy(schema);
    }
}
END_TEST

TEST_SUITE(schema)
{
    TCase *tc = tcase_create("schema");
    tcase_set_timeout(tc, 60); /* seconds; for slow file systems and valgrind */
    tcase_add_checked_fixture(tc, files_setup, files_teardown);
    tcase_add_test(tc, by_name);
    tcase_add_test(tc, nameless_columns);
    tcase_add_test(tc, rows_left_out);
    tcase_add_test(tc, many_columns);
    tcase_add_test(tc, out_of_range);
    tcase_add_test(tc, what_does_not_fit);
    tcase_add_test(tc, followed_sets_stay);
    tcase_add_test(tc, all_kinds_as_text);
    tcase_add_test(tc, bad_texts);
    tcase_add_test(tc, impossible_models);
    tcase_add_test(tc, damaged_texts);
    suite_add_tcase(suite, tc);
}
