/* The optimizer, its groups and parameters: what the files of the front share.
 * From below: tensor, narrow, views, memory and param, then group, stack, capture, bias and share,
 * gradient, exchange, then step, then optimizer; each uses only those before it. */
#ifndef NGI_FRONT_H
#define NGI_FRONT_H

#include <natgrad/exchange.h>

#include "lib/core/half.h"
#include "lib/core/memory.h"
#include "optim/front/method.h"
#include "optim/front/narrow.h"

struct ng_group {
    ng_optimizer *optimizer;
    const ng_method *method;
    void *options;      /* our copy of the method's struct */
    ngi_param **params; /* each allocated by itself: addresses stay */
    size_t count, capacity;
    ngi_param **active; /* those of the present step */
    size_t active_count, active_capacity;
    double own_lr; /* during a step, whose lr is multiplied */
    ngi_joint joint;
};

typedef struct {
    ng_monitor call;
    void *data;
} ngi_listener;

/* One parameter's part of a step. */
typedef struct {
    ng_group *group;
    ngi_param *param;
    ng_status status;
    ng_error error;
} ngi_task;

/* Whose turn it is when tasks are spread over threads: those that share inputs have one, the leader
 * first. */
typedef struct {
    double cost;
    size_t task, count;
} ngi_turn;

/* Sums over shards of a batch, of an attached optimizer (optim/exchange/shards.c). */
typedef struct {
    void *sums[2];           /* of gradients, of captures; the exchange's */
    ng_exchange_term *terms; /* owned: of the larger of them */
    double *captured;        /* owned: samples of each parameter, and of a shard */
    size_t first, last;      /* this rank's shards: first ... last - 1 */
    size_t added;            /* of them */
    int due;                 /* does this batch take captures? */
    ng_error failed;         /* why the batch cannot be reduced */
    const ngi_param *culprit;
} ngi_shards;

struct ng_optimizer {
    ng_group **groups;
    size_t group_count, group_capacity;
    ngi_listener *listeners;
    size_t listener_count, listener_capacity;
    ng_message message;
    void *message_data;
    ng_atomic atomic;
    int threads;
    double clip_value, clip_norm; /* 0: off */
    ng_rounding rounding;         /* of weights of sixteen bits */
    unsigned long long seed;
    double clip_factor;       /* of the last step */
    int staged;               /* did the last step go by copies of the gradients? */
    unsigned long long micro; /* micro-batches accumulated since the last step */
    ng_work *work;   /* scratch for prepare, one per thread, each large enough for any parameter */
    ngi_task *tasks; /* of a step, in the order of adding */
    ngi_turn *turns; /* the tasks again, costliest first */
    size_t task_count, turn_count;
    double multiplier; /* of every group's lr */
    size_t param_count, task_capacity, turn_capacity;
    unsigned long long steps;
    const ngi_param *culprit; /* of the step that failed; NULL: none in particular */
    ng_exchange exchange;     /* size 0: not attached */
    ng_exchange_item *items;  /* room for the views of a step */
    double *compared;         /* of an exchange that checks: our hashes and rank 0's */
    ngi_shards shards;
    ng_error error;
};

/* Every call on an optimizer or its groups begins so: the text of an earlier failure goes. */
static inline ng_error *ngi_begin(ng_optimizer *optimizer)
{
    optimizer->error.status = NG_OK;
    optimizer->error.text[0] = '\0';
    return &optimizer->error;
}

/* What every init_sized asks first. */
static inline ng_status ngi_check_struct(const void *filled, size_t size, size_t expected)
{
    return filled == NULL ? NG_EARG : size != expected ? NG_EOPTION : NG_OK;
}

static inline int ngi_attached(const ng_optimizer *optimizer)
{
    return optimizer->exchange.size > 0;
}

/* NG_EARG where nothing can be added any more. */
static inline ng_status ngi_check_detached(const ng_optimizer *optimizer, ng_error *error)
{
    return !ngi_attached(optimizer)
               ? NG_OK
               : ng_error_set(error, NG_EARG, "the optimizer is attached: nothing can be added");
}

/* ---- views.c --------------------------------------------------------------------------- */

/* Two views are usable. */
ng_status ngi_check_pair(ng_mat a, const char *a_name, ng_mat b, const char *b_name,
                         ng_error *error);

/* w and dw are usable, not empty, alike in shape and dtype; dw may be none so far. */
ng_status ngi_check_views(const char *name, ng_mat w, ng_mat dw, ng_error *error);

