/* One optimizer around one parameter, driven with gradients in double that are
 * always outputs x inputs, whatever the layout, dtype and strides under test. */
#ifndef NG_TEST_RUN_H
#define NG_TEST_RUN_H

#include "tests/support/support.h"

#include <natgrad.h>

typedef struct {
    ng_dtype dtype;
    ng_layout layout;
    size_t pad;
} test_setup;

typedef struct {
    ng_optimizer *opt;
    ng_group *group;
    ng_mat w, dw;
    int transposed;
} test_run;

/* The presets of spectral balls, fismo's and muon's among them, come with fast polar factors, and
 * fismo's factors rest for ten steps, one alone in a long matrix; oracles compute each step
 * exactly. First among settings. */
#define TEST_EXACT "polar=exact "
#define TEST_EACH_STEP "refresh_p=1 refresh_q=1 one_sided=never "
/* What a fast polar factor promises of the singular values. */
#define TEST_FAST 5e-3

/* The preset's options changed by "name=text name=text"; free() it. Steps of the presets that clip
 * their KL divergence are whole: oracles know one layer, and the rate 1. */
void *test_options(const char *preset, const char *settings);

/* One of the settings, or all of them together, is NG_EOPTION, and the text names the culprit. */
void test_options_refused(const char *preset, const char *settings, const char *culprit);

void test_run_open(test_run *run, const char *preset, const char *settings, size_t outputs,
                   size_t inputs, test_setup setup);
void test_run_close(test_run *run);

void test_run_gradient(test_run *run, ng_mat g); /* writes the gradient, no step */
void test_run_step(test_run *run, ng_mat g);     /* and one step, which must succeed */

/* dense double, outputs x inputs, on dense.h's list */
ng_mat test_run_weights(const test_run *run);
/* -(W after), from a step of W = 0: D times the step size; W stays there */
ng_mat test_run_direction(test_run *run, ng_mat g);

/* The settings of every ball, and x projected as each of them does. The first ones know no
 * coordinates: those of a space where x is zero but for rounding do not matter. */
enum { TEST_BALLS = 6, TEST_INVARIANT_BALLS = 3 };
extern const char *const test_balls[TEST_BALLS];
ng_mat test_project(int ball, ng_mat x);

/* All setups: {f64, f32} x {out_in, in_out} x {dense, strided}. */
enum { TEST_SETUPS = 8 };
test_setup test_setup_number(int i);

#endif
