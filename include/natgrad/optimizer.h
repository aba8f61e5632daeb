/* natgrad/optimizer.h: parameters, groups and the step.
 *
 *   ng_optimizer *opt;
 *   ng_group *hidden;
 *   ng_steepest_options fismo;
 *   ng_steepest_init_fismo(&fismo);
 *   ng_optimizer_create(&opt, NULL);
 *   ng_optimizer_add_group(opt, &hidden, &fismo);
 *   ng_group_add(hidden, NULL, "fc1.weight", ng_f32(w, 256, 784), ng_f32(dw, 256, 784));
 *   for (;;) {
 *       ... fill dw ...
 *       if (ng_optimizer_step(opt) < 0)
 *           die(ng_optimizer_error(opt));
 *   }
 *   ng_optimizer_destroy(opt);
 *
 * Weights and gradients are borrowed: they stay the caller's, must live as
 * long as the optimizer (or until rebound), and gradients are never written.
 * A step is all or nothing: if it fails for any parameter of any group, no
 * parameter and no state has changed, and ng_optimizer_error says which
 * parameter and why (`atomic` below trades some of that for memory). It never writes NaN or
 * infinity: what would overflow is NG_ERANGE. One optimizer is used by one thread at a time;
 * different optimizers may run at the same time, in as many threads (what `threads` below changes
 * about that, it says).
 *
 * Small matrices and BLAS threads: OpenBLAS starts as many threads as there are
 * cores for products that are too small for them, and a loop over layers of a
 * few hundred rows may take twice as long for it. Set OPENBLAS_NUM_THREADS=1 in
 * the environment (or call openblas_set_num_threads(1)) and measure; many
 * parameters are better spread by `threads` below, which uses one BLAS thread
 * each. Matrices from about 1000 x 1000 on gain from BLAS threads. */
#ifndef NATGRAD_OPTIMIZER_H
#define NATGRAD_OPTIMIZER_H

#include <natgrad/mat.h>
#include <natgrad/random.h>
#include <natgrad/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_optimizer ng_optimizer;
typedef struct ng_group ng_group;

/* What becomes of the digits that weights of sixteen bits have no room for. */
typedef enum { NG_ROUND_MASTER = 0, NG_ROUND_STOCHASTIC = 1 } ng_rounding;

/* What a step that meets a failure leaves as it was. */
typedef enum { NG_ATOMIC_STEP = 0, NG_ATOMIC_PARAMETER = 1 } ng_atomic;

typedef struct {
    size_t size; /* set by ng_optimizer_init */
    /* step (default): everything. Each parameter holds spare copies of its state, and its step,
     * until all have succeeded.
     *
     * parameter: what can be known before is: gradients that are not finite, missing captures,
     * memory; such a step changes nothing. Then one parameter after the other makes its step in
     * spare copies of its thread. Where numbers fail one (NG_ESINGULAR, NG_ENOCONV, NG_ERANGE) it
     * stays as it was, the others go on, and the step, which is done and counts, returns the status
     * of the first that failed; ng_optimizer_error names it, monitors are told of each, and what it
     * captured or accumulated for this step is gone. The bits of what succeeds are those of `step`.
     * What decides for a whole group, kl_clip > 0 and natural, needs `step` (NG_EOPTION). */
    ng_atomic atomic;
    /* 0 (default): the step runs in the caller's thread and leaves the settings
     * of the BLAS alone. k = 1 ... 256: parameters are spread over k threads,
     * the costliest first, each with a BLAS of one thread: OpenBLAS's
     * process-wide count is 1 during the step and restored after it. The bits of
     * the result do not depend on k. Another BLAS: NG_EUNSUPPORTED from create.
     *
     * What may run at once: steps with threads = 0 (and captures) of different
     * optimizers; steps with threads > 0 of different optimizers. Where one kind
     * meets the other, in another thread of the process, the later call waits
     * until the earlier steps are done, first come, first served. Of other
     * calls of BLAS, the host's own or those behind ng_gemm, a Fisher matrix or
     * a model, nobody can know: keep them away from steps with threads > 0, or
     * they may run with one BLAS thread. A step or capture made by a callback
     * of a step does not wait and runs under that step's setting. */
    int threads;
    /* Gradient clipping, before any method sees the gradients (so before whitening and
     * orthogonalisation), by a copy: the caller's gradients are never written. First every element
     * into -clip_value ... clip_value, then, if the norm over all parameters of all groups exceeds
     * clip_norm, all gradients times clip_norm / norm. >= 0; 0 (default): off. Statistics of
     * ng_group_capture are not clipped. */
    double clip_value, clip_norm;
    /* For weights of NG_F16 and NG_BF16 (ng_group_add). master (default): the optimizer keeps them
     * in f32 as well, four bytes a weight and part of the state; steps are made there, and the
     * caller's weights are its rounding to nearest. A weight the caller has written, so that it is
     * no longer that, counts.
     *
     * stochastic: no copy. Each step rounds up or down at random, the nearer the likelier, so that
     * a step below the last digit still counts in the mean. The random bits are a hash of seed, the
     * parameter's name, its step and the element's number: neither threads nor ranks nor a stop and
     * a resume change them. Not with methods that may take a step back, natural (NG_EUNSUPPORTED).
     */
    ng_rounding rounding;
    unsigned long long seed; /* default 0; not in checkpoints */
} ng_optimizer_options;

