#define _POSIX_C_SOURCE 200809L
#include "examples/support/plot.h"

#include <errno.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/filter.h"
#include "examples/support/program.h"
#include "examples/support/progress.h"

/* ---- Strings and data ------------------------------------------------------------- */

/* Between double quotes, where \ooo is a byte: letters, digits, spaces and what is above ASCII
 * stand for themselves, everything that could mean something to gnuplot is a number, and so is a
 * digit behind one, because gnuplot may take a fourth. (Between single quotes gnuplot 5.4 loses a
 * quote that comes first.) */
void plot_quote(FILE *script, const char *text)
{
    int number = 0;
    fputc('"', script);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        int plain = iscntrl(c) || c == ' ' || c >= 0x80 || (isdigit(c) ? !number : isalpha(c));
        if (plain)
            fputc(iscntrl(c) ? ' ' : c, script);
        else
            fprintf(script, "\\%03o", c);
        number = !plain;
    }
    fputc('"', script);
}

void plot_title(FILE *script, const char *format, ...)
{
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    fputs("set title ", script);
    plot_quote(script, text);
    fputs(" noenhanced\n", script);
}

void plot_table(FILE *script, const char *name, table *t)
{
    fflush(t->to);
    fprintf(script, "$%s << EOD\n%sEOD\nset datafile separator ','\nset datafile missing NaN\n",
            name, t->text);
}

/* ---- Drawing ---------------------------------------------------------------------- */

int plot_open(picture *p)
{
    memset(p, 0, sizeof *p);
    p->script = open_memstream(&p->text, &p->size);
    return p->script != NULL ? 0 : program_no_memory();
}

/* The script behind a line that sets the terminal. */
static char *complete(const picture *p, const char *terminal, int width, int height)
{
    char *text = NULL;
    size_t size;
    FILE *all = open_memstream(&text, &size);
    if (all == NULL)
        return NULL;
    fprintf(all, "set terminal %s size %d,%d font 'DejaVu Sans,11' background rgb 'white'\n%s\n",
            terminal, width, height, p->text);
    if (fclose(all) == 0)
        return text;
    free(text);
    return NULL;
}

static filter_result draw(const picture *p, const table *t, const char *terminal,
                          const char *extension, int width, int height)
{
    static const char *const gnuplot[] = {"gnuplot", "-d", "-", NULL};
    char path[MAX_PATH + 8], *output = NULL, *script = complete(p, terminal, width, height);
    size_t size = 0;
    if (script == NULL) {
        program_no_memory();
        return FILTER_ERROR;
    }
    filter_result result = filter_run(&output, &size, gnuplot, script, strlen(script));
    snprintf(path, sizeof path, "%s.%s", t->base, extension);
    if (result == FILTER_ERROR)
        program_error("no %s: %s", path, strerror(errno));
    else if (result == FILTER_DONE && size == 0)
        result = FILTER_FAILED;
    else if (result == FILTER_DONE && file_write(path, output, size) != 0)
        result = FILTER_ERROR;
    free(script);
    free(output);
    return result;
}

static int destroy(picture *p)
{
    int failed = fclose(p->script);
    free(p->text);
    p->text = NULL;
    return failed;
}

int plot_none(picture *p, const table *t, const char *why)
{
    destroy(p);
    printf("%s: %s.csv (no picture: %s)\n", t->name, t->base, why);
    return 0;
}

int plot_draw(picture *p, const table *t, int width, int height)
{
    progress bar;
    if (fflush(p->script) != 0 || ferror(p->script)) {
        destroy(p);
        return program_no_memory();
    }
    progress_start(&bar, "drawing", 0, "");
    filter_result result = draw(p, t, "svg", "svg", width, height);
    if (result == FILTER_DONE)
        result = draw(p, t, "pngcairo", "png", width, height);
    progress_end(&bar);
    if (result == FILTER_MISSING)
        return plot_none(p, t, "gnuplot is not installed");
    if (result == FILTER_FAILED)
        return plot_none(p, t, "gnuplot failed");
    destroy(p);
    if (result == FILTER_DONE)
        printf("%s: %s.csv, %s.svg, %s.png\n", t->name, t->base, t->base, t->base);
    return result == FILTER_DONE ? 0 : 1;
}

