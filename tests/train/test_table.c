/* Tables as people have them: what is recognised, what becomes of it, what is refused and how. */
#include "tests/train/data_world.h"

static void assert_header(const char *text, const char *words, size_t count)
{
    ng_assert_ok(open_csv(text, words), &err);
    ck_assert_uint_eq(ng_dataset_count(data), count);
    close_data();
}

START_TEST(headers)
{
    assert_header("a,b,y\n1,2,0\n2,1,1\n", "", 2);
    assert_header("1,2,0\n2,1,1\n", "", 2);
    assert_header("1,2,0\n2,1,1\n3,5,0\n", "header=yes label=3", 2);
    assert_header("0,1,2\n1.5,2,0\n2,1,1\n", "", 2); /* pandas, columns without names */
    assert_header("0,1,2\n1,2,0\n2,1,1\n", "", 3);   /* three whole numbers: a sample */
    assert_header("0,1,2,3\n1,2,5,0\n2,1,5,1\n", "", 2);
    assert_header(",0,1,2\n0,1,2,0\n1,2,1,1\n", "ignore=1", 2); /* with its index */
    assert_header("1,2,3,4\n1,2,5,0\n2,1,5,1\n", "", 2);
    assert_header("0,1,2,4\n1,2,5,0\n2,1,5,1\n", "", 3);
    assert_header("0,1\n1,0.5\n2,0.1\n", "task=regression", 3); /* two: never */
    assert_header("x,y,z\na,b,p\nb,b,q\na,c,p\n", "", 3);       /* words over words */
    assert_header("a,b,p\nb,b,q\na,c,p\n", "", 3);              /* again: data */
    ng_assert_fails(open_csv("colour,2019,y\nred,1,0\nred,2,1\n", ""), NG_EFORMAT, &err,
                    "line 1, column 3: \"y\" stands above numbers");
    assert_header("colour,2019,y\nred,1,0\nred,2,1\n", "header=yes", 2);
    ng_assert_fails(open_csv("1,x,0\n1,2,0\n", ""), NG_EFORMAT, &err, "header=yes or header=no");
    ng_assert_ok(open_csv("a,b,y\n1,2,0\n2,1,1\n", ""), &err);
    assert_says(data, NULL, "first line: names of columns (seen)");
    close_data();
}
END_TEST

START_TEST(separators_outside_quotes)
{
    static const double x[] = {1.5, 2, 3, 4};
    static const int y[] = {0, 1};
    ng_assert_ok(open_csv("\"height, cm\";\"b\";\"y\"\n1.5;2;0\n3;4;1\n", RAW), &err);
    assert_samples(data, 2, 2, x, y);
    char name[32];
    ck_assert_uint_eq(ng_schema_feature_name(ng_dataset_schema(data), 0, name, sizeof name), 10);
    ck_assert_str_eq(name, "height, cm");
    close_data();
    static const char *const texts[] = {
        "a|b|y\n1.5|2|0\n3|4|1\n", "a\tb\ty\n1.5\t2\t0\n3\t4\t1\n", "1.5  2 0\n 3 4  1\n",
        "\"say \"\"a\"\", b\",\"two\nlines\",y\n1.5,2,0\n3,4,1\n", "1,5;2;0\n3;4,0;1\n"};
    for (int i = 0; i < 5; i++) {
        ng_assert_ok(open_csv(texts[i], i == 4 ? RAW "decimal=," : RAW), &err);
        assert_samples(data, 2, 2, x, y);
        if (i == 3) {
            ng_schema_feature_name(ng_dataset_schema(data), 0, name, sizeof name);
            ck_assert_str_eq(name, "say \"a\", b");
        }
        close_data();
    }
    ng_assert_ok(open_csv("1.5/2/0\n3/4/1\n", RAW "separator=/"), &err);
    assert_samples(data, 2, 2, x, y);
    close_data();
    ng_assert_fails(open_csv("1,5;2;0\n3,5;4;1\n", ""), NG_EFORMAT, &err, "decimal comma");
    ng_assert_fails(open_csv("\xff\xfe"
                             "1\0",
                             ""),
                    NG_EFORMAT, &err, "UTF-16");
}
END_TEST

