/* natgrad/train/predict.h: what a trained model says of data, and how good that is.
 *
 *   ng_model_load(&model, &schema, NULL, "iris.safetensors", NULL, &error);
 *   ng_dataset_open_like(&data, schema, "csv:new.csv", NULL, &error);
 *   ng_model_predict(model, probabilities, NULL, data, &error);
 *
 * Measures take predictions as they come from there (either dtype, any stride) and
 * sum in double. Ties go to the first. */
#ifndef NATGRAD_TRAIN_PREDICT_H
#define NATGRAD_TRAIN_PREDICT_H

#include <stddef.h>
#include <natgrad/mat.h>
#include <natgrad/status.h>
#include <natgrad/train/data.h>
#include <natgrad/train/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out (samples x outputs, either dtype, or ng_mat_none()) <- by the model's loss
 *   softmax    probabilities of the classes; of a text: of the character behind it
 *   bernoulli  those of each output
 *   squared    values, in the units of the data (unscaled as their schema says)
 * *loss (may be NULL) <- the mean loss, of labels or of scaled targets. The samples go
 * through the model max_batch at a time. NG_ESHAPE: other features, another out; NG_ENODATA:
 * no samples, or a loss without labels or targets; NG_ENONFINITE: predictions that
 * overflow; errors of the loss; NG_ENOMEM. */
NG_API ng_status ng_model_predict(ng_model *model, ng_mat out, double *loss, const ng_dataset *data,
                                  ng_error *error);

/* The largest of row i: the class that is said. */
NG_API size_t ng_metrics_choice(ng_mat probabilities, size_t i);

/* Below: probabilities n x classes, labels 0 ... classes - 1, n of them; n = 0 or another shape
 * is NG_ESHAPE, another label NG_EARG naming its row. */

/* counts (classes x classes): row k, column j <- samples of class k of which j is said. */
NG_API ng_status ng_metrics_confusion(ng_mat counts, ng_mat probabilities, const int *labels,
                                      ng_error *error);

/* counts (classes x 3): row k <- samples of class k, samples of which k is said, and those of
 * them that are right. Precision is right / said, recall right / samples. *accuracy (may be
 * NULL) <- the share that is right of all. */
NG_API ng_status ng_metrics_classes(ng_mat counts, double *accuracy, ng_mat probabilities,
                                    const int *labels, ng_error *error);

/* Reliability: samples by the probability of the class that is said, in bins of equal width,
 * bin b of B holding (b/B, (b+1)/B]. bins (B x 3): row b <- samples, their mean probability,
 * their share that is right (0 where there are none). *ece <- the expected calibration
 * error, the sum over bins of samples / n |share - probability| (Guo et al.,
 * arXiv:1706.04599, eq. 3). */
NG_API ng_status ng_metrics_calibration(ng_mat bins, double *ece, ng_mat probabilities,
                                        const int *labels, ng_error *error);

/* Of all elements of two n x k matrices: *rmse <- the root of their mean squared difference,
 * *r2 <- 1 - sum of squared differences / sum of squares of the targets about the mean of
 * their column: NaN or -infinity where those are all alike. */
NG_API ng_status ng_metrics_regression(double *rmse, double *r2, ng_mat predicted, ng_mat targets,
                                       ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
