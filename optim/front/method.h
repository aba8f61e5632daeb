/* What the front and the methods know of each other. A method is one file: a
 * table of options, static functions, one ng_method. */
#ifndef NGI_METHOD_H
#define NGI_METHOD_H

#include <natgrad/fisher.h>
#include <natgrad/optimizer.h>
#include <natgrad/polar.h>
#include <natgrad/residual.h>
#include <natgrad/work.h>

/* Which numbers a state tensor may hold; all are finite. A state that is loaded, or that a host may
 * have written into, is held to it (optim/front/legal.c). */
typedef enum {
    NGI_FINITE,            /* any */
    NGI_NONNEGATIVE,       /* each >= 0 */
    NGI_POSITIVE,          /* each > 0 */
    NGI_SEMIDEFINITE,      /* as sums of x x^T are */
    NGI_POSITIVE_DIAGONAL, /* as Cholesky factors have */
} ngi_legal;

/* What a state tensor holds before the first step. */
typedef enum { NGI_ZEROS, NGI_ONES, NGI_FILL, NGI_IDENTITY } ngi_start;

/* What its lower triangle says of a square state tensor. */
typedef enum {
    NGI_WHOLE,     /* not all */
    NGI_SYMMETRIC, /* what stands above the diagonal too */
    NGI_LOWER,     /* nothing stands above the diagonal */
} ngi_triangle;

/* Who has a state tensor where processes share a parameter and each captures shards of its own. */
typedef enum {
    NGI_OWNERS,        /* the owner alone */
    NGI_CAPTURED,      /* everybody: captures add to it */
    NGI_CAPTURED_GRAM, /* likewise; its lower triangle counts */
    NGI_CAPTURE_READS, /* everybody, as the owner's last step has left it */
} ngi_sharing;

/* One tensor of a parameter's state. `next` is the spare copy, if it has one: a prepare
 * that has written it says so in `fresh`, and the front makes it the state at commit.
 * Without a spare copy the method updates `now` in its commit. What a triangle determines is made
 * in `now` itself, and `next`, a row, keeps the old triangle until commit, or until the front puts
 * it back (ngi_tensor_renew). create declares the tensors and sees their shapes alone; the front
 * allocates what was declared. */
typedef struct {
    const char *name; /* static */
    ng_mat now, next;
    int spare, fresh;
    ngi_triangle triangle; /* NGI_WHOLE unless create says otherwise */
    int renewed;           /* now is new, or on the way to it, and next has the old one */
    ngi_start start;       /* NGI_ZEROS unless create says otherwise */
    double fill;           /* of NGI_FILL */
    /* of tensors without a spare copy: no element of now is larger; negative: not known, as after
     * somebody wrote into it (ngi_tensor_bound) */
    double bound, next_bound;
    int foreign;         /* somebody may have written into now: looked at before the next step */
    ngi_legal legal;     /* NGI_FINITE unless create says otherwise */
    ngi_sharing sharing; /* NGI_OWNERS likewise */
} ngi_tensor;

/* What a step tells the monitors. */
typedef struct {
    double update_norm;
    double seconds;
    ng_polar_info polar;
    int stale;        /* roots kept because every solver failed */
    ng_status status; /* why the step left the parameter alone */
    int wanted;       /* somebody listens: norms and errors are worth computing */
} ngi_report;

enum { NGI_REPORTED = 6 }; /* numbers of a report that ranks tell each other */