/* The defaults; as all init functions (natgrad.h). */
NG_API ng_status ng_optimizer_init_sized(ng_optimizer_options *options, size_t size);
static inline ng_status ng_optimizer_init(ng_optimizer_options *options)
{
    return ng_optimizer_init_sized(options, sizeof *options);
}

/* options NULL means defaults. NG_ENOMEM, NG_EOPTION, NG_EUNSUPPORTED; then
 * *optimizer is NULL. */
NG_API ng_status ng_optimizer_create(ng_optimizer **optimizer, const ng_optimizer_options *options);

/* Frees the optimizer, its groups and their state; never weights or gradients.
 * NULL is fine. */
NG_API void ng_optimizer_destroy(ng_optimizer *optimizer);

/* Adds a group of parameters under one method. method_options is any method's
 * options struct; it is checked and copied. The group belongs to the optimizer.
 * On an error *group is NULL, which every call refuses (NG_EARG).
 * NG_EOPTION (not an options struct of this library, a value out of range, an
 * impossible combination), NG_EARG, NG_ENOMEM. */
NG_API ng_status ng_optimizer_add_group(ng_optimizer *optimizer, ng_group **group,
                                        const void *method_options);

/* One step of every parameter of every group. NG_OK, NG_STOPPED (a monitor
 * asked; the step is done), or an error: NG_ENONFINITE (a gradient holds NaN or
 * infinity), NG_ERANGE (numbers too large for the dtype), NG_ESINGULAR,
 * NG_ENODATA (a parameter needs ng_group_capture and got none, or has no gradient so far),
 * NG_ENOCONV, NG_ENOMEM, and what natgrad/natural.h adds; then nothing has changed, but for what
 * `atomic` says. */
NG_API ng_status ng_optimizer_step(ng_optimizer *optimizer);

/* Gradient accumulation over micro-batches: adds the present gradients of all
 * parameters to sums of the optimizer's own. The next ng_optimizer_step uses
 * their mean in place of the gradients; with mean losses over micro-batches of
 * one size that is the gradient of the whole batch.
 *
 *   for (int k = 0; k < 8; k++) {
 *       ... forward, backward ...
 *       ng_optimizer_accumulate(opt);
 *   }
 *   ng_optimizer_step(opt);
 *
 * A step that is done begins anew. NG_ENONFINITE and NG_ERANGE (the sum leaves the dtype), both
 * with the parameter's name, NG_ENOMEM: then nothing was added.
 *
 * A step that fails keeps the sums of accumulate and what ng_group_capture took in, so that it can
 * be made again with other options or gradients. Where the batch itself is at fault (a gradient of
 * NaN, say) and is skipped, drop throws both away; else its captures would count in the next step
 * beside those of the next batch. */
NG_API ng_status ng_optimizer_accumulate(ng_optimizer *optimizer);
NG_API void ng_optimizer_drop(ng_optimizer *optimizer);

/* Of methods that are a distribution over the weights (natgrad/ivon.h): draws the weights the
 * coming gradient is taken at, mean and noise. Another call draws anew about the same mean; a step
 * that is done leaves the new mean in the weights, and so do restore and a failure of this. Frozen
 * parameters, and those of other methods, stay as they are.
 *
 * Where random has fill_uniform, a call takes four uniform numbers, and every normal number is a
 * function of these, the optimizer's seed, the parameter's name and the element: in groups of
 * another order, or on several processes, the same. Else fill_normal gives a number a weight, in
 * the order of groups and parameters, and none for those that stay as they are. The state of
 * random is the caller's to save.
 *
 * NG_ERANGE, with the name: a sample that is not finite; NG_EARG: neither of them; NG_ENOMEM;
 * NG_EUNSUPPORTED: weights of sixteen bits, or another process's (natgrad/exchange.h). A
 * checkpoint cannot be saved or loaded while weights are a sample. */
