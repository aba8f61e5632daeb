/* natgrad/train/data.h: data sets for classification, read or generated, handed
 * out in batches.
 *
 * A sample is `features` numbers and a label 0 ... classes - 1, classes <= 256.
 * Files may be gzipped; whether they are is seen from their first bytes.
 * Every reader checks its file against what the file says about itself:
 * NG_EIO when it cannot be opened or read, NG_EFORMAT when it is truncated,
 * damaged, longer than it says or not what was expected, NG_ENOMEM. The text
 * names the file, what was found and what was expected. Memory is taken as the
 * bytes arrive, never on the word of a header. (What follows the end of a gzip
 * stream is ignored, as gzip does.)
 * On an error *dataset is NULL. Data sets never change once made, so several
 * threads may gather from one. */
#ifndef NATGRAD_TRAIN_DATA_H
#define NATGRAD_TRAIN_DATA_H

#include <stddef.h>
#include <natgrad/mat.h>
#include <natgrad/random.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_dataset ng_dataset;

/* ---- Every data set ------------------------------------------------------ */

/* NULL is fine. Views of it stay alive. */
NG_API void ng_dataset_destroy(ng_dataset *dataset);

/* *view <- the samples first ... first + count - 1 as a data set of their own,
 * to be destroyed like any other, in any order. Nothing is copied: a view
 * shares the samples, which are freed with the last data set that uses them.
 * features and classes stay those of the whole. Outside: NG_ERANGE. */
NG_API ng_status ng_dataset_view(ng_dataset **view, const ng_dataset *dataset, size_t first,
                                 size_t count, ng_error *error);

NG_API size_t ng_dataset_count(const ng_dataset *dataset);
NG_API size_t ng_dataset_features(const ng_dataset *dataset);
NG_API size_t ng_dataset_classes(const ng_dataset *dataset);
NG_API const char *ng_dataset_name(const ng_dataset *dataset);

/* Row i of x (batch x features, either dtype) <- the inputs of sample index[i],
 * labels[i] <- its label (labels may be NULL). Repeated indices are fine.
 * NG_ESHAPE when x is not batch x features, NG_ERANGE for an index >= count;
 * then nothing is written. */
NG_API ng_status ng_dataset_gather(const ng_dataset *dataset, ng_mat x, int *labels,
                                   const size_t *index, size_t batch, ng_error *error);

/* ---- Files ----------------------------------------------------------------- */

/* IDX (the format of MNIST): images of unsigned bytes in three dimensions,
 * labels of unsigned bytes. features = rows * columns, each byte / 255;
 * classes = largest label + 1. */
NG_API ng_status ng_dataset_idx(ng_dataset **dataset, const char *images, const char *labels,
                                ng_error *error);

/* MNIST, or whatever comes in files of these names, from a folder that holds
 *   train-images-idx3-ubyte  train-labels-idx1-ubyte
 *   t10k-images-idx3-ubyte   t10k-labels-idx1-ubyte
 * or, with none of these, the one pair
 *   images-idx3-ubyte        labels-idx1-ubyte
 * whose first four fifths become *train and the rest *test. Each name may end
 * in .gz and may have a dot in place of the dash before idx. Both sets have
 * the features and the classes of the larger. */
NG_API ng_status ng_dataset_mnist(ng_dataset **train, ng_dataset **test, const char *folder,
                                  ng_error *error);

/* A table of numbers with one sample a line. Columns are separated by commas,
 * semicolons or tabs, whichever the first line has first, and may be quoted.
 * Blank lines and lines that begin with # are skipped. The first line is a
 * header when none of its columns is a number. Numbers have a decimal point
 * whatever the locale; NaN and infinities are refused.
 * label: the column of the class, whole numbers 0 ... 255: NULL for the last
 * column, a name from the header, or a column number from 1. The other columns
 * are the features, in their order. classes = largest label + 1. */
NG_API ng_status ng_dataset_csv(ng_dataset **dataset, const char *path, const char *label,
                                ng_error *error);

/* A text as characters: sample i is bytes i ... i + context - 1, one-hot
 * (features = context * vocabulary: the first character's block first), and
 * its label is byte i + context. The vocabulary is the bytes that occur in the
 * text, ascending; classes is its size, and feature c * classes + k is 1 when
 * character c of the window is vocabulary[k]. count = length - context.
 * context 0: NG_EARG. */
NG_API ng_status ng_dataset_text(ng_dataset **dataset, const char *path, size_t context,
                                 ng_error *error);

/* The same text for a model that predicts each next character: sample i is
 * bytes i context ... (i + 1) context - 1 as their numbers in the vocabulary
 * (features = context), and its label the byte behind them. Samples do not
 * overlap; count = (length - 1) / context. context 0: NG_EARG. */
NG_API ng_status ng_dataset_sequences(ng_dataset **dataset, const char *path, size_t context,
                                      ng_error *error);

/* The `classes` bytes of a text's vocabulary, ascending; NULL for data that is
 * not text. Lives as long as the data set. */
NG_API const unsigned char *ng_dataset_vocabulary(const ng_dataset *dataset);

/* ---- Generated ------------------------------------------------------------- */

/* count drawn digits, 28 x 28 in bytes as MNIST has them, bright on dark:
 * each is one of a few ways to write the digit, bent, slanted, turned, scaled
 * and shifted at random, drawn with a random pen, with noise. Same generator
 * state, same pictures. No file needed; harder than it looks for a linear
 * model. */
NG_API ng_status ng_dataset_digits(ng_dataset **dataset, size_t count, const ng_random *random,
                                   ng_error *error);

/* count samples of a mixture of `classes` Gaussians in `features` dimensions,
 * equally likely: x = centre + N(0, I). The centres are normal, too, and so
 * scaled that the expected squared distance of two of them is separation^2.
 * separation >= 0, classes 1 ... 256, else NG_EARG. */
NG_API ng_status ng_dataset_mixture(ng_dataset **dataset, size_t count, size_t classes,
                                    size_t features, double separation, const ng_random *random,
                                    ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
