/* 28 x 28 digits, and how a data set is divided. */
#ifndef EXAMPLES_IMAGES_H
#define EXAMPLES_IMAGES_H

#include <natgrad-lab.h>

/* *first, *rest <- views of the first `count` samples and of the others of
 * `all`, which is destroyed. NG_ENODATA if either is empty. */
ng_status images_divide(ng_dataset **first, ng_dataset **rest, ng_dataset *all, size_t count,
                        ng_error *error);

/* 8,000 drawn digits to train and 2,000 to test, always the same. */
ng_status images_digits(ng_dataset **train, ng_dataset **test, ng_error *error);

/* MNIST from a folder (ng_dataset_mnist), by default mnist-t10k in the one that
 * the environment variable NATGRAD_DATA names. */
ng_status images_mnist(ng_dataset **train, ng_dataset **test, const char *folder, ng_error *error);

#endif