/* dw, or the shape of the gradient of w where there is none so far. */
ng_mat ngi_gradient_view(ng_mat w, ng_mat dw);

/* Do the two views have a byte in common? Exact; no data: no. */
int ngi_share_memory(ng_mat a, ng_mat b);

/* May w and dw become the weights and gradient of parameter self (NULL: a new one), or, if `bias`,
 * its bias and that one's gradient? No view may share memory with weights but a gradient with a
 * gradient. */
ng_status ngi_check_binding(const ng_optimizer *optimizer, const ngi_param *self, int bias,
                            const char *name, ng_mat w, ng_mat dw, ng_error *error);

/* ---- memory.c -------------------------------------------------------------------------- */

/* Bytes of the spare copies of its state and of its update, in units of a workspace. */
size_t ngi_param_spare(const ngi_param *param);

/* ---- param.c --------------------------------------------------------------------------- */

/* A parameter with the state its group's method wants. */
ng_status ngi_param_create(ngi_param **param, const ng_group *group, const char *name, ng_mat w,
                           ng_mat dw, ng_error *error);
void ngi_param_destroy(ngi_param *param);

/* Its tensors and update as the group's method declares them; on an error what there is
 * still has to be dropped. */
ng_status ngi_param_create_state(ngi_param *param, const ng_group *group, ng_error *error);

/* Frees the memory of tensors and update, which stay declared; with `captures` not what captures
 * add to and read. */
void ngi_param_leave_state(ngi_param *param, int captures);

/* Frees the parameter's tensors and update. */
void ngi_param_drop_state(ngi_param *param);

/* A lent parameter's spare copies and update, ngi_param_spare bytes of work, and back. NG_ENOMEM.
 */
ng_status ngi_param_lend(ngi_param *param, ng_work *work, ng_error *error);
void ngi_param_withdraw(ngi_param *param);

/* ---- group.c --------------------------------------------------------------------------- */

ng_status ngi_group_create(ng_group **group, ng_optimizer *optimizer, const void *options);
void ngi_group_destroy(ng_group *group);

/* Options of a group of this optimizer: ng_options_check, and nothing joint where steps are not. */
ng_status ngi_group_check(const ng_optimizer *optimizer, const void *options, ng_error *error);

/* ng_group_add and ng_group_set_layout within a call that has begun. */
ng_status ngi_group_append(ng_group *group, size_t *index, const char *name, ng_mat w, ng_mat dw);
ng_status ngi_param_set_layout(ngi_param *param, ng_layout layout, ng_error *error);

/* Both at once. */
ng_status ngi_group_add_laid(ng_group *group, const char *name, ng_mat w, ng_mat dw,
                             ng_layout layout);

/* Takes back the parameters added last. */
void ngi_group_truncate(ng_group *group, size_t count);

/* Begins a call on the parameter of that index; NG_EARG if there is none (group NULL included). */
ng_status ngi_param_find(ngi_param **param, const ng_group *group, size_t index);

/* ---- stack.c ---------------------------------------------------------------------------- */

enum { NGI_NAME = 160 }; /* room for a name made of a caller's, which is cut at 100 characters */

/* What is given for several parameters at once, one after the other. */
typedef struct {
    ngi_param *param;
    ng_mat x, y;
} ngi_piece;

typedef struct {
    ngi_piece *items;
    size_t count;
} ngi_pieces;

/* The columns of y, and with cut_x those of x, divided among the group's parameters from `first`
 * on by their outputs; the next matrices of the stacks go to those that follow. NG_ESHAPE. */
ng_status ngi_pieces_cut(ngi_pool *pool, ngi_pieces *pieces, const ng_group *group, size_t first,
                         ng_stack x, ng_stack y, int cut_x);

/* ---- capture.c ---------------------------------------------------------------------------- */

/* NG_EUNSUPPORTED where the group's options want no captures; what: what was offered. */
ng_status ngi_check_wanted(const ng_group *group, const ngi_param *param, const char *what);

/* ---- gradient.c ------------------------------------------------------------------------ */

/* Sets every parameter's g for a step: the caller's gradient, or a copy: the mean over
 * micro-batches, clipped. */
ng_status ngi_gradients_stage(ng_optimizer *optimizer);

/* Allocates the sums of accumulation where there are none. */
ng_status ngi_gradients_reserve(ng_optimizer *optimizer);

/* After a step that is done: accumulation begins anew. */
void ngi_gradients_reset(ng_optimizer *optimizer);

/* ---- exchange.c -------------------------------------------------------------------------- */

