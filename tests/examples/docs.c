/* Around the C blocks of the README and the guide, block-1.inc ... block-7.inc: the
 * loops they are plugged into. docs N runs the N-th, which must train: every weight is
 * pulled to 1 by half its squared distance; the last, a whole training, must tell three
 * classes apart. Exit status 1: it does not. */
#ifdef WITH_TRAIN
#include <natgrad-train.h>
#endif
#include <natgrad.h>
#include <stdio.h>
#include <stdlib.h>

enum { OUT = 8, IN = 12, STEPS = 400 };
enum { V = 11, C = 6, COUNT = V * C + 4 * C * C + 4 * C + 4 * C * C };
enum { DEPTH = 3, H = 7, BATCH = 16 };

static float w1[OUT * IN], dw1[OUT * IN], b1[OUT], db1[OUT];
static float params[COUNT], grads[COUNT];
static float qkv[3 * C * C], dqkv[3 * C * C];
static float x[BATCH * IN], dy[BATCH * OUT];
static struct layer {
    float w[H][H], b[H], dw[H][H], db[H];
} net[DEPTH];

/* what forward_and_backward goes through */
static struct {
    float *w, *dw;
    int n;
} part[8];
static int parts;

static ng_optimizer *opt;
static ng_group *hidden, *rest;
static double evaluated; /* distance where evaluate() was called */

static void die(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static void use(float *w, float *dw, int n)
{
    part[parts].w = w, part[parts].dw = dw, part[parts++].n = n;
    for (int i = 0; i < n; i++)
        w[i] = 1 + 0.1f * (float)(i % 7 - 3);
}

static void forward_and_backward(void)
{
    for (int k = 0; k < parts; k++)
        for (int i = 0; i < part[k].n; i++)
            part[k].dw[i] = part[k].w[i] - 1;
}

/* the farthest part counts: each must have been added to the optimizer */
static double distance(void)
{
    double most = 0;
    for (int k = 0; k < parts; k++) {
        double sum = 0;
        for (int i = 0; i < part[k].n; i++)
            sum += (double)(part[k].w[i] - 1) * (double)(part[k].w[i] - 1) / part[k].n;
        most = sum > most ? sum : most;
    }
    return most;
}

static void evaluate(void)
{
    evaluated = distance();
}

static void add_groups(void)
{
    ng_steepest_options fismo;
    ng_adamw_options adam;
    ng_steepest_init_fismo(&fismo);
    ng_adamw_init(&adam);
    if (ng_optimizer_add_group(opt, &hidden, &fismo) < 0 ||
        ng_optimizer_add_group(opt, &rest, &adam) < 0)
        die(ng_optimizer_error(opt));
}

static void add_groups_and_parameters(void)
{
    add_groups();
    if (ng_group_add(hidden, NULL, "w", ng_f32(w1, OUT, IN), ng_f32(dw1, OUT, IN)) < 0)
        die(ng_optimizer_error(opt));
}

static void train(void)
{
    if (ng_optimizer_error(opt)[0] != 0)
        die(ng_optimizer_error(opt));
    for (int step = 0; step < STEPS; step++) {
        forward_and_backward();
        if (ng_optimizer_step(opt) < 0)
            die(ng_optimizer_error(opt));
    }
    ng_optimizer_destroy(opt);
}

static void first(void)
{
#include "block-1.inc"
}

static void flat_buffer(void)
{
#include "block-2.inc"
}

static void struct_of_arrays(void)
{
#include "block-3.inc"
}

static void fused(void)
{
#include "block-4.inc"
}

static void around_the_step(void)
{
#include "block-5.inc"
    double after = distance();
    ng_optimizer_destroy(opt);
    if (evaluated == after)
        die("the average was not swapped in for evaluate()");
    if (evaluated > 0.01)
        die("the average is far from what was to be learnt");
}

static void layers_with_statistics(void)
{
    /* any inputs and output gradients will do: they only say how a step is measured */
    for (int i = 0; i < BATCH * IN; i++)
        x[i] = (float)(i * 7 % 11 - 5) / 5;
    for (int i = 0; i < BATCH * OUT; i++)
        dy[i] = (float)(i * 5 % 13 - 6) / (6 * BATCH);
#include "block-6.inc"
    ng_optimizer_destroy(opt);
}

#ifdef WITH_TRAIN
enum { N = 300 };

/* Three overlapping squares. */
static void fill_in(float points[N][2], int *label)
{
    for (int i = 0; i < N; i++) {
        label[i] = i % 3;
        points[i][0] = (float)(i * 37 % 101) / 100 + (float)(label[i] == 1);
        points[i][1] = (float)(i * 59 % 103) / 100 + (float)(label[i] == 2);
    }
}

static int whole_training(void)
{
    static float x[N][2];
    static int label[N];
    double loss = 0, accuracy = 0;
    fill_in(x, label);
#include "block-7.inc"
    fprintf(stderr, "block 7: held-out loss %g, accuracy %g\n", loss, accuracy);
    ng_trainer_destroy(trainer);
    ng_model_destroy(model);
    ng_dataset_destroy(train);
    ng_dataset_destroy(held_out);
    ng_dataset_destroy(data);
    return !(accuracy > 0.9);
}
#else
static int whole_training(void)
{
    return 0;
}
#endif

/* What the block must train, and so changes. */
static void use_parts(int block)
{
    static const int start[] = {0, V * C, V * C + 4 * C * C, COUNT - 4 * C * C, COUNT};
    switch (block) {
    case 1:
    case 5:
    case 6:
        use(w1, dw1, OUT * IN);
        break;
    case 2:
        for (int i = 0; i < 4; i++)
            use(params + start[i], grads + start[i], start[i + 1] - start[i]);
        break;
    case 3:
        for (int l = 0; l < DEPTH; l++) {
            use(&net[l].w[0][0], &net[l].dw[0][0], H * H);
            use(net[l].b, net[l].db, H);
        }
        break;
    case 4:
        for (int i = 0; i < 3; i++)
            use(qkv + i * C * C, dqkv + i * C * C, C * C);
        break;
    default:
        die("which block?");
    }
    if (block == 1 || block == 6)
        use(b1, db1, OUT);
}

static void run(int block)
{
    if (block > 1 && block != 5) {
        if (ng_optimizer_create(&opt, NULL) < 0)
            die("no optimizer");
        add_groups();
    }
    switch (block) {
    case 1:
        first();
        break;
    case 2:
        flat_buffer(), train();
        break;
    case 3:
        struct_of_arrays(), train();
        break;
    case 4:
        fused(), train();
        break;
    case 6:
        layers_with_statistics();
        break;
    default:
        around_the_step();
    }
}

int main(int argc, char **argv)
{
    int block = argc > 1 ? atoi(argv[1]) : 0;
    if (block == 7)
        return whole_training();
    use_parts(block);
    double before = distance();
    run(block);
    fprintf(stderr, "block %d: mean squared distance %g, then %g\n", block, before, distance());
    return !(distance() < before / 4);
}