/* A line number counts the lines inside quotes. */
START_TEST(quoted_lines)
{
    ng_assert_fails(open_csv("a,b,y\n\"one\ntwo\",1,0\nthree,x,1\n", "categorical=a"), NG_EFORMAT,
                    &err, "line 4, column 2 \"b\": \"x\"");
    ng_assert_ok(open_csv("a,b,y\n5\" pipe,1,0\n6\" pipe,2,1\n", "categorical=a"), &err);
    close_data();
}
END_TEST

/* 1/3 in 200 digits, and the like: numbers of any length. */
START_TEST(long_numbers)
{
    char text[4000];
    static const double x[] = {1 / 3.0, 12345678901234567890.0, 0.1, 5e-324};
    static const int y[] = {0, 1};
    char *at = text + sprintf(text, "0.");
    for (int i = 0; i < 200; i++)
        *at++ = '3';
    at += sprintf(at, ",12345678901234567890,0\n0.1");
    for (int i = 0; i < 900; i++)
        *at++ = '0';
    sprintf(at, ",4.94065645841246544176568792868e-324,1\n");
    ng_assert_ok(open_csv(text, RAW), &err);
    assert_samples(data, 2, 2, x, y);
    close_data();
}
END_TEST

START_TEST(missing_values)
{
    static const char text[] = "a,b,y\n1,NA,0\n2,4,1\n,6,0\n4,8,1\n";
    static const double mean[] = {1, 6, 2, 4, 7 / 3.0, 6, 4, 8}, kept[] = {2, 4, 4, 8};
    static const int y[] = {0, 1, 0, 1};
    ng_assert_fails(open_csv(text, ""), NG_EFORMAT, &err, "line 2, column 2 \"b\": \"NA\"");
    ng_assert_ok(open_csv(text, RAW "missing=mean"), &err);
    assert_samples(data, 4, 2, mean, y);
    close_data();
    ng_assert_fails(open_csv(text, RAW "missing=drop"), NG_EFORMAT, &err, "every label");
    ng_assert_ok(open_csv("a,b,y\n1,NA,0\n2,4,1\n,6,0\n4,8,0\n", RAW "missing=drop"), &err);
    assert_samples(data, 2, 2, kept, (const int[]){1, 0});
    assert_says(data, NULL, "2 rows left out");
    close_data();
    ng_assert_fails(open_csv("a,y\n1,0\n2,NaN\n", "missing=mean"), NG_EFORMAT, &err,
                    "line 3, column 2 \"y\": \"NaN\"");
    ng_assert_fails(open_csv("a,y\n1,\n,2\n", "missing=drop"), NG_EFORMAT, &err,
                    "each of its 2 rows");
}
END_TEST

/* A row that is left out is not judged, wherever its missing value stands; nor do its words count.
 */
START_TEST(rows_left_out)
{
    static const double x[] = {1, 0, 2, 0, 1, 4};
    static const char text[] = "c,n,y\nred,2,0\nsky,1e999,?\nblue,x,\ngreen,NA,0.5\nsky,4,1\n";
    ng_assert_ok(open_csv(text, RAW "missing=drop categories=2 header=yes"), &err);
    assert_samples(data, 2, 3, x, (const int[]){0, 1});
    assert_says(data, NULL, "3 rows left out");
    close_data();
    set_options(RAW "missing=drop");
    ng_assert_ok(open_path("libsvm", files_text("t", "0 1:1\n? 1:1e300\n1 1:2\n"), NULL), &err);
    assert_samples(data, 2, 1, (const double[]){1, 2}, (const int[]){0, 1});
    close_data();
}
END_TEST

