/* 28 x 28 digits: drawn ones, MNIST. */
#ifndef EXAMPLES_IMAGES_H
#define EXAMPLES_IMAGES_H

#include <natgrad-train.h>

/* 8,000 drawn digits to train and 2,000 to test, always the same. */
ng_status images_digits(ng_dataset **train, ng_dataset **test, ng_error *error);

/* folder <- mnist-t10k in the folder that the environment variable NATGRAD_DATA
 * names, where MNIST is looked for unless --data says where it is. NG_EIO if there is none. */
ng_status images_usual_folder(char *folder, size_t size, ng_error *error);

/* MNIST from a folder (ng_dataset_mnist), by default the usual one. */
ng_status images_mnist(ng_dataset **train, ng_dataset **test, const char *folder, ng_error *error);

#endif
