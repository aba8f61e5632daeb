/* Pictures by gnuplot: the same script twice, to SVG and to PNG. No path and no
 * text from outside reaches gnuplot as a command: it reads its data from the
 * script, writes to a pipe, and gets strings through plot_quote. */
#ifndef EXAMPLES_PLOT_H
#define EXAMPLES_PLOT_H

#include <stdio.h>

#include <natgrad.h>

#include "examples/support/table.h"

/* A gnuplot script in memory. */
typedef struct {
    FILE *script;
    char *text;
    size_t size;
} picture;

/* 0, or 1 after reporting. */
int plot_open(picture *p);

/* Draws FOLDER/NAME.svg and .png of the table, each width x height, frees the
 * script and says on stdout what there is. 0 also when gnuplot is missing or fails, which is
 * said; 1 after reporting that a picture could not be written. */
int plot_draw(picture *p, const table *t, int width, int height);

/* Frees the script and says that there is no picture, and why. Returns 0. */
int plot_none(picture *p, const table *t, const char *why);

/* Writes text as a string of gnuplot's language, quotes included. Control
 * characters become spaces. */
void plot_quote(FILE *script, const char *text);

/* $name <- the table's rows, as data separated by commas */
void plot_table(FILE *script, const char *name, table *t);

/* "set title '...'", formatted as by printf, plain text. */
void plot_title(FILE *script, const char *format, ...) NG_PRINTF(2, 3);

/* Colours that colour-blind readers tell apart, repeating from the ninth on. */
const char *plot_colour(size_t i);

/* How a curve looks. */
typedef struct {
    const char *name, *colour;
    int point; /* gnuplot's point type */
} plot_style;

/* An optimizer's, the same in all pictures. method: a preset's name, perhaps
 * with further words behind it; "natural gradient", "gradient descent". Other
 * names get some style of their own. */
plot_style plot_method(const char *method);

/* A title and the names in their styles above all panels, where no curve can be.
 * Returns the height, as a share of the screen's, below which panels may
 * stand. width: of the picture, in pixels; titles are formatted as by printf. */
double plot_head(FILE *script, int width, const plot_style *styles, size_t count,
                 const char *format, ...) NG_PRINTF(5, 6);

/* An axis a little longer than its data: gnuplot warns of empty ranges and puts
 * the extreme points on the frame. */
void plot_range(FILE *script, char axis, double low, double high, int logarithmic);

/* Distance of about five marks on an axis from zero: 1, 2 or 5 times a power of ten. */
double plot_mark_distance(double length);

#endif
