/* A progress bar on a terminal; plain lines, one per call of progress_line,
 * anywhere else. Everything goes to stderr. */
#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <stddef.h>

typedef struct {
    char label[40];
    double total;        /* units of work, whatever they are; not above 0: not known */
    const char *unit;    /* "samples": what the rate counts */
    double start, shown; /* clock at the start and when last drawn */
    int columns;         /* of the terminal; 0: not a terminal */
} progress;

/* --quiet: from now on nothing is shown. */
void progress_silence(void);

/* Draws the bar at once, so that a terminal says what is going on. */
void progress_start(progress *p, const char *label, double total, const char *unit);

/* Redraws at most ten times a second, in one line however narrow the terminal.
 * `done` may be an estimate of any kind. note: a few words, "loss 0.12". */
void progress_update(progress *p, double done, const char *note);

/* A line that stays: on a terminal it replaces the bar for the moment. */
void progress_line(progress *p, const char *text);

/* Clears the bar. */
void progress_end(progress *p);

/* text <- what the bar says after `elapsed` seconds: at most columns - 1
 * characters, and at most size - 1. */
void progress_text(char *text, size_t size, const progress *p, double done, double elapsed,
                   const char *note);

/* Seconds from some fixed moment. */
double progress_clock(void);

/* Processor time of this program, in seconds. */
double progress_cpu(void);

#endif
