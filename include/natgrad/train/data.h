/* natgrad/train/data.h: data sets, read or generated, divided, and handed out in batches.
 *
 *   ng_dataset_options o;
 *   ng_dataset_init(&o);
 *   ng_dataset_open(&all, "csv:iris.csv", &o, &error);
 *   ng_dataset_split(&train, &held_out, all, &o, &error);
 *   ng_dataset_gather(train, x, labels, index, batch, &error);
 *
 * A sample is `features` numbers and a label 0 ... classes - 1, or `targets`
 * numbers. Files may be gzipped; whether they are is seen from their first bytes.
 * Every reader checks its file against what the file says about itself:
 * NG_EIO when it cannot be opened or read, NG_EFORMAT when it is truncated,
 * damaged, longer than it says or not what was expected, NG_ENOMEM. The text
 * names the file, in tables the row (the line of the file) and the column, what
 * was found and what was expected. Memory is taken as the bytes arrive, never
 * on the word of a header; a gzip stream that grows more than 200-fold beyond
 * 64 MiB is refused. (What follows its end is ignored, as gzip does.)
 * On an error *dataset is NULL. Data sets never change once made, so several
 * threads may gather from one. Numbers are those of the C locale. */
#ifndef NATGRAD_TRAIN_DATA_H
#define NATGRAD_TRAIN_DATA_H

#include <stddef.h>
#include <natgrad/mat.h>
#include <natgrad/random.h>
#include <natgrad/status.h>
#include <natgrad/train/data_options.h>
#include <natgrad/train/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_dataset ng_dataset;

/* ---- Sources ----------------------------------------------------------------- */

/* What can stand before the colon of a source:
 *
 *   csv:FILE               a table of text, a sample a line (below)
 *   libsvm:FILE            label index:value ...; made dense
 *   npy:FILE[,LABELS]      a NumPy array, one sample a row; the label is a column of
 *                          it, or in the second array
 *   idx:IMAGES,LABELS      the format of MNIST
 *   mnist:DIR              ng_dataset_mnist, both sets in one
 *   text:FILE              characters, one-hot (ng_dataset_text)
 *   sequences:FILE         characters, by number (ng_dataset_sequences)
 *   digits[:COUNT]         drawn digits (ng_dataset_digits), 10,000 of them
 *   mixture[:COUNT]        of Gaussians (ng_dataset_mixture), 10,000 samples
 */
typedef struct {
    const char *name; /* "csv" */
    const char *what; /* behind the colon: "FILE", "[COUNT]" */
    const char *doc;  /* one line */
} ng_dataset_kind;

/* Row i of that list; NULL behind the last. */
NG_API const ng_dataset_kind *ng_dataset_kind_get(size_t i);

/* *dataset <- a source. options may be NULL: the defaults. Unknown kinds and
 * what cannot stand behind the colon are NG_EARG; the text has the list.
 *
 * csv. A record is a line; a column in double quotes may hold separators, line
 * ends and doubled quotes. Blank lines and lines that begin with # are skipped;
 * a byte order mark is, too. A column is numbers or words as its first value
 * says; words become one feature a value, 0 or 1. Empty, NA, N/A, NaN, null,
 * None and ? are missing values. Infinities are refused. A row that is left out
 * (missing=drop) may hold anything else.
 *
 * libsvm, npy and idx but for bytes are tables too, with columns named by their
 * numbers from 1 (libsvm: from 0 when 0 occurs).
 * libsvm: at most 2^20 columns, and no more than 2^20 + 256 times the file's
 * bytes dense numbers. npy: little-endian f4, f8, i4, i8 and u1 in C order; a
 * sample is everything behind the first index. idx: all six types; bytes become
 * features / 255, with classes 0 ... the largest label. */
NG_API ng_status ng_dataset_open(ng_dataset **dataset, const char *source,
                                 const ng_dataset_options *options, ng_error *error);

/* The same with the columns, categories, classes and scaling of `schema`. Columns
 * are found by name where both have a header, in any order; else by place. A
 * column that lacks, one that is new (unless `ignore` names it), a label or
 * category that the schema does not know, and options that contradict it are
 * NG_EFORMAT or NG_EOPTION and named. Without the columns of labels or targets the samples have none. */
NG_API ng_status ng_dataset_open_like(ng_dataset **dataset, const ng_schema *schema,
                                      const char *source, const ng_dataset_options *options,
                                      ng_error *error);

/* ---- Every data set ------------------------------------------------------ */

/* NULL is fine. Views of it stay alive. */
NG_API void ng_dataset_destroy(ng_dataset *dataset);

/* *view <- the samples first ... first + count - 1 as a data set of their own,
 * to be destroyed like any other, in any order. Nothing is copied: a view
 * shares the samples, which are freed with the last data set that uses them.
 * features and classes stay those of the whole. Outside: NG_ERANGE. */
NG_API ng_status ng_dataset_view(ng_dataset **view, const ng_dataset *dataset, size_t first,
                                 size_t count, ng_error *error);

/* *train, *held_out <- views that divide the data set as options say (train,
 * split, seed). `train` of them, rounded, go to the first; with `shuffled` each
 * class by its share, rounded, but with a sample in training, and with one held
 * out if it has two. Scaling, what
 * stands for missing values and which columns are constant are fitted anew, on
 * the training part alone, and hold for both. NG_ENODATA when either would be
 * empty; NG_EFORMAT when a label is only in the held-out part, or every label
 * of the training part is the same. */