/* ---- Colours ---------------------------------------------------------------------- */

/* Okabe and Ito's. */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000", "#F0E442"};

const char *plot_colour(size_t i)
{
    return colours[i % (sizeof colours / sizeof colours[0])];
}

/* Okabe and Ito's, and others where those are used up; relatives look alike. */
static const plot_style methods_[] = {
    {"adamw", "#0072B2", 7},
    {"muon", "#D55E00", 7},
    {"normuon", "#D55E00", 6},
    {"fismo", "#009E73", 7},
    {"fismo_paper", "#009E73", 6},
    {"sgd", "#000000", 7},
    {"gradient descent", "#000000", 7},
    {"natural gradient", "#56B4E9", 7},
    {"kfac", "#CC79A7", 7},
    {"kfac_auto", "#CC79A7", 5},
    {"kfac_muon", "#CC79A7", 6},
    {"ekfac", "#882255", 5},
    {"shampoo", "#E69F00", 9},
    {"soap", "#999933", 9},
    {"ivon", "#332288", 5},
};

plot_style plot_method(const char *method)
{
    static const char *const others[] = {"#777777", "#661100", "#332288", "#44AA99", "#AA4499"};
    plot_style style = {method, NULL, 13};
    size_t best = 0, hash = 0;
    for (size_t i = 0; i < sizeof methods_ / sizeof methods_[0]; i++) {
        size_t length = strlen(methods_[i].name);
        if (length > best && strncmp(method, methods_[i].name, length) == 0 &&
            (method[length] == '\0' || method[length] == ' ' || method[length] == ',')) {
            best = length;
            style = methods_[i];
            style.name = method;
        }
    }
    for (const char *c = method; *c != '\0'; c++)
        hash = 31 * hash + (unsigned char)*c;
    if (best == 0)
        style.colour = others[hash % (sizeof others / sizeof others[0])];
    return style;
}

/* ---- Axes and what is above them ---------------------------------------------------- */

void plot_range(FILE *script, char axis, double low, double high, int logarithmic)
{
    if (logarithmic) {
        double factor = high > low ? pow(high / low, 0.06) : 2;
        fprintf(script, "set logscale %c\nset format %c '10^{%%T}'\nset %crange [%.8g:%.8g]\n",
                axis, axis, axis, low / factor, high * factor);
    } else {
        double margin = high > low ? 0.06 * (high - low) : fmax(0.1 * fabs(high), 0.1);
        fprintf(script, "unset logscale %c\nset format %c '%%g'\nset %crange [%.8g:%.8g]\n", axis,
                axis, axis, low - margin, high + margin);
    }
}

double plot_head(FILE *script, int width, const plot_style *styles, size_t count,
                 const char *format, ...)
{
    const double left = 0.02, right = 0.985, row = 0.055;
    double letter = 8.5 / width, x = left, y = 0.955;
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    fputs("set label ", script);
    plot_quote(script, text);
    fprintf(script, " noenhanced at screen 0.015,%.4f left\n", y);
    for (size_t i = 0; i < count; i++) {
        double wide = letter * ((double)strlen(styles[i].name) + 5);
        if (i == 0 || x + wide > right) {
            x = left;
            y -= row;
        }
        fputs("set label ", script);
        plot_quote(script, styles[i].name);
        fprintf(script,
                " noenhanced at screen %.4f,%.4f left tc rgb '%s' "
                "point pt %d ps 0.8 lc rgb '%s' offset character 1,0\n",
                x, y, styles[i].colour, styles[i].point, styles[i].colour);
        x += wide;
    }
    return y - 0.05;
}

double plot_mark_distance(double length)
{
    double power = pow(10, floor(log10(length / 5))), times = length / 5 / power;
    return power * (times < 2 ? 2 : times < 5 ? 5 : 10);
}
