#define _POSIX_C_SOURCE 200809L
#include "examples/support/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };

double progress_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_start(progress *p, const char *label, size_t total, const char *unit, int quiet)
{
    memset(p, 0, sizeof *p);
    snprintf(p->label, sizeof p->label, "%s", label);
    p->total = total > 0 ? total : 1;
    p->unit = unit;
    p->start = progress_clock();
    p->terminal = isatty(STDERR_FILENO);
    p->quiet = quiet;
}

static void clear_line(void)
{
    fprintf(stderr, "\r\033[K");
}

void progress_update(progress *p, size_t done, const char *note)
{
    double now = progress_clock(), elapsed = now - p->start;
    if (p->quiet || !p->terminal || (now - p->shown < 0.1 && done < p->total))
        return;
    p->shown = now;
    double part = (double)done / (double)p->total, rate = elapsed > 0 ? (double)done / elapsed : 0;
    char bar[BAR + 1];
    for (int i = 0; i < BAR; i++)
        bar[i] = i < (int)(part * BAR) ? '#' : '.';
    bar[BAR] = '\0';
    clear_line();
    fprintf(stderr, "%-12s [%s] %3.0f%%  %s  %.0f %s/s  %.0f s left", p->label, bar, 100 * part,
            note, rate, p->unit, part > 0 ? elapsed * (1 - part) / part : 0);
    fflush(stderr);
}

void progress_line(progress *p, const char *text)
{
    if (p->quiet)
        return;
    if (p->terminal)
        clear_line();
    fprintf(stderr, "%s\n", text);
}

void progress_end(progress *p)
{
    if (!p->quiet && p->terminal)
        clear_line();
}
