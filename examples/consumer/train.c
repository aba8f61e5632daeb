/* The same for libnatgrad-train, without GSL: draws samples of three classes and
 * trains a small net on them by Muon. C and C++. */
#include <natgrad-train.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 300, FEATURES = 4, CLASSES = 3, STEPS = 100 };

static void need(ng_status status, const char *text)
{
    if (status < 0) {
        fprintf(stderr, "%s\n", text);
        exit(1);
    }
}

/* Steps on all samples at once; the last loss. */
static double train(ng_optimizer *opt, ng_model *net, const ng_dataset *data)
{
    size_t index[SAMPLES];
    int labels[SAMPLES];
    double loss = 0;
    ng_error e;
    for (size_t i = 0; i < SAMPLES; i++)
        index[i] = i;
    need(ng_dataset_gather(data, ng_model_input(net, SAMPLES), labels, index, SAMPLES, &e), e.text);
    for (int step = 0; step < STEPS; step++) {
        need(ng_model_forward(net, SAMPLES, &e), e.text);
        need(ng_model_loss_labels(net, &loss, NULL, labels, SAMPLES, &e), e.text);
        need(ng_model_backward(net, &e), e.text);
        need(ng_optimizer_step(opt), ng_optimizer_error(opt));
    }
    return loss;
}

int main(void)
{
    const size_t widths[2] = {16, CLASSES};
    ng_error e;
    ng_random random;
    ng_dataset *data;
    ng_model *net;
    ng_model_param p;
    ng_optimizer *opt;
    ng_group *group;
    ng_mlp_options o;
    ng_steepest_options muon;

    need(ng_rng_create(&random, 1, &e), e.text);
    need(ng_dataset_mixture(&data, SAMPLES, CLASSES, FEATURES, 12, &random, &e), e.text);
    ng_mlp_init(&o);
    o.inputs = FEATURES, o.widths = widths, o.layers = 2, o.max_batch = SAMPLES;
    need(ng_model_create_mlp(&net, &o, &e), e.text);
    need(ng_model_initialise(net, &random, &e), e.text);

    need(ng_optimizer_create(&opt, NULL), "no memory");
    ng_steepest_init_muon(&muon);
    muon.lr = 0.05;
    need(ng_optimizer_add_group(opt, &group, &muon), ng_optimizer_error(opt));
    for (size_t i = 0; i < ng_model_parameters(net); i += 2) { /* the biases stay 0 */
        need(ng_model_parameter(net, &p, i, &e), e.text);
        need(ng_group_add(group, NULL, p.name, p.w, p.dw), ng_optimizer_error(opt));
    }

    double loss = train(opt, net, data);
    printf("natgrad-train with natgrad %s: loss %.2g\n", ng_version(), loss);

    ng_optimizer_destroy(opt);
    ng_model_destroy(net);
    ng_dataset_destroy(data);
    ng_rng_destroy(&random);
    return !(loss < 0.3); /* log 3 is chance */
}