/* Words become a feature each, in order of bytes; a missing one is none of them. */
START_TEST(categories)
{
    static const double x[] = {0, 1, 0, 5, 1, 0, 0, 6, 0, 0, 1, 7, 0, 0, 0, 8};
    static const int y[] = {1, 0, 1, 0};
    char name[32];
    ng_assert_ok(
        open_csv("c,n,y\nred,5,no\nblue,6,maybe\nsky,7,no\n?,8,maybe\n", RAW "missing=mean"), &err);
    assert_samples(data, 4, 4, x, y);
    const ng_schema *schema = ng_dataset_schema(data);
    ng_schema_feature_name(schema, 1, name, sizeof name);
    ck_assert_str_eq(name, "c=red");
    ck_assert_str_eq(ng_schema_label(schema, 0), "maybe");
    ck_assert_str_eq(ng_schema_label(schema, 1), "no");
    ck_assert_ptr_null(ng_schema_label(schema, 2));
    assert_says(data, NULL, "c (3)");
    close_data();
    ng_assert_fails(open_csv("c,n,y\nr,5,0\nb,6,1\ns,7,0\n", "categories=2"), NG_EFORMAT, &err,
                    "line 4, column 1 \"c\": \"s\" is one more than 2");
    ng_assert_ok(open_csv("c,n,y\nr,5,0\nb,6,1\ns,7,0\n", "categories=2 ignore=c"), &err);
    ck_assert_uint_eq(ng_dataset_features(data), 1);
    close_data();
    ng_assert_ok(open_csv("1,5,0\n2,6,1\n", RAW "categorical=1"), &err);
    assert_samples(data, 2, 3, (const double[]){1, 0, 5, 0, 1, 6}, (const int[]){0, 1});
    close_data();
}
END_TEST

/* A column without a name is called by its place, wherever names are told or looked for. */
START_TEST(nameless_columns)
{
    static const double x[] = {1, 0, 5, 0, 1, 6};
    char name[32];
    ng_assert_ok(open_csv(",n,\"\",\nred,5,7,2\nsky,6,7,3\n", RAW "task=regression"), &err);
    const ng_schema *schema = ng_dataset_schema(data);
    assert_samples(data, 2, 3, x, NULL);
    ck_assert_uint_eq(ng_schema_feature_name(schema, 0, name, sizeof name), 12);
    ck_assert_str_eq(name, "column 1=red");
    ck_assert_str_eq(ng_schema_target_name(schema, 0), "column 4");
    assert_says(data, NULL, "constant, left out: column 3");
    close_data();
    set_options(RAW "label=n");
    ng_assert_ok(ng_dataset_options_set(&options, "ignore", "column 2", &err), &err);
    ng_assert_ok(open_path("csv", files_text("t", "n,,\n5,1,7\n6,2,8\n"), NULL), &err);
    ck_assert_uint_eq(ng_dataset_features(data), 1);
    close_data();
    ng_assert_fails(open_csv(",n,y\nred,5,2\nsky,x,3\n1,x,3\n", ""), NG_EFORMAT, &err, "column 2");
    ng_assert_fails(open_csv("column 2,,y\n1,5,2\n2,6,3\n", ""), NG_EFORMAT, &err,
                    "names columns 1 and 2 both \"column 2\"");
}
END_TEST

START_TEST(labels)
{
    static const double x[] = {1, 2, 3, 4};
    ng_assert_ok(open_csv("1,+1\n2,-1\n3,1.0\n4,-1\n", RAW), &err);
    assert_samples(data, 4, 1, x, (const int[]){1, 0, 1, 0});
    ck_assert_str_eq(ng_schema_label(ng_dataset_schema(data), 0), "-1");
    close_data();
    ng_assert_ok(open_csv("1,100\n2,9\n3,-20\n4,-3\n", RAW), &err); /* as numbers, not as bytes */
    assert_samples(data, 4, 1, x, (const int[]){3, 2, 0, 1});
    assert_says(data, NULL, "classes: 4: -20 1, -3 1, 9 1, 100 1");
    close_data();
}
END_TEST

