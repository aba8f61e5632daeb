/* The CSV recorder (natgrad/recorder.h): what its lines say is what a monitor hears. */
#include "tests/support/run.h"

#include <stdio.h>

typedef struct {
    char text[8192];
    size_t used;
    int full; /* writing fails */
} sheet;

static int append(const char *text, size_t length, void *data)
{
    sheet *s = data;
    if (s->full || s->used + length >= sizeof s->text)
        return -1;
    memcpy(s->text + s->used, text, length);
    s->used += length;
    s->text[s->used] = '\0';
    return 0;
}

static ng_event last[2];

static int keep(const ng_event *event, void *data)
{
    (void)data;
    last[event->kind] = *event;
    return 0;
}

static const char title[] = "step,name,method,lr,gradient_norm,update_norm,seconds,route,rank,"
                            "orthogonality_error,condition,stale,clip_factor\n";

/* The line is the event; name as it must look. */
static void check_line(const char *line, const ng_event *e, const char *name)
{
    char head[200];
    double x[6];
    int stale, used = sprintf(head, "%llu,%s,%s,", e->step, name, e->method);
    size_t rank;
    ck_assert_msg(strncmp(line, head, (size_t)used) == 0, "%s", line);
    ck_assert_int_eq(sscanf(line + used, "%lf,%lf,%lf,%lf,%n", &x[0], &x[1], &x[2], &x[3], &used),
                     4);
    line += strlen(head) + (size_t)used;
    ck_assert_int_eq(strncmp(line, e->route, strlen(e->route)), 0);
    line += strlen(e->route);
    ck_assert_int_eq(sscanf(line, ",%zu,%lf,%lf,%d,%lf\n", &rank, &x[4], &x[5], &stale, &x[3]), 5);
    ng_assert_rel(x[0], e->lr, 1e-8);
    ng_assert_rel(x[1], e->gradient_norm, 1e-8);
    ng_assert_rel(x[2], e->update_norm, 1e-8);
    ng_assert_rel(x[3], e->clip_factor, 1e-8);
    ng_assert_rel(x[4], e->orthogonality_error, 1e-8);
    if (!isnan(e->condition))
        ng_assert_rel(x[5], e->condition, 1e-8);
    ck_assert_uint_eq(rank, e->rank);
    ck_assert_int_eq(stale, e->stale);
}

START_TEST(lines_are_events)
{
    float w[12] = {0}, dw[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 0, 2};
    void *options = test_options("muon", TEST_EXACT);
    ng_optimizer_options clip;
    ng_optimizer *opt;
    ng_group *group;
    sheet all = {.used = 0}, few = {.used = 0};
    ng_recorder to_all, to_few;
    ng_recorder_init(&to_all);
    ng_recorder_init(&to_few);
    to_all.write = to_few.write = append;
    to_all.data = &all;
    to_few.data = &few;
    to_few.steps_only = 1;
    to_few.every = 2;
    ng_optimizer_init(&clip);
    clip.clip_norm = 1;
    ng_assert_ok(ng_optimizer_create(&opt, &clip), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &group, options), NULL);
    ng_assert_ok(ng_group_add(group, NULL, "a \"b\", c", ng_f32(w, 3, 4), ng_f32(dw, 3, 4)), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(opt, keep, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(opt, ng_recorder_monitor, &to_all), NULL);
    ng_assert_ok(ng_optimizer_add_monitor(opt, ng_recorder_monitor, &to_few), NULL);
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ck_assert_str_eq(few.text, "");
    ng_assert_ok(ng_optimizer_step(opt), NULL);
    ck_assert_int_eq(strncmp(all.text, title, strlen(title)), 0);
    ck_assert_int_eq(strncmp(few.text, title, strlen(title)), 0);
    const char *line = all.text;
    for (int i = 0; i < 3; i++) /* title, two of the first step */
        line = strchr(line, '\n') + 1;
    check_line(line, &last[0], "\"a \"\"b\"\", c\"");
    line = strchr(line, '\n') + 1;
    check_line(line, &last[1], "");
    ck_assert_str_eq(strchr(line, '\n'), "\n");
    ck_assert_str_eq(few.text + strlen(title), line);
    ck_assert(last[0].condition > 1 && last[0].clip_factor < 1);
    all.full = 1;
    ck_assert_int_eq(ng_optimizer_step(opt), NG_STOPPED);
    ng_optimizer_destroy(opt);
    free(options);
}
END_TEST

TEST_SUITE(recorder)
{
    TCase *tcase = tcase_create("recorder");
    tcase_add_test(tcase, lines_are_events);
    suite_add_tcase(suite, tcase);
}