enum { NGI_EXCHANGED = 2 }; /* views a parameter at most: weights and bias */
enum { NGI_COMPARED = 4 };  /* hashes a parameter: of weights and gradient, here and on rank 0 */

/* May the parameters of the group have different owners? */
static inline int ngi_is_divided(const ng_group *group)
{
    return group->method->agree == NULL || (group->method->agrees_by_length != NULL &&
                                            group->method->agrees_by_length(group->options));
}

/* Does this rank take captures of the parameter? */
static inline int ngi_captures_here(const ng_optimizer *optimizer, const ngi_param *param)
{
    return !param->elsewhere || optimizer->exchange.shards > 0;
}

/* The status, and optimizer->error, of all ranks; not attached: status. `mark` must be alike. */
ng_status ngi_exchange_agree(ng_optimizer *optimizer, ng_status status, unsigned long long mark);

/* What must be alike in a step: who takes part, and the options. */
unsigned long long ngi_exchange_mark(const ng_optimizer *optimizer);

/* Where the exchange checks: weights and gradients are rank 0's, or NG_EARG here. */
ng_status ngi_exchange_compare(ng_optimizer *optimizer);

/* Lengths of steps between prepare and agree, weights and reports after commit. */
void ngi_exchange_lengths(ng_optimizer *optimizer);
void ngi_exchange_weights(ng_optimizer *optimizer);
void ngi_exchange_reports(ng_optimizer *optimizer);
/* and what captures of shards read. */
void ngi_exchange_bases(ng_optimizer *optimizer);

/* Samples of the weights, from the owners. */
void ngi_exchange_samples(ng_optimizer *optimizer);

/* What was added of a batch is forgotten. */
static inline void ngi_shards_drop(ng_optimizer *optimizer)
{
    optimizer->shards.added = 0;
    optimizer->shards.failed = (ng_error){NG_OK, ""};
    optimizer->shards.culprit = NULL;
}

/* Frees the sums, if there are any. */
void ngi_shards_close(ng_optimizer *optimizer, const ng_exchange *exchange);

/* Of ng_optimizer_counts those of each parameter. */
void ngi_exchange_counts(ng_optimizer *optimizer, double *counts);

/* ---- step_options.c ---------------------------------------------------------------------- */

/* The groups' options become the step's, and the step's, once it is done, the groups'. */
void ngi_options_open(ng_optimizer *optimizer);
void ngi_options_keep(ng_optimizer *optimizer);

/* The group's lr times factor, where its options stay legal; the first groups' own lr again. */
ng_status ngi_lr_multiply(ng_group *group, double factor, ng_error *error);
void ngi_lr_restore(ng_optimizer *optimizer, size_t groups);

/* ---- turn.c ------------------------------------------------------------------------------ */

/* Status and error of each go into its task; nothing runs after a first failure. */
void ngi_turn_prepare(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work);

/* of a turn that is prepared */
void ngi_turn_commit(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work);

/* All that can be known without spare copies: of a turn that needs none, everything. */
void ngi_turn_check(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work);

/* With spare copies lent, of a turn that was checked: all of it, or nothing. */
void ngi_turn_run(ng_optimizer *optimizer, const ngi_turn *turn, ng_work *work);

/* ---- tasks.c, step.c and monitors.c ------------------------------------------------------- */

/* Room in a step for one more parameter. */
ng_status ngi_step_reserve(ng_optimizer *optimizer);

/* What a step of the parameter costs, roughly. */
double ngi_task_cost(const ng_group *group, const ngi_param *param);

/* Scratch for the hungriest turn or group; options may have changed since the last step. */
ng_status ngi_tasks_reserve(ng_optimizer *optimizer);

/* optimizer->tasks and turns <- all parameters that are neither frozen nor skipped. */
void ngi_tasks_fill(ng_optimizer *optimizer);

/* Nothing is reported and no tensor is fresh, nor in the place of an old one; wanted: does somebody
 * listen? */
void ngi_report_reset(ngi_param *param, int wanted);

/* Tells the monitors and the message callback of the step just done; 1: a monitor asked to stop. */
int ngi_tell(const ng_optimizer *optimizer, double seconds);

/* ---- Samples of the weights (sample.c) ------------------------------------------------------- */

/* w <- its mean, if it is a sample. */
void ngi_param_restore(ngi_param *param);
void ngi_restore_all(ng_optimizer *optimizer);

/* The name of a parameter that is a sample, or NULL. */
const char *ngi_sampled(const ng_optimizer *optimizer);

#endif
