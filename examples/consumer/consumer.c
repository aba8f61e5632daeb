/* A program of somebody else's that uses the installed library; C and C++. It
 * fits the 3 x 2 matrix w in y = w x by Muon with a falling learning rate. */
#include <natgrad.h>
#include <stdio.h>

enum { OUT = 3, IN = 2, STEPS = 200 };

static const float truth[OUT * IN] = {1, -2, 0.5f, 3, -1, 0.25f};

int main(void)
{
    float w[OUT * IN] = {0}, dw[OUT * IN];
    ng_optimizer *opt;
    ng_group *group;
    ng_steepest_options muon;
    ng_schedule lr;
    ng_steepest_init_muon(&muon);
    ng_schedule_init(&lr);
    lr.shape = NG_SCHEDULE_LINEAR, lr.peak = 0.1, lr.steps = STEPS;
    if (ng_optimizer_create(&opt, NULL) < 0)
        return 1;
    if (ng_optimizer_add_group(opt, &group, &muon) < 0 ||
        ng_group_add(group, NULL, "w", ng_f32(w, OUT, IN), ng_f32(dw, OUT, IN)) < 0)
        return fprintf(stderr, "%s\n", ng_optimizer_error(opt)), 1;
    float error = 0;
    for (int step = 0; step < STEPS; step++) {
        error = 0;
        for (int i = 0; i < OUT * IN; i++) { /* inputs of unit covariance */
            dw[i] = w[i] - truth[i];
            error += dw[i] * dw[i];
        }
        if (ng_group_schedule(group, "lr", &lr) < 0 || ng_optimizer_step(opt) < 0)
            return fprintf(stderr, "%s\n", ng_optimizer_error(opt)), 1;
    }
    printf("natgrad %s: squared error %.2g\n", ng_version(), (double)error);
    ng_optimizer_destroy(opt);
    return !(error < 1e-3f);
}