NG_API ng_status ng_optimizer_sample(ng_optimizer *optimizer, const ng_random *random);
NG_API ng_status ng_optimizer_restore(ng_optimizer *optimizer);

/* deviations (as the weights, any dtype) <- their standard deviations under that distribution.
 * NG_EARG: no such parameter, or its method has none; NG_ESHAPE, NG_ENOMEM. */
NG_API ng_status ng_optimizer_deviations(ng_optimizer *optimizer, ng_mat deviations,
                                         const char *parameter);

/* Why the last call on this optimizer or one of its groups failed or stopped; "" after one that
 * succeeded and for NULL. Each such call begins by clearing it, ng_optimizer_steps, _memory,
 * _counts and _describe excepted, which cannot fail. Valid until the next call. */
NG_API const char *ng_optimizer_error(const ng_optimizer *optimizer);

/* Bytes the optimizer holds in matrices: state, spare copies, scratch (from the first step on),
 * and the copies of gradients that accumulation and clipping make; 0 for NULL. Names, options and
 * lists, some hundred bytes a parameter, are not counted. */
NG_API size_t ng_optimizer_memory(const ng_optimizer *optimizer);

/* Bytes of one parameter. */
typedef struct {
    size_t state; /* kept from step to step */
    size_t spare; /* copies of the state and the step itself, until the step is done */
    size_t work;  /* scratch */
} ng_memory;

/* What a rows x cols parameter of that dtype will take under these options (any method's struct),
 * before anything is allocated; a bias (ng_group_add_bias) is one more input. An optimizer holds
 * the state and spare of every parameter and the largest work, that once for each thread; with
 * atomic = parameter the state of every parameter and, for each thread, the largest spare + work.
 * After a step ng_optimizer_memory is that sum. NG_F16 and NG_BF16: with the copy in f32 of
 * rounding = master as part of the state; stochastic rounding has four bytes a weight less there,
 * and as many more of work where a method is not element-wise. SIZE_MAX where a number does not
 * fit. (A natural group's scratch is for the group as one parameter.) NG_EARG, NG_EOPTION,
 * NG_ESHAPE (rows or cols 0), NG_EDTYPE, NG_ENOMEM. */
NG_API ng_status ng_options_memory(ng_memory *memory, const void *options, size_t rows, size_t cols,
                                   ng_dtype dtype, ng_error *error);

/* Steps completed; 0 for NULL. */
NG_API unsigned long long ng_optimizer_steps(const ng_optimizer *optimizer);

/* ---- Groups -------------------------------------------------------------- */

/* Rows of a weight view are outputs (NG_OUT_IN) or inputs (NG_IN_OUT). */
typedef enum { NG_OUT_IN = 0, NG_IN_OUT = 1 } ng_layout;

/* Adds the parameter w with gradient dw (same shape and dtype, that of sixteen bits included,
 * `rounding` above; any strides; without data where
 * there is none so far: ng_group_rebind binds it, and a step without it is NG_ENODATA with the
 * parameter's name) and allocates its state. *index (may be NULL) numbers it in its group. The
 * name is copied; it must be new to the optimizer, and so must every weight: a
 * matrix used twice by the model (tied) is added once. Weights share no byte
 * with weights or gradients, of this parameter or another; views that only
 * interleave (columns of one buffer) are fine, and so are shared gradients.
 * NG_EARG (also data that are not aligned for their dtype), NG_ESHAPE, NG_EDTYPE, NG_ENOMEM. */
NG_API ng_status ng_group_add(ng_group *group, size_t *index, const char *name, ng_mat w,
                              ng_mat dw);

/* Adds blocks of one matrix as parameters of their own, "name[0]", "name[1]", ...: the q, k and v
 * of a fused attention matrix, or its heads, each with a step of its own. Block i has
 * outputs[i] >= 1 outputs: rows of w under NG_OUT_IN, columns under NG_IN_OUT; together they are
 * all of w (else NG_ESHAPE). *first (may be NULL) numbers the first in its group, the others
 * follow. All or none are added. Otherwise as ng_group_add. */
NG_API ng_status ng_group_add_blocks(ng_group *group, size_t *first, const char *name, ng_mat w,
                                     ng_mat dw, const size_t *outputs, size_t count,
                                     ng_layout layout);

