#include "examples/support/fieldnet.h"

#include <math.h>
#include <stdlib.h>

#include "examples/support/program.h"
#include "examples/support/progress.h"

enum { LAYERS = 3 };

struct fieldnet {
    fieldnet_options o;
    ng_model *model;
    ng_optimizer *opt;
    ng_group *group;
    ng_fisher *fisher;
    ng_mat jacobian; /* batch x parameters: of one output */
    ng_mat targets;  /* batch x outputs */
    size_t parameters, step;
    double seconds;
    fieldnet *next;
};

static fieldnet *nets;

static void release(void)
{
    while (nets != NULL) {
        fieldnet *next = nets->next;
        ng_optimizer_destroy(nets->opt);
        ng_fisher_destroy(nets->fisher);
        ng_model_destroy(nets->model);
        free(nets);
        nets = next;
    }
}

static void step_must(fieldnet *net, ng_status status)
{
    if (status != NG_OK)
        exit(program_end(program_error("%s", ng_optimizer_error(net->opt))));
}

/* ---- Making one ---------------------------------------------------------------------------- */

static void make_model(fieldnet *net, const paper *p)
{
    const fieldnet_options *o = &net->o;
    const size_t widths[LAYERS] = {o->hidden, o->hidden, o->outputs};
    ng_mlp_options m;
    ng_error error = {NG_OK, ""};
    ng_mlp_init(&m);
    m.dtype = NG_F64;
    m.inputs = o->inputs;
    m.widths = widths;
    m.layers = LAYERS;
    m.activation = NG_ACTIVATION_TANH;
    m.loss = NG_LOSS_SQUARED;
    m.max_batch = o->batch;
    paper_must(ng_model_create_mlp(&net->model, &m, &error), &error);
    paper_must(ng_model_initialise(net->model, paper_random(p, o->stream), &error), &error);
}

static void make_optimizer(fieldnet *net)
{
    ng_error error = {NG_OK, ""};
    ng_natural_options natural;
    ng_adamw_options adamw;
    ng_natural_init(&natural);
    natural.damping = net->o.damping;
    ng_adamw_init(&adamw);
    const int is_natural = net->o.method == FIELDNET_NATURAL;
    if (ng_optimizer_create(&net->opt, NULL) != NG_OK)
        exit(program_end(program_no_memory()));
    step_must(net, ng_optimizer_add_group(net->opt, &net->group,
                                          is_natural ? (void *)&natural : (void *)&adamw));
    for (size_t i = 0; i < ng_model_parameters(net->model); i++) {
        ng_model_param param;
        paper_must(ng_model_parameter(net->model, &param, i, &error), &error);
        step_must(net, ng_group_add(net->group, NULL, param.name, param.w, param.dw));
        net->parameters += param.w.rows * param.w.cols;
    }
    if (!is_natural)
        return;
    paper_must(ng_fisher_create_dense(&net->fisher, net->parameters, NG_F64, &error), &error);
    step_must(net, ng_group_set_fisher(net->group, net->fisher));
    net->jacobian = paper_mat(net->o.batch, net->parameters);
}

fieldnet *fieldnet_create(const paper *p, const fieldnet_options *options)
{
    fieldnet *net = calloc(1, sizeof *net);
    if (net == NULL)
        exit(program_end(program_no_memory()));
    if (nets == NULL)
        atexit(release);
    net->next = nets;
    nets = net;
    net->o = *options;
    net->targets = paper_mat(options->batch, options->outputs);
    make_model(net, p);
    make_optimizer(net);
    return net;
}

/* ---- A step ---------------------------------------------------------------------------------- */

/* Rows of jacobian <- the derivative of one output at each sample: that of a loss whose target
 * lies one below it there and nowhere else, layer by layer from what goes in and comes back. */
static void derive(fieldnet *net, size_t output)
{
    ng_error error = {NG_OK, ""};
    size_t at = 0;
    double loss;
    ng_copy(net->targets, ng_model_output(net->model), NULL);
    for (size_t i = 0; i < net->o.batch; i++)
        ng_mat_set(net->targets, i, output, ng_mat_get(net->targets, i, output) - 1);
    paper_must(ng_model_loss_targets(net->model, &loss, net->targets, &error), &error);
    paper_must(ng_model_backward(net->model, &error), &error);
    for (size_t l = 0; l < ng_model_layers(net->model); l++) {
        ng_model_linear layer;
        paper_must(ng_model_layer(net->model, &layer, l, &error), &error);
        const size_t in = layer.inputs.cols, out = layer.outputs_grad.cols;
        for (size_t i = 0; i < net->o.batch; i++) {
            const double *a = (double *)layer.inputs.data + i * layer.inputs.stride,
                         *g = (double *)layer.outputs_grad.data + i * layer.outputs_grad.stride;
            double *to = (double *)net->jacobian.data + i * net->jacobian.stride + at;
            for (size_t r = 0; r < out; r++) {
                for (size_t c = 0; c < in; c++)
                    to[r * in + c] = layer.scale * g[r] * a[c];
                to[out * in + r] = layer.scale * g[r];
            }
        }
        at += out * (in + 1);
    }
}

/* F: a moving average of the sum over the outputs of J^T J a sample */
static void observe(fieldnet *net)
{
    ng_error error = {NG_OK, ""};
    ng_fisher_batch batch;
    ng_fisher_batch_init(&batch);
    batch.samples = (double)net->o.batch / (double)net->o.outputs;
    for (size_t k = 0; k < net->o.outputs; k++) {
        derive(net, k);
        batch.decay = k == 0 ? 0.9 : 1;
        paper_must(ng_fisher_accumulate(net->fisher, net->jacobian, ng_mat_none(), &batch, &error),
                   &error);
    }
}

double fieldnet_step(fieldnet *net, ng_mat inputs, ng_mat targets)
{
    ng_error error = {NG_OK, ""};
    double loss, start = progress_cpu(), share = (double)net->step++ / (double)net->o.steps;
    paper_must(ng_copy(ng_model_input(net->model, net->o.batch), inputs, &error), &error);
    paper_must(ng_model_forward(net->model, net->o.batch, &error), &error);
    if (net->fisher != NULL)
        observe(net);
    paper_must(ng_model_loss_targets(net->model, &loss, targets, &error), &error);
    paper_must(ng_model_backward(net->model, &error), &error);
    step_must(net, ng_group_set(net->group, "lr",
                                net->o.lr * 0.5 * (1 + cos(acos(-1) * fmin(share, 1)))));
    step_must(net, ng_optimizer_step(net->opt));
    net->seconds += progress_cpu() - start;
    return loss;
}

void fieldnet_answer(fieldnet *net, ng_mat out, ng_mat inputs)
{
    ng_error error = {NG_OK, ""};
    for (size_t first = 0; first < inputs.rows; first += net->o.batch) {
        size_t rows = inputs.rows - first < net->o.batch ? inputs.rows - first : net->o.batch;
        paper_must(ng_copy(ng_model_input(net->model, rows),
                           ng_mat_block(inputs, first, 0, rows, inputs.cols), &error),
                   &error);
        paper_must(ng_model_forward(net->model, rows, &error), &error);
        paper_must(ng_copy(ng_mat_block(out, first, 0, rows, out.cols), ng_model_output(net->model),
                           &error),
                   &error);
    }
}

size_t fieldnet_parameters(const fieldnet *net)
{
    return net->parameters;
}

double fieldnet_seconds(const fieldnet *net)
{
    return net->seconds;
}
