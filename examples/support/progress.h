/* A progress bar on a terminal; plain lines, one per call of progress_line,
 * anywhere else. Everything goes to stderr. */
#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <stddef.h>

typedef struct {
    char label[40];
    size_t total;        /* units of work, whatever they are */
    const char *unit;    /* "samples": what the rate counts */
    double start, shown; /* clock at the start and when last drawn */
    int columns;         /* of the terminal; 0: not a terminal */
    int quiet;
} progress;

void progress_start(progress *p, const char *label, size_t total, const char *unit, int quiet);

/* Redraws at most ten times a second, in one line however narrow the terminal.
 * note: a few words, "loss 0.12". */
void progress_update(progress *p, size_t done, const char *note);

/* A line that stays: on a terminal it replaces the bar for the moment. */
void progress_line(progress *p, const char *text);

/* Clears the bar. */
void progress_end(progress *p);

/* Seconds from some fixed moment. */
double progress_clock(void);

/* Processor time of this program, in seconds. */
double progress_cpu(void);

#endif
