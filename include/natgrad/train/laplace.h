/* natgrad/train/laplace.h: how sure a trained model is: error bars from its Fisher matrix.
 *
 *     ng_laplace *bars;
 *     ng_laplace_fit(&bars, model, train, NULL, &error);
 *     ng_mat x = ng_model_input(model, batch);      write the samples into its rows
 *     ng_laplace_predict(bars, probabilities, ng_mat_none(), batch, &error);
 *
 * Laplace's approximation: with the prior N(0, I / tau) over the weights, the
 * posterior is a Gaussian around the trained weights w,
 *
 *     N(w, (N F / s + tau I)^-1),     N F = sum over the samples of J^T H J,
 *
 * J the derivative of a sample's logits by the weights, H the exact Fisher matrix
 * of the likelihood at the logits: softmax diag(p) - p p^T, Bernoulli
 * diag(p (1 - p)), Gaussian I with the noise's variance s (else 1). tau and s are
 * given or chosen by the evidence
 *
 *     log p(data | w) + n/2 log tau - tau/2 |w|^2 - 1/2 log det(N F / s + tau I),
 *
 * whose maximum over tau, w and F held, is the one zero of a falling function
 * (MacKay 1992, "The evidence framework applied to classification networks").
 * Biases belong to the weights. Predictions are those of the linearised model:
 * logits z ~ N(z, J Sigma J^T) (Daxberger et al. 2021, "Laplace Redux").
 *
 * The prior must be the one the model was trained with: a net is at the optimum of
 * no tau if its weight decay was decoupled (AdamW), stopped early or absent. So
 * by default the last layer, a convex problem once the others are held, is brought to the optimum
 * of the evidence's tau by Newton's method (for these likelihoods the natural
 * gradient), tau and weights by turns until they agree: `refit`. It is MacKay's
 * re-estimation, which holds F while tau moves.
 *
 * What to expect. After wrong or few labels loss and calibration gain most. Where a
 * net has learnt right labels by heart, or n is near N and above, predictions are
 * too cautious, those of kron most; its order of what is unlike the samples is the
 * better one. Figures: examples/laplace.
 *
 * Models with one row of logits a sample: mlp and cnn. All is done in double
 * but for the model's own passes. The model is borrowed, its weights must stay
 * as fit left them; one thread at a time. */
#ifndef NATGRAD_TRAIN_LAPLACE_H
#define NATGRAD_TRAIN_LAPLACE_H

#include <natgrad/fisher.h>
#include <natgrad/mat.h>
#include <natgrad/random.h>
#include <natgrad/status.h>
#include <natgrad/train/data.h>
#include <natgrad/train/model.h>
#include <natgrad/train/model_file.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_laplace ng_laplace;

/* Whose weights are uncertain, and which F.
 *   last  the last layer alone, outputs x (inputs + 1) = n weights, all of F: 2 n^2
 *         numbers, n^3 time
 *   kron  all layers, F = P (x) Q of each [W b] and nothing between layers (Ritter,
 *         Botev and Barber 2018), with tau added exactly. Needs layers that
 *         hold every parameter and share none; outputs backward passes a sample. */
typedef enum { NG_LAPLACE_LAST = 0, NG_LAPLACE_KRON = 1 } ng_laplace_structure;

/* "last"; NULL beyond the last one. Static strings. */
NG_API const char *ng_laplace_structure_name(size_t i);

typedef struct {
    size_t size;                    /* set by ng_laplace_init */
    ng_laplace_structure structure; /* default last */
    double prior_precision;         /* tau, 1e-10 ... 1e10; 0 (default): by evidence */
    double noise_variance;          /* s of the squared loss, in units of the targets as gathered,
                                     * 1e-12 ... 1e12; 0 (default): by evidence */
    int refit;                      /* default 1; 0 leaves the model alone */
    size_t rounds;                  /* of refit and evidence, 1 ... 1000; default 50 */
    size_t most;                    /* weights of the last layer that `last` and refit take, 1 ...;
                                     * default 4096: a round takes a minute and 1 GB */
} ng_laplace_options;

/* Fills in the defaults; NG_EOPTION, nothing written, for a struct of another size. */
NG_API ng_status ng_laplace_init_sized(ng_laplace_options *options, size_t size);
static inline ng_status ng_laplace_init(ng_laplace_options *options)
{
    return ng_laplace_init_sized(options, sizeof *options);
}

/* *laplace <- the posterior of model given the samples that it was trained on,
 * gathered in batches of its max_batch through its input buffer. options may be
 * NULL: the defaults. Softmax models take labels, others targets. Holds the
 * inputs of the last layer for all samples meanwhile, (inputs + 1) doubles each.
 * NG_EUNSUPPORTED: several rows of logits a sample, or kron for parameters outside
 * of layers. NG_EOPTION, NG_ESHAPE (other features than the model's), NG_ENODATA,
 * NG_EARG (NULL, or a label that is no output), NG_ERANGE (more than `most`), NG_ENONFINITE, NG_ENOCONV (Newton), NG_ENOMEM.
 * On an error *laplace is NULL and the weights are as before. */