START_TEST(constant_columns)
{
    ng_assert_ok(open_csv("a,b,c,y\n1,7,x,0\n2,7,x,1\n", RAW), &err);
    assert_samples(data, 2, 1, (const double[]){1, 2}, (const int[]){0, 1});
    assert_says(data, NULL, "constant, left out: b, c");
    close_data();
    ng_assert_ok(open_csv("a,b,y\n1,2,0\n2,3,1\n", RAW "label=y"), &err);
    assert_says(data, NULL, "2 features");
    close_data();
    ng_assert_ok(open_csv("a,b,c,y\n1,2,5,0\n2,3,1,1\n", RAW), &err);
    assert_says(data, NULL, "note: more features (3) than rows (2)");
    close_data();
}
END_TEST

/* Two targets, scaled as features are, and back. */
START_TEST(regression)
{
    static const size_t index[] = {2, 0};
    double y[4], offset, factor;
    ng_assert_ok(
        open_csv("p,a,q\n1,10,0.5\n2,20,0.25\n6,30,-0.75\n", RAW "task=regression label=q,p"),
        &err);
    const ng_schema *schema = ng_dataset_schema(data);
    ck_assert_uint_eq(ng_schema_targets(schema), 2);
    ck_assert_uint_eq(ng_dataset_classes(data), 0);
    ck_assert_str_eq(ng_schema_target_name(schema, 0), "p");
    ng_assert_ok(ng_dataset_gather_targets(data, ng_f64(y, 2, 2), index, 2, &err), &err);
    ck_assert(y[0] == 6 && y[1] == -0.75 && y[2] == 1 && y[3] == 0.5);
    assert_samples(data, 3, 1, (const double[]){10, 20, 30}, (const int[]){-1, -1, -1});
    ng_assert_fails(ng_dataset_gather_targets(data, ng_f64(y, 1, 1), index, 1, &err), NG_ESHAPE,
                    &err, "y is 1 x 1, expected 1 x 2");
    close_data();
    ng_assert_ok(
        open_csv("p,a,q\n1,10,0.5\n2,20,0.25\n6,30,-0.75\n", "dtype=f64 task=regression label=q,p"),
        &err);
    ng_assert_ok(ng_schema_target_scale(ng_dataset_schema(data), 0, &offset, &factor), &err);
    ng_assert_rel(offset, 3, 1e-15);
    ng_assert_rel(factor, sqrt(3.0 / 14), 1e-14);
    ng_assert_ok(ng_dataset_gather_targets(data, ng_f64(y, 2, 2), index, 2, &err), &err);
    ng_assert_rel(y[0] / factor + offset, 6, 1e-14);
    close_data();
    ng_assert_ok(open_csv("1,0\n2,1\n", ""), &err);
    ng_assert_fails(ng_dataset_gather_targets(data, ng_f64(y, 1, 0), index, 1, &err), NG_ENODATA,
                    &err, "no targets");
    close_data();
}
END_TEST

/* What single precision cannot hold is said or refused. */
START_TEST(precision)
{
    ng_assert_fails(open_csv("1e300,0\n2,1\n", ""), NG_EFORMAT, &err, "single precision");
    ng_assert_ok(open_csv("1e300,0\n2,1\n", RAW), &err);
    close_data();
    ng_assert_ok(open_csv("1600000000,0\n1600000900,1\n", ""), &err);
    assert_says(data, NULL, "single precision keeps little of it");
    close_data();
}
END_TEST

static void assert_option(const char *name, const char *text, const char *what)
{
    ng_assert_fails(ng_dataset_options_set(&options, name, text, &err), NG_EOPTION, &err, what);
}

