/* Pictures by gnuplot: the same script twice, to SVG and to PNG. */
#ifndef EXAMPLES_PLOT_H
#define EXAMPLES_PLOT_H

#include <stdio.h>

/* Runs the gnuplot commands of `script` with the output set to path.svg and
 * then to path.png, each width x height. 0 if both were drawn, 1 if there is no
 * gnuplot (then nothing is drawn), -1 if it failed. */
int plot_draw(const char *path, int width, int height, const char *script);

/* Writes text as a string of gnuplot's language, quotes included. */
void plot_quote(FILE *script, const char *text);

#endif
