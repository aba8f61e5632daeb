/* What the front and the methods know of each other. A method is one file: a
 * table of options, static functions, one ng_method. */
#ifndef NGI_METHOD_H
#define NGI_METHOD_H

#include <natgrad/optimizer.h>
#include <natgrad/polar.h>
#include <natgrad/work.h>

enum { NGI_TENSORS = 8 };

/* One tensor of a parameter's state. `next` is the spare copy: a prepare that
 * has written it says so in `fresh`, and the front swaps the two at commit.
 * Without a spare copy (next.data NULL) the method updates `now` in its commit. */
typedef struct {
    const char *name; /* NULL: this slot is unused */
    ng_mat now, next;
    int fresh;
} ngi_tensor;

/* What a step tells the monitors. */
typedef struct {
    double update_norm;
    double seconds;
    ng_polar_info polar;
    int stale;  /* roots kept because every solver failed */
    int wanted; /* somebody listens: norms and errors are worth computing */
} ngi_report;

typedef struct {
    char *name;
    ng_mat w, dw; /* borrowed */
    ng_layout layout;
    unsigned long long step;        /* steps done; the front counts */
    ngi_tensor tensor[NGI_TENSORS]; /* each method numbers its own */
    ng_mat update;                  /* (optional) what prepare leaves for commit, w's shape */
    ngi_report report;
} ngi_param;

struct ng_method {
    const char *name;
    int elementwise; /* a parameter's shape does not matter */
    size_t options_size;
    const ng_option *options; /* ends with name = NULL */
    /* combinations the table cannot express (optional) */
    ng_status (*check)(const void *options, ng_error *error);
    /* adds the state tensors by ngi_param_tensor; the front frees them */
    ng_status (*create)(ngi_param *param, const void *options, ng_error *error);
    /* scratch bytes prepare needs (optional: none) */
    size_t (*work)(const ngi_param *param, const void *options);
    /* may fail; reads the parameter, writes only `next`, `update`, report and work */
    ng_status (*prepare)(ngi_param *param, const void *options, ng_work *work, ng_error *error);
    /* cannot fail; allocates nothing */
    void (*commit)(ngi_param *param, const void *options);
};

/* The head every options struct begins with. */
typedef struct {
    size_t size;
    const ng_method *method;
} ngi_options_head;

extern const ng_method ngi_method_sgd, ngi_method_adamw, ngi_method_steepest;

/* Fills a method's options with the defaults of its table. */
void ngi_options_defaults(void *options, const ng_method *method);

/* Index of the option of that name, or -1. */
int ngi_option_find(const ng_method *method, const char *name);

enum { NGI_IN_PLACE = 0, NGI_SPARE = 1 };

/* Allocates tensor `slot` (zero), with a spare copy for NGI_SPARE. */
ng_status ngi_param_tensor(ngi_param *param, int slot, const char *name, size_t rows, size_t cols,
                           ng_dtype dtype, int spare, ng_error *error);

/* Allocates param->update. */
ng_status ngi_param_update(ngi_param *param, ng_error *error);

/* The finite check element-wise methods share: NG_ENONFINITE, and NG_ERANGE
 * when |g| exceeds limit. */
ng_status ngi_check_gradient(const ngi_param *param, double limit, ng_error *error);

#endif
