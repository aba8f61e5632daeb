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

/* Colours that colour-blind readers tell apart, repeating from the ninth on. */
const char *plot_colour(size_t i);

/* An axis a little longer than its data: gnuplot warns of empty ranges and puts
 * the extreme points on the frame. */
void plot_range(FILE *script, char axis, double low, double high, int logarithmic);

/* Names in their colours above the panels, where no curve can be; gnuplot's own
 * key is as wide as one panel and cuts what does not fit. */
void plot_legend(FILE *script, const char *const *names, size_t count);

/* Distance of about five marks on an axis from zero: 1, 2 or 5 times a power of ten. */
double plot_mark_distance(double length);

#endif