/* Adds a stack of matrices, the layers of a net along the leading axis of one array, as parameters
 * "name[0]", "name[1]", ...; with count > 0 each divided into blocks as above, "name[0][0]",
 * "name[0][1]", ... *first (may be NULL) numbers the first in its group, the others follow, blocks
 * before layers. All or none are added. count 0: whole matrices, outputs is not read. NG_ESHAPE
 * where the stacks differ, or are empty; otherwise as ng_group_add_blocks.
 *
 *   ng_group_add_stack(hidden, &qkv, "qkv", ng_stack_f32(w, L, 3 * C, C),
 *                      ng_stack_f32(dw, L, 3 * C, C), (size_t[]){C, C, C}, 3, NG_OUT_IN); */
NG_API ng_status ng_group_add_stack(ng_group *group, size_t *first, const char *name, ng_stack w,
                                    ng_stack dw, const size_t *outputs, size_t count,
                                    ng_layout layout);

/* Before the parameter's first step (else NG_EARG). Default NG_OUT_IN. */
NG_API ng_status ng_group_set_layout(ng_group *group, size_t index, ng_layout layout);

/* No step touches a frozen parameter: no momentum, no weight decay, no statistics, and its gradient
 * is not read, nor does it count for clip_norm. 0: it takes part again, with the state it had. Not
 * in checkpoints: set anew before a load. A skip holds for the coming step alone, for what the loss
 * at hand did not use. NG_EUNSUPPORTED for natural (its Fisher matrix is of the whole group) and
 * for those that share inputs; NG_EARG. */
NG_API ng_status ng_group_freeze(ng_group *group, size_t index, int frozen);
NG_API ng_status ng_group_skip(ng_group *group, size_t index);

/* New pointers or strides for a parameter; shape and dtype stay (NG_ESHAPE,
 * NG_EDTYPE). What may share memory is as for ng_group_add (NG_EARG). */
NG_API ng_status ng_group_rebind(ng_group *group, size_t index, ng_mat w, ng_mat dw);

/* ---- Layers: statistics and biases, for the kfac metric ---------------------
 *
 *   ng_group_add(group, &i, "fc1.weight", w, dw);
 *   ng_group_add_bias(group, i, b, db);                 if the layer has one
 *   for (;;) {
 *       ... forward, backward ...
 *       ng_group_capture(group, i, a, g, batch);        mean loss: scale = batch
 *       ng_optimizer_step(opt);
 *   }
 *
 * Both calls are NG_EUNSUPPORTED where ng_options_want_capture says 0. */

/* Makes the bias b with gradient db, 1 x outputs or outputs x 1 in any stride (a
 * column behind those of W, say), part of the parameter: [W b]
 * is one matrix with an input that is always 1. W and b stay two views and both
 * are updated, under one rule: weight decay holds for the bias too. Before the
 * parameter's first capture and step; called again it changes the pointers, as
 * ng_group_rebind does for w. NG_EARG, NG_ESHAPE, NG_EDTYPE, NG_ENOMEM. */
NG_API ng_status ng_group_add_bias(ng_group *group, size_t index, ng_mat b, ng_mat db);

/* The same for several parameters from `first` on, as ng_group_add_blocks and ng_group_add_stack
 * add them: each vector of the stacks (1 x all outputs of a layer) is divided among the next of
 * them, by their outputs. All or none. */
NG_API ng_status ng_group_add_bias_stack(ng_group *group, size_t first, ng_stack b, ng_stack db);

/* What the layer multiplies the bias with: 1 (default), or -1 where it is a threshold. Before the
 * parameter's first capture and step. NG_EARG. */
NG_API ng_status ng_group_set_bias_input(ng_group *group, size_t index, double input);

/* `count` parameters from `first` on have the same inputs, as q, k and v do: sums and averages of
 * these are made and kept once, by the first of them, and so is the root, where it is a matter of
 * that side alone (damping_kind = per_factor; tikhonov_pi balances it with the outputs' factor, and
 * eigenbases have their eigenvalues). Each step is, bit for bit, the one it would make alone.
 * Captures stay one for each, with the same inputs. After layouts and biases, before the first
 * capture and step. With threads they are one turn, and with atomic = parameter one fails with the
 * other. In a checkpoint only the first has the tensors they share.
 * NG_EUNSUPPORTED (no captures under these options), NG_ESHAPE and NG_EDTYPE (inputs, layouts or
 * biases that differ), NG_EARG, NG_ENOMEM. */
NG_API ng_status ng_group_share_inputs(ng_group *group, size_t first, size_t count);

/* Throws away what was captured for the coming step by the parameters of this group alone
 * (ng_optimizer_drop: of all, and sums of gradients). NG_EARG. */
NG_API ng_status ng_group_capture_discard(ng_group *group);

