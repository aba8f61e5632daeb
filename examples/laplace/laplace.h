/* What the files of laplace know of each other:
 *   main.c     the command line, and everything in its order
 *   setting.c  data, nets and posteriors that cannot fail but by ending the program
 *   digits.c   calibration after overfitting; what is no digit
 *   prior.c    the evidence's choice against a validation set's
 *   band.c     a regression with its band, and the picture */
#ifndef EXAMPLES_LAPLACE_H
#define EXAMPLES_LAPLACE_H

#include <natgrad-train.h>

#include "examples/support/arguments.h"
#include "examples/support/table.h"

typedef struct {
    const char *out, *part; /* NULL: all */
    seed_list seeds;
    size_t samples; /* digits learnt */
    size_t epochs;  /* 0: as each part has it */
} config;

static inline size_t epochs_of(const config *c, size_t own)
{
    return c->epochs > 0 ? c->epochs : own;
}

/* ---- Setting ------------------------------------------------------------------------ */

/* Ends the program with the error's text unless status is NG_OK. */
void must(ng_status status, const ng_error *error);

/* rows x cols, never freed */
ng_mat matrix(size_t rows, size_t cols);

/* A net of these widths, trained for so many epochs with a batch of 50. decay > 0: by SGD with
 * coupled decay, the optimum of the prior of that precision; else by AdamW without any, as far
 * as it goes. */
ng_model *train_net(const ng_dataset *data, ng_loss loss, const size_t *widths, size_t layers,
                    size_t epochs, double lr, double decay, unsigned long seed);

/* Error bars; tau 0: by the evidence. *info may be NULL. */
ng_laplace *fit(ng_model *model, const ng_dataset *data, ng_laplace_structure structure, int refit,
                double tau, ng_laplace_info *info);

/* How the net is asked. */
typedef enum { ASK_NET, ASK_PROBIT, ASK_DRAWS } asking;

/* p (samples x outputs) <- probabilities or means; v (or ng_mat_none()) <- variances with noise. */
void ask(ng_mat p, ng_mat v, ng_model *model, ng_laplace *bars, asking how, const ng_dataset *data);

/* ---- Parts; each prints what it finds. Status: 0, or 1 after reporting ------------------ */

int digits(const config *c);
void odd_ones(const config *c);
void prior_choice(const config *c);
int band(const config *c);

#endif