NG_API ng_status ng_laplace_fit(ng_laplace **laplace, ng_model *model, const ng_dataset *data,
                                const ng_laplace_options *options, ng_error *error);

/* NULL is fine. */
NG_API void ng_laplace_destroy(ng_laplace *laplace);

typedef struct {
    size_t size; /* sizeof(ng_laplace_info), to be set by the caller */
    ng_laplace_structure structure;
    size_t parameters;      /* n: weights that are uncertain */
    size_t samples;         /* N */
    size_t rounds;          /* of refit and evidence; 0 without refit */
    int converged;          /* tau and weights agree to 1e-4; 1 without refit */
    double prior_precision; /* tau */
    double noise_variance;  /* s; 1 for other losses than squared */
    double evidence;        /* as above */
    double log_likelihood;  /* of all samples at w */
    double effective;       /* parameters that the data determine: sum of l / (l + tau) over the
                             * eigenvalues l of N F / s */
} ng_laplace_info;

/* NG_EOPTION for another library's size, nothing written. */
NG_API ng_status ng_laplace_get(const ng_laplace *laplace, ng_laplace_info *info);

/* N F of one layer's [W b], NG_F64, for s = 1: Sigma = s (N F + tau s I)^-1, so that
 * draws are sqrt(s) times those of ng_fisher_sample with damping tau s. *layer
 * (may be NULL) <- its number in the model. NULL behind the last; belongs to laplace. */
NG_API ng_fisher *ng_laplace_fisher(ng_laplace *laplace, size_t *layer, size_t i);

/* ---- Predictions ----------------------------------------------------------------- */

/* Each takes the first `batch` rows of the model's input buffer through the model.
 * Outputs have either dtype, any stride; NG_ESHAPE, NG_ENONFINITE, NG_ENOMEM. */

/* Row i: the logits of sample i (batch x outputs) and their covariance (batch x
 * outputs^2, a matrix row by row), without the noise. Either may be ng_mat_none(). */
NG_API ng_status ng_laplace_logits(ng_laplace *laplace, ng_mat mean, ng_mat covariance,
                                   size_t batch, ng_error *error);

/* mean (batch x outputs K) <- probabilities by the probit approximation (MacKay 1992):
 *   Bernoulli  sigmoid(z / sqrt(1 + pi/8 var z))
 *   softmax    1 / sum_j exp((z_j - z_k) / sqrt(1 + pi/8 v_jk)), made to sum to 1,
 *              v_jk = K / (2 (K - 1)) var(z_j - z_k), v_kk = 0: what is common to
 *              all logits counts for nothing, two classes are the Bernoulli case
 * and for the squared loss the outputs. variance (the same shape, or ng_mat_none())
 * <- of the logits; for the squared loss that of a new observation, the noise's s
 * included. */
NG_API ng_status ng_laplace_predict(ng_laplace *laplace, ng_mat mean, ng_mat variance, size_t batch,
                                    ng_error *error);

/* The same for all samples of a data set, max_batch at a time, rows as there are samples; of the
 * squared loss in the units of the data: unscaled as their schema says. NG_ENODATA: no
 * samples; NG_ESHAPE: other features. */
NG_API ng_status ng_laplace_predict_data(ng_laplace *laplace, ng_mat mean, ng_mat variance,
                                         const ng_dataset *data, ng_error *error);

/* mean (batch x outputs) <- probabilities (or outputs) averaged over `draws` >= 1
 * draws of each sample's logits: draws x outputs normal numbers a sample, in
 * turn. NG_EARG without fill_normal. */
NG_API ng_status ng_laplace_sample(ng_laplace *laplace, ng_mat mean, size_t batch, size_t draws,
                                   const ng_random *random, ng_error *error);

/* ---- In a file --------------------------------------------------------------------- */

/* extra += the posterior, for ng_model_save: F64 tensors and texts named "laplace/...". Of one
 * layer [outputs (inputs + 1)]^2 numbers (last) or outputs^2 + (inputs + 1)^2 (kron). The
 * numbers are borrowed: laplace must live until the model is saved. */
NG_API ng_status ng_laplace_add(ng_laplace *laplace, ng_model_extra *extra, ng_error *error);

/* *laplace <- the posterior in the file that the model was loaded from (ng_model_load): predictions
 * are the same bits. NG_ENODATA: there is none. NG_EFORMAT names what
 * is missing, of another shape, not finite or out of range. NULL on an error. */
NG_API ng_status ng_laplace_read(ng_laplace **laplace, ng_model *model, const ng_tensors *file,
                                 ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