/* Statistics for the coming step from the parameter's layer: its inputs a
 * (samples x inputs, without the 1 of the bias) and the loss's derivative with
 * respect to its outputs before the activation, g (samples x outputs). scale * g
 * must be the derivative of each sample's own loss: scale is 1 where g comes from
 * a summed loss, the number of samples where it comes from their mean. Rows are
 * samples whatever the layout of W.
 *
 * a and g are taken in at once and not kept. Several calls between two steps
 * add up (micro-batches, sequence positions): all rows count alike. The scale
 * is that of the loss this g is the derivative of: with a mean over each
 * micro-batch, the rows of the micro-batch; with losses divided by the size of
 * the whole batch, that size. A step that is done begins anew, one that fails
 * keeps what was captured (see ng_optimizer_drop). Rows may be 0: nothing happens.
 *
 * NG_ENONFINITE (NaN or infinity in a, g or scale), NG_ERANGE (sums of squares
 * beyond the dtype), NG_ESHAPE, NG_EDTYPE, NG_EARG; then nothing was taken. */
NG_API ng_status ng_group_capture(ng_group *group, size_t index, ng_mat a, ng_mat g, double scale);

/* The same for several parameters from `first` on, as ng_group_add_blocks and ng_group_add_stack
 * add them: of each layer its inputs (samples x inputs) and the derivatives of all its outputs
 * (samples x outputs), which are divided among its blocks. On an error nothing was taken of any. */
NG_API ng_status ng_group_capture_stack(ng_group *group, size_t first, ng_stack a, ng_stack g,
                                        double scale);

/* One option by name, effective at the next step; through the method's option
 * table. NG_EOPTION, and then nothing has changed. */
NG_API ng_status ng_group_set(ng_group *group, const char *name, double value);
NG_API ng_status ng_group_get(const ng_group *group, const char *name, double *value);

/* One factor on the lr of all groups, whatever sets these: >= 0, default 1. Options keep what they
 * are set to; a step uses lr times it (NG_EOPTION where that is out of range), and so ng_event.lr
 * is. Not in checkpoints. NG_EARG. natgrad/schedule.h has it as a function of the step. */
NG_API ng_status ng_optimizer_set_multiplier(ng_optimizer *optimizer, double factor);

/* ---- Monitors ------------------------------------------------------------ */

typedef enum {
    NG_EVENT_PARAMETER = 0, /* one per parameter, in the order of adding */
    NG_EVENT_STEP = 1       /* then one for the step */
} ng_event_kind;

typedef struct {
    size_t size; /* sizeof this struct in the library: later fields only if it is large enough */
    ng_event_kind kind;
    unsigned long long step; /* 1 for the first */
    const ng_group *group;   /* NULL for NG_EVENT_STEP */
    size_t index;            /* in its group */
    const char *name;        /* of the parameter; "" for NG_EVENT_STEP */
    const char *method;      /* "adamw", ...; "" for NG_EVENT_STEP */
    double lr;
    double gradient_norm; /* ||G||_F before clipping; over all parameters for NG_EVENT_STEP */
    double update_norm;   /* ||W_new - W_old||_F without decoupled weight decay */
    double seconds;       /* wall time of this parameter's step, or of the whole step */
    const char *route;    /* how the polar factor was found (natgrad/polar.h), or "" */
    size_t rank;          /* the three below: of that polar factor */
    double orthogonality_error;
    double condition;
    int stale; /* roots of the metric kept from an earlier step, because every solver failed */
    double clip_factor; /* what clip_norm multiplied the gradients with: 1 if nothing */
    ng_status status;   /* NG_OK, or why atomic = parameter left this parameter (for NG_EVENT_STEP:
                           the first of them) alone */
} ng_event;

/* Called after the step is committed. Non-zero asks to stop: the step's other
 * events are still delivered and ng_optimizer_step returns NG_STOPPED. */
typedef int (*ng_monitor)(const ng_event *event, void *data);

/* Several at once are fine; called in the order of adding. Without monitors the
 * norms are not computed. NG_EARG, NG_ENOMEM. */
NG_API ng_status ng_optimizer_add_monitor(ng_optimizer *optimizer, ng_monitor monitor, void *data);

/* ---- Messages ------------------------------------------------------------ */

/* Takes one line of text, without its end of line, during a call of the optimizer: what is no
 * error but worth knowing. Roots of a metric that were kept because every solver failed; a
 * checkpoint written by another version of the library. */
typedef void (*ng_message)(const char *text, void *data);

/* One at a time; NULL (the default): nobody listens, nothing is printed. NG_EARG. */
NG_API ng_status ng_optimizer_set_message(ng_optimizer *optimizer, ng_message message, void *data);

#ifdef __cplusplus
}
#endif
#endif