typedef struct ngi_param {
    char *name;
    ng_mat w, dw;       /* borrowed; dw and dbias perhaps a shape without data so far */
    ng_mat bias, dbias; /* (optional) borrowed, outputs x 1: [W b] is one parameter */
    /* (optional) borrowed, the caller's weights where they have sixteen bits: w and bias are then
     * f32 of the front's (narrow.h), without data but in a commit where rounding is stochastic */
    ng_mat half, half_bias;
    int stochastic;
    unsigned long long key; /* of its random bits */
    double bias_input;      /* what b is multiplied with in the layer, 1 or -1 */
    ng_mat g, g_bias;       /* the step's gradient, set before prepare: dw and dbias, or staged */
    /* dense, ours, allocated when first needed: sums over micro-batches, and the gradient of a
     * step that accumulates or clips (gradient.c) */
    ng_mat sum, sum_bias, staged, staged_bias;
    double gradient_norm; /* of the step's gradient before clipping, when staged */
    size_t micro;         /* micro-batches it is the mean of; 0: it is one gradient */
    /* (optional) dense, ours: the mean of the weights while w is a sample (sample.c) */
    ng_mat mean;
    int sampled;
    size_t rows, cols; /* of the whole: w's, and one more on the input side with a bias */
    ng_layout layout;
    double gradient_max;     /* how prepare scaled the gradient, */
    double gradient_scale;   /* and whether the average came to rest: */
    int at_rest;             /* for commit to average again */
    double length;           /* of the step, in its metric, from prepare to agree */
    double factor;           /* on the step, from agree to commit */
    double captured;         /* samples captured since the last step */
    unsigned long long step; /* steps done; the front counts */
    ngi_tensor *tensor;      /* the method's, in the order it added them */
    size_t tensor_count, tensor_capacity;
    ng_mat update; /* (optional) what prepare leaves for commit, rows x cols */
    int has_update;
    int lent; /* spare copies and update are its thread's, from before prepare to after commit */
    ngi_report report;
    /* of parameters with the same inputs: statistics of these are the first one's, the leader's,
     * and the others, which stand behind it in their group, declare none */
    struct ngi_param *leader; /* NULL: its own */
    size_t followers;         /* of a leader */
    int frozen, skipped;      /* steps pass it by; the coming one does */
    int owner; /* of an attached optimizer: the rank that makes its steps, or -1: all */
    double reported[NGI_REPORTED]; /* between ranks */
    double renewed;                /* likewise: has the step changed what captures read? */
    int elsewhere;                 /* that is another one: no state is here, nor an update */
} ngi_param;

static inline int ngi_biased(const ngi_param *param)
{
    return param->bias.rows > 0;
}

/* The caller's weights and bias, of any dtype. */
static inline ng_mat ngi_own_weights(const ngi_param *param)
{
    return param->half.rows > 0 ? param->half : param->w;
}

static inline ng_mat ngi_own_bias(const ngi_param *param)
{
    return param->half.rows > 0 ? param->half_bias : param->bias;
}

static inline int ngi_active(const ngi_param *param)
{
    return !param->frozen && !param->skipped;
}

static inline int ngi_shares_inputs(const ngi_param *param)
{
    return param->leader != NULL || param->followers > 0;
}

enum { NGI_TRIALS = 3 };

/* What the parameters of a group have in common. */
typedef struct {
    ng_fisher *fisher; /* (optional) borrowed: n x n for all of them, in the order of adding */
    ng_residuals *residuals; /* (optional) borrowed: of n weights, likewise */
    ng_residual_calls calls; /* what a step with residuals may ask */
    double predicted;        /* what the step last agreed on was to take off the loss */
    unsigned long long told; /* the first parameter's steps when losses came last */
    /* of a step, for agree: the options, a copy that become the group's with the commit; how often
     * it has asked for another prepare; whether it does again; what came of it */
    void *options;
    int trial, again;
    double trial_damping[NGI_TRIALS], promise[NGI_TRIALS];
} ngi_joint;

/* What came of a step, or of several, and what adapt makes of it. */
typedef struct {
    double predicted, before, after; /* the last step's: off the loss; losses around it */
    unsigned long long steps;        /* since adapt was asked last */
    double ratio;
    int back; /* the last step is to be taken back */
} ngi_outcome;

/* A part of a method's options that is in force or not by what another option says. */
typedef struct {
    const char *kind, *name;  /* "metric", "kfac" */
    const ng_option *options; /* ends with name = NULL */
    int active;
} ngi_option_part;

