/* Text through another program. */
#ifndef EXAMPLES_FILTER_H
#define EXAMPLES_FILTER_H

#include <stddef.h>

typedef enum {
    FILTER_DONE,
    FILTER_MISSING, /* there is no such program */
    FILTER_FAILED,  /* it ended with another status than 0 */
    FILTER_ERROR    /* no memory, no process; errno says which */
} filter_result;

/* Runs argv[0], looked for in PATH, with `input` on its standard input.
 * *output <- what it prints, *size bytes, to be freed. ^C in the terminal does
 * not reach it. */
filter_result filter_run(char **output, size_t *size, const char *const argv[], const char *input,
                         size_t length);

#endif
