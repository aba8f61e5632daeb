#define _DEFAULT_SOURCE
#include "examples/support/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, LINE = 256, WIDE = 100 };

static int silent;

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

void progress_silence(void)
{
    silent = 1;
}

/* ---- The text -------------------------------------------------------------------- */

/* The share that is done, 0 ... 1; -1: not known */
static double share(double done, double total)
{
    if (!(total > 0))
        return -1;
    double part = done / total;
    return part > 1 ? 1 : part > 0 ? part : 0;
}

/* A number of seconds or a rate, in few characters whatever it is. */
static void put_number(char *text, size_t size, double x)
{
    if (x >= 0 && x < 1e6)
        snprintf(text, size, "%.0f", x + 0.0); /* no -0 */
    else
        snprintf(text, size, "?");
}

/* " [####....]" in at most `room` characters, or nothing */
static void put_bar(char text[BAR + 4], double part, int room)
{
    int width = room - 3 < BAR ? room - 3 : BAR;
    text[0] = '\0';
    if (width < 4)
        return;
    int full = (int)(part * width);
    text[0] = ' ';
    text[1] = '[';
    memset(text + 2, '#', (size_t)full);
    memset(text + 2 + full, '.', (size_t)(width - full));
    memcpy(text + 2 + width, "]", 2);
}

/* tail <- what stands behind the bar */
static void put_tail(char tail[LINE], const progress *p, double done, double part, double elapsed,
                     const char *note)
{
    char rate[24], left[24];
    int wide = p->columns >= WIDE;
    put_number(rate, sizeof rate, elapsed > 0 ? done / elapsed : 0);
    put_number(left, sizeof left, part > 0 ? elapsed * (1 - part) / part : (double)INFINITY);
    snprintf(tail, LINE, " %3.0f%%  %s  %s%s%s/s  %s s left", 100 * part, note, rate,
             wide ? " " : "", wide ? p->unit : "", left);
}

void progress_text(char *text, size_t size, const progress *p, double done, double elapsed,
                   const char *note)
{
    char bar[BAR + 4], tail[LINE], seconds[24];
    double part = share(done, p->total);
    size_t room = p->columns > 0 ? (size_t)p->columns : 1;
    room = room < size ? room : size;
    if (part < 0) {
        put_number(seconds, sizeof seconds, elapsed);
        snprintf(text, room, "%s  %s s  %s", p->label, seconds, note);
        return;
    }
    put_tail(tail, p, done, part, elapsed, note);
    put_bar(bar, part, p->columns - 1 - 11 - (int)strlen(tail));
    snprintf(text, room, "%-11s%s%s", p->label, bar, tail);
}

/* ---- The terminal ---------------------------------------------------------------- */

/* Columns of the terminal behind stderr, 0 if it is none. */
static int terminal_columns(void)
{
    struct winsize size;
    if (!isatty(STDERR_FILENO))
        return 0;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void clear_line(void)
{
    fprintf(stderr, "\r\033[K");
}

/* A line that wraps could not be drawn over; the last column wraps on some terminals. */
static void draw(progress *p, double done, double now, const char *note)
{
    char line[2 * LINE];
    p->columns = terminal_columns(); /* it may have changed */
    p->shown = now;
    progress_text(line, sizeof line, p, done, now - p->start, note);
    clear_line();
    fputs(line, stderr);
    fflush(stderr);
}

void progress_start(progress *p, const char *label, double total, const char *unit)
{
    memset(p, 0, sizeof *p);
    snprintf(p->label, sizeof p->label, "%s", label);
    p->total = total;
    p->unit = unit;
    p->start = progress_clock();
    p->columns = silent ? 0 : terminal_columns();
    if (p->columns > 0)
        draw(p, 0, p->start, "");
}

void progress_update(progress *p, double done, const char *note)
{
    if (p->columns == 0)
        return;
    double now = progress_clock();
    if (now - p->shown >= 0.1 || (p->total > 0 && done >= p->total))
        draw(p, done, now, note);
}

void progress_line(progress *p, const char *text)
{
    if (silent)
        return;
    if (p->columns > 0)
        clear_line();
    fprintf(stderr, "%s\n", text);
}

void progress_end(progress *p)
{
    if (p->columns > 0)
        clear_line();
}