struct ng_method {
    const char *name;
    int elementwise;  /* a parameter's shape does not matter */
    /* which calls of joint->fisher it makes: NG_FISHER_SOLVE, ... (optional: none, there is none) */
    unsigned (*fisher_calls)(const void *options);
    size_t options_size;
    const ng_option *options; /* ends with name = NULL */
    /* *part <- part i of the options beside that table; 0: there are no more (optional: none) */
    int (*part)(ngi_option_part *part, const void *options, size_t i);
    /* combinations the tables cannot express (optional) */
    ng_status (*check)(const void *options, ng_error *error);
    /* declares the state by ngi_param_tensor and ngi_param_update; the front allocates it */
    ng_status (*create)(ngi_param *param, const void *options, ng_error *error);
    /* what decides for all parameters of a group together, an option or the method itself, or NULL
     * (optional: never anything) */
    const char *(*joint)(const void *options);
    /* is all there that prepare needs beside gradients? NG_ENODATA (optional: yes) */
    ng_status (*ready)(const ngi_param *param, const void *options, ng_error *error);
    /* scratch bytes prepare needs (optional: none) */
    size_t (*work)(const ngi_param *param, const void *options);
    /* may fail; reads the parameter, writes only `next`, `update`, report and work */
    ng_status (*prepare)(ngi_param *param, const void *options, ng_work *work, ng_error *error);
    /* does the method need captured statistics under these options? Only then a parameter may
     * have a bias (optional: never) */
    int (*wants_capture)(const void *options);
    /* may a (samples x inputs) and g (samples x outputs), finite and of the right shapes, be added
     * to the statistics of the coming step? (this and capture present when wants_capture is) */
    ng_status (*check_capture)(const ngi_param *param, const void *options, ng_mat a, ng_mat g,
                               double scale, ng_error *error);
    /* scratch bytes capture needs for so many rows (optional: none) */
    size_t (*capture_work)(const ngi_param *param, const void *options, size_t rows);
    /* adds them; cannot fail */
    void (*capture)(ngi_param *param, const void *options, ng_mat a, ng_mat g, double scale,
                    ng_work *work);
    /* does the coming step take captures? (optional: always) */
    int (*captures_due)(const ngi_param *param, const void *options);
    /* P (of_outputs) or Q of F = P (x) Q as the last step left it, or none: for monitors (optional:
     * never any) */
    ng_mat (*factor)(const ngi_param *param, int of_outputs);
    /* scratch bytes agree needs (optional: none) */
    size_t (*agree_work)(ngi_param *const *params, size_t count, const void *options);
    /* between the last prepare and the first commit of a step: what the parameters of one group,
     * one at least, decide together (where nothing is joint perhaps each by itself); may fail and
     * writes only `next`, `update`, factor, report, work and of joint predicted and what is below;
     * joint->again: all that are in the step are to be prepared once more, with joint->options
     * (optional) */
    ng_status (*agree)(ngi_param *const *params, size_t count, const void *options,
                       ngi_joint *joint, ng_work *work, ng_error *error);
    /* it decides by each parameter's `length` alone and writes but factor and report, so that it
     * needs no state: the parameters of a group may be owned by several ranks. Groups of other
     * methods with an agree are every rank's (optional: never). */
    int (*agrees_by_length)(const void *options);
    /* dw, finite, joins the micro-batches of the coming step; keep 0: as the first. Cannot fail
     * (optional) */
    void (*accumulate)(ngi_param *param, const void *options, double keep);
    /* the method is a distribution over the weights, dense row by row: out (of their dtype) <-
     * standard deviations of n of them from number `first` on (optional) */
    void (*deviations)(const ngi_param *param, const void *options, void *out, size_t first,
                       size_t n);
    /* cannot fail; allocates nothing */
    void (*commit)(ngi_param *param, const void *options);
    /* after a step: sets the damping by the losses (finite) around it and what was predicted;
     * a failure changes nothing (optional) */
    ng_status (*adapt)(void *options, ngi_outcome *outcome, ng_error *error);
    /* does it need the weights in their own dtype between steps too: agree looks at them, or a
     * step may be taken back? (optional: never) */
    int (*needs_weights)(const void *options);
    /* takes the weights of the last step back (present when adapt is) */
    void (*undo)(ngi_param *param);
};

