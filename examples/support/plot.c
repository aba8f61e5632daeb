#define _POSIX_C_SOURCE 200809L
#include "examples/support/plot.h"

#include <signal.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int have_gnuplot(void)
{
    return system("command -v gnuplot >/dev/null 2>&1") == 0;
}

void plot_quote(FILE *script, const char *text)
{
    fputc('\'', script);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputc('\'', script);
        fputc(*text, script);
    }
    fputc('\'', script);
}

static int draw(const char *terminal, const char *path, const char *extension, int width,
                int height, const char *script)
{
    char name[4200];
    FILE *gnuplot = popen("gnuplot", "w");
    if (gnuplot == NULL)
        return -1;
    fprintf(gnuplot, "set terminal %s size %d,%d font 'DejaVu Sans,11' background rgb 'white'\n",
            terminal, width, height);
    snprintf(name, sizeof name, "%s.%s", path, extension);
    fputs("set output ", gnuplot);
    plot_quote(gnuplot, name);
    fputs("\n", gnuplot);
    fputs(script, gnuplot);
    fputs("\nunset output\n", gnuplot);
    return pclose(gnuplot) == 0 ? 0 : -1;
}

int plot_draw(const char *path, int width, int height, const char *script)
{
    if (!have_gnuplot())
        return 1;
    signal(SIGPIPE, SIG_IGN); /* a gnuplot that dies is an error code, not our death */
    if (draw("svg", path, "svg", width, height, script) != 0)
        return -1;
    return draw("pngcairo", path, "png", width, height, script);
}

/* Colours that colour-blind readers tell apart (Okabe and Ito). */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000", "#F0E442"};

const char *plot_colour(size_t i)
{
    return colours[i % (sizeof colours / sizeof colours[0])];
}

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

void plot_legend(FILE *script, const char *const *names, size_t count)
{
    const double left = 0.42, right = 0.97, letter = 0.0085, gap = 0.035;
    double x = left, y = 0.95;
    for (size_t i = 0; i < count; i++) {
        const char *name = names[i], *colour = plot_colour(i);
        double width = letter * (double)strlen(name);
        if (x + width > right) {
            x = left;
            y -= 0.055;
        }
        fprintf(script,
                "set label '%s' noenhanced at screen %.4f,%.4f left tc rgb '%s' "
                "point pt 7 ps 0.8 lc rgb '%s' offset character 1,0\n",
                name, x, y, colour, colour);
        x += width + gap;
    }
}

double plot_mark_distance(double length)
{
    double power = pow(10, floor(log10(length / 5))), times = length / 5 / power;
    return power * (times < 2 ? 2 : times < 5 ? 5 : 10);
}
