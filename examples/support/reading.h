/* How data are read: the options of ng_dataset on a command line, --read NAME=X,
 * and the sources, from the library's tables. */
#ifndef EXAMPLES_READING_H
#define EXAMPLES_READING_H

#include <natgrad-train.h>

/* An argument_take: NAME=X into the ng_dataset_options at `field`. */
int reading_take(void *field, const char *text, const char *option);

/* Lines of --help: the sources, and the options. */
void reading_help_sources(void);
void reading_help_options(void);

#endif