/* The head every options struct begins with. */
typedef struct {
    size_t size;
    const ng_method *method;
} ngi_options_head;

extern const ng_method ngi_method_sgd, ngi_method_adamw, ngi_method_ivon, ngi_method_steepest,
    ngi_method_natural, ngi_method_residual, ngi_method_langevin;

/* The methods there are (optim/registry.c); NULL beyond. */
const ng_method *ngi_method_get(size_t i);

/* Of the layer. */
static inline size_t ngi_outputs(const ngi_param *param)
{
    return param->layout == NG_OUT_IN ? param->w.rows : param->w.cols;
}

static inline size_t ngi_inputs(const ngi_param *param)
{
    return param->layout == NG_OUT_IN ? param->w.cols : param->w.rows;
}

/* The part of x (rows x cols of a parameter) that belongs to its weights, and
 * the one that belongs to its bias. */
static inline ng_mat ngi_weight_part(const ngi_param *param, ng_mat x)
{
    return ng_mat_block(x, 0, 0, param->w.rows, param->w.cols);
}

/* as the bias lies: outputs x 1 */
static inline ng_mat ngi_bias_part(const ngi_param *param, ng_mat x)
{
    ng_mat row = ng_mat_block(x, x.rows - 1, 0, 1, x.cols);
    ng_mat column = {row.data, x.cols, 1, 1, x.dtype};
    return param->layout == NG_OUT_IN ? ng_mat_block(x, 0, x.cols - 1, x.rows, 1) : column;
}

/* Fills a method's options with the defaults of its tables; NG_EOPTION, and nothing written, where
 * the caller's struct has another size. */
ng_status ngi_method_defaults(void *options, size_t size, const ng_method *method);

/* The option of that name among those in force, or NULL. */
const ng_option *ngi_option_find(const void *options, const char *name);

enum { NGI_IN_PLACE = 0, NGI_SPARE = 1 };

/* Declares a tensor of that name, with a spare copy for NGI_SPARE. */
ng_status ngi_param_tensor(ngi_param *param, const char *name, size_t rows, size_t cols,
                           ng_dtype dtype, int spare, ng_error *error);

/* The tensor of that name, or NULL. */
ngi_tensor *ngi_tensor_find(const ngi_param *param, const char *name);

/* What the tensor of that name, if there is one, may hold, and what it holds at first. */
void ngi_tensor_legal(ngi_param *param, const char *name, ngi_legal legal);
void ngi_tensor_start(ngi_param *param, const char *name, ngi_start start);
void ngi_tensor_sharing(ngi_param *param, const char *name, ngi_sharing sharing);

/* Its spare copy, if it has one, is of the lower triangle alone. */
void ngi_tensor_triangle(ngi_param *param, const char *name, ngi_triangle triangle);

/* Where prepare makes a tensor with a spare copy anew: next, or now once its old triangle is kept.
 * revert: as if it had not been called. */
ng_mat ngi_tensor_renew(ngi_tensor *tensor);
void ngi_tensor_revert(ngi_tensor *tensor);

/* The state of the last step, or what prepare has made of it. */
static inline ng_mat ngi_newest(const ngi_tensor *t)
{
    return t->fresh && t->triangle == NGI_WHOLE ? t->next : t->now;
}

/* Declares param->update. */
void ngi_param_update(ngi_param *param);

/* The finite check of all methods: NG_ENONFINITE, and NG_ERANGE when |g|
 * exceeds limit. */
ng_status ngi_check_gradient(const ngi_param *param, double limit, ng_error *error);

/* The same, and *max <- the largest |g|. */
ng_status ngi_gradient_bound(double *max, const ngi_param *param, double limit, ng_error *error);

#endif