NG_API ng_status ng_dataset_split(ng_dataset **train, ng_dataset **held_out,
                                  const ng_dataset *dataset, const ng_dataset_options *options,
                                  ng_error *error);

NG_API size_t ng_dataset_count(const ng_dataset *dataset);
NG_API size_t ng_dataset_features(const ng_dataset *dataset);
NG_API size_t ng_dataset_classes(const ng_dataset *dataset);
NG_API const char *ng_dataset_name(const ng_dataset *dataset);

/* 1 if its samples have labels or targets. */
NG_API int ng_dataset_labelled(const ng_dataset *dataset);

/* Lives as long as the data set; ng_schema_share for longer. */
NG_API const ng_schema *ng_dataset_schema(const ng_dataset *dataset);

/* text (size bytes, cut as snprintf cuts) <- what was found and decided, lines
 * for a user to read before training: rows, header, columns dropped, classes
 * and their balance, missing values, scaling, and if held_out is not NULL what
 * is held out. What looks wrong begins with "note: ". Returns the length of
 * the whole text. */
NG_API size_t ng_dataset_describe(const ng_dataset *dataset, char *text, size_t size,
                                  const ng_dataset *held_out);

/* Row i of x (batch x features, either dtype) <- the inputs of sample index[i],
 * labels[i] <- its label (labels may be NULL), -1 where there is none. Repeated
 * indices are fine. NG_ESHAPE when x is not batch x features, NG_ERANGE for an
 * index >= count; then nothing is written. Numbers are finite: NG_ERANGE for one
 * that x has no room for once it is scaled (held out or read by another's
 * schema, far from what that was fitted to); the samples before it are written. */
NG_API ng_status ng_dataset_gather(const ng_dataset *dataset, ng_mat x, int *labels,
                                   const size_t *index, size_t batch, ng_error *error);

/* Row i of y (batch x targets, either dtype) <- the targets of sample index[i],
 * scaled as the schema says. NG_ENODATA when there are none; else as gather. */
NG_API ng_status ng_dataset_gather_targets(const ng_dataset *dataset, ng_mat y, const size_t *index,
                                           size_t batch, ng_error *error);

/* The `classes` bytes of a text's vocabulary, ascending; NULL for data that is
 * not text. Lives as long as the data set. */
NG_API const unsigned char *ng_dataset_vocabulary(const ng_dataset *dataset);

/* ---- From arrays of the caller's own -------------------------------------------- */

/* Samples are the rows of x (either dtype, any stride), copied. Their numbers are
 * taken as they are: nothing is scaled and nothing left out, now or by a split.
 * In the schema the columns are those of a csv without a header, the label or the
 * targets behind the features.
 * labels[i]: the class of row i, 0 ... classes - 1 (NG_ERANGE); y: a row of targets
 * each, of x's dtype (NG_ESHAPE, NG_EDTYPE). NG_ENONFINITE names the place (from 0);
 * NG_EARG for nothing at all. */
NG_API ng_status ng_dataset_from_labels(ng_dataset **dataset, ng_mat x, const int *labels,
                                        size_t classes, ng_error *error);
NG_API ng_status ng_dataset_from_targets(ng_dataset **dataset, ng_mat x, ng_mat y,
                                         ng_error *error);

/* ---- Some of the sources, called directly ------------------------------------- */

/* IDX (the format of MNIST), as idx:IMAGES,LABELS. */
NG_API ng_status ng_dataset_idx(ng_dataset **dataset, const char *images, const char *labels,
                                ng_error *error);

/* MNIST, or whatever comes in files of these names, from a folder that holds
 *   train-images-idx3-ubyte  train-labels-idx1-ubyte
 *   t10k-images-idx3-ubyte   t10k-labels-idx1-ubyte
 * or, with none of these, the one pair
 *   images-idx3-ubyte        labels-idx1-ubyte
 * whose last fifth, rounded, becomes *test and the rest *train. Each name may end
 * in .gz and may have a dot in place of the dash before idx. Both sets have
 * the features and the classes of all. */
NG_API ng_status ng_dataset_mnist(ng_dataset **train, ng_dataset **test, const char *folder,
                                  ng_error *error);

/* A text as characters: sample i is bytes i ... i + context - 1, one-hot
 * (features = context * vocabulary: the first character's block first), and
 * its label is byte i + context. The vocabulary is the bytes that occur in the
 * text, ascending; classes is its size, and feature c * classes + k is 1 when
 * character c of the window is vocabulary[k]. count = length - context.
 * context 0: NG_EARG, above 2^20: NG_EOPTION. */
NG_API ng_status ng_dataset_text(ng_dataset **dataset, const char *path, size_t context,
                                 ng_error *error);

/* The same text for a model that predicts each next character: sample i is
 * bytes i context ... (i + 1) context - 1 as their numbers in the vocabulary
 * (features = context), and its label the byte behind them. Samples do not
 * overlap; count = (length - 1) / context. context as above. */
NG_API ng_status ng_dataset_sequences(ng_dataset **dataset, const char *path, size_t context,
                                      ng_error *error);

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
 * separation >= 0, classes 1 ... 256, features >= 1, else NG_EARG; features
 * above 2^20: NG_EOPTION. */
NG_API ng_status ng_dataset_mixture(ng_dataset **dataset, size_t count, size_t classes,
                                    size_t features, double separation, const ng_random *random,
                                    ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
