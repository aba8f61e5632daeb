/* 28 x 28 digits: drawn ones, MNIST. */
#ifndef EXAMPLES_IMAGES_H
#define EXAMPLES_IMAGES_H

#include <natgrad-train.h>

/* 8,000 drawn digits to train and 2,000 to test, always the same. */
ng_status images_digits(ng_dataset **train, ng_dataset **test, ng_error *error);

/* MNIST from a folder (ng_dataset_mnist), by default mnist-t10k in the one that
 * the environment variable NATGRAD_DATA names. */
ng_status images_mnist(ng_dataset **train, ng_dataset **test, const char *folder, ng_error *error);

#endif
