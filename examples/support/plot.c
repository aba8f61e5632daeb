#define _POSIX_C_SOURCE 200809L
#include "examples/support/plot.h"

#include <signal.h>
#include <stdlib.h>

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
