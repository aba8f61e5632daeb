#define _DEFAULT_SOURCE
#include "examples/support/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, LINE = 256 };

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double progress_clock(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double progress_cpu(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* Columns of the terminal behind stderr, 0 if it is none. */
static int terminal_columns(void)
{
    struct winsize size;
    if (!isatty(STDERR_FILENO))
        return 0;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void progress_start(progress *p, const char *label, size_t total, const char *unit, int quiet)
{
    memset(p, 0, sizeof *p);
    snprintf(p->label, sizeof p->label, "%s", label);
    p->total = total > 0 ? total : 1;
    p->unit = unit;
    p->start = progress_clock();
    p->columns = terminal_columns();
    p->quiet = quiet;
}

static void clear_line(void)
{
    fprintf(stderr, "\r\033[K");
}

/* " [####....]" in at most `room` characters, or nothing */
static void draw_bar(char *text, size_t size, double part, int room)
{
    int width = room - 3 < BAR ? room - 3 : BAR;
    text[0] = '\0';
    if (width < 4 || size < (size_t)width + 4)
        return;
    int full = (int)(part * width);
    text[0] = ' ';
    text[1] = '[';
    memset(text + 2, '#', (size_t)full);
    memset(text + 2 + full, '.', (size_t)(width - full));
    memcpy(text + 2 + width, "]", 2);
}

void progress_update(progress *p, size_t done, const char *note)
{
    double now = progress_clock(), elapsed = now - p->start;
    if (p->quiet || p->columns == 0 || (now - p->shown < 0.1 && done < p->total))
        return;
    p->shown = now;
    double part = (double)done / (double)p->total, rate = elapsed > 0 ? (double)done / elapsed : 0;
    char bar[BAR + 8], tail[LINE], line[2 * LINE];
    int wide = p->columns >= 100;
    snprintf(tail, sizeof tail, " %3.0f%%  %s  %.0f%s%s/s  %.0f s left", 100 * part, note, rate,
             wide ? " " : "", wide ? p->unit : "", part > 0 ? elapsed * (1 - part) / part : 0);
    draw_bar(bar, sizeof bar, part, p->columns - 1 - 11 - (int)strlen(tail));
    snprintf(line, sizeof line, "%-11s%s%s", p->label, bar, tail);
    /* a line that wraps could not be drawn over; the last column wraps on some terminals */
    clear_line();
    fprintf(stderr, "%.*s", p->columns - 1, line);
    fflush(stderr);
}

void progress_line(progress *p, const char *text)
{
    if (p->quiet)
        return;
    if (p->columns > 0)
        clear_line();
    fprintf(stderr, "%s\n", text);
}

void progress_end(progress *p)
{
    if (!p->quiet && p->columns > 0)
        clear_line();
}