START_TEST(bad_options)
{
    set_options("");
    assert_option("heading", "yes", "no data option heading");
    assert_option("header", "maybe", "auto, yes, no");
    assert_option("categories", "1", "2 ... 65536");
    assert_option("categories", "2.5", "whole");
    assert_option("train", "1.5", "0 ... 1");
    assert_option("seed", "x", "seed=x");
    char longer[sizeof options + 8];
    memset(longer, 7, sizeof longer);
    ck_assert_int_eq(ng_dataset_init_sized((ng_dataset_options *)(void *)longer, sizeof longer),
                     NG_EOPTION);
    for (size_t i = 0; i < sizeof longer; i++)
        ck_assert_int_eq(longer[i], 7);
    ng_assert_fails(open_csv("1,0\n2,1\n", "separator=.."), NG_EOPTION, &err, "separator=..");
    ng_assert_fails(open_csv("1,0\n2,1\n", "separator=5"), NG_EOPTION, &err, "separator=5");
    ng_assert_fails(open_csv("1,0\n2,1\n", "separator=, decimal=,"), NG_EOPTION, &err, "both");
    ng_assert_fails(open_csv("1,0\n2,1\n", "ignore=2"), NG_EARG, &err, "spoken for");
    ng_assert_fails(open_csv("1,0\n2,1\n", "ignore=1"), NG_EFORMAT, &err, "no column is a feature");
    ng_assert_fails(open_csv("1,2,0\n2,3,1\n", "label=1,2"), NG_EARG, &err, "task=regression");
    set_options("");
    options.size--;
    ng_assert_fails(ng_dataset_open(&data, "csv:x", &options, &err), NG_EOPTION, &err, "version");
    set_options("");
    options.header = (ng_header)7;
    ng_assert_fails(ng_dataset_open(&data, "csv:x", &options, &err), NG_EOPTION, &err, "header is");
}
END_TEST

START_TEST(sources)
{
    ng_assert_fails(ng_dataset_open(&data, "pdf:x", NULL, &err), NG_EARG, &err,
                    "csv, libsvm, npy, idx, mnist, text, sequences, digits, mixture");
    ng_assert_fails(ng_dataset_open(&data, "csv", NULL, &err), NG_EARG, &err, "expected csv:FILE");
    ng_assert_fails(ng_dataset_open(&data, "csv:", NULL, &err), NG_EARG, &err, "expected csv:FILE");
    ng_assert_fails(ng_dataset_open(&data, "idx:x", NULL, &err), NG_EARG, &err, "IMAGES,LABELS");
    ng_assert_fails(ng_dataset_open(&data, NULL, NULL, &err), NG_EARG, &err, "source");
    ng_assert_fails(ng_dataset_open(&data, "digits:x", NULL, &err), NG_EARG, &err, "a count");
    ng_assert_ok(ng_dataset_open(&data, "digits:30", NULL, &err), &err);
    ck_assert_uint_eq(ng_dataset_count(data), 30);
    close_data();
    size_t kinds = 0;
    while (ng_dataset_kind_get(kinds) != NULL)
        kinds++;
    ck_assert_uint_eq(kinds, 9);
}
END_TEST

TEST_SUITE(table)
{
    TCase *tc = tcase_create("table");
    tcase_set_timeout(tc, 60); /* seconds; for slow file systems and valgrind */
    tcase_add_checked_fixture(tc, files_setup, files_teardown);
    tcase_add_test(tc, headers);
    tcase_add_test(tc, separators_outside_quotes);
    tcase_add_test(tc, quoted_lines);
    tcase_add_test(tc, long_numbers);
    tcase_add_test(tc, missing_values);
    tcase_add_test(tc, rows_left_out);
    tcase_add_test(tc, categories);
    tcase_add_test(tc, nameless_columns);
    tcase_add_test(tc, labels);
    tcase_add_test(tc, constant_columns);
    tcase_add_test(tc, regression);
    tcase_add_test(tc, precision);
    tcase_add_test(tc, bad_options);
    tcase_add_test(tc, sources);
    suite_add_tcase(suite, tc);
}
