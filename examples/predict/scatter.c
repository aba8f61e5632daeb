/* The picture of predicted values: what is said against what is. */
#include <math.h>

#include "examples/predict/predict.h"

enum { PANELS = 4, POINTS = 5000 }; /* targets and samples that are drawn */

/* Numbers alone. Every so many of very many samples. */
static void put_points(FILE *script, const prediction *p, size_t j, double *low, double *high)
{
    size_t step = 1 + (p->count - 1) / POINTS;
    fprintf(script, "$points%zu << EOD\n", j);
    for (size_t i = 0; i < p->count; i += step) {
        double y = ng_mat_get(p->truth, i, j), z = ng_mat_get(p->answers, i, j);
        *low = fmin(*low, fmin(y, z));
        *high = fmax(*high, fmax(y, z));
        fprintf(script, "%.9g %.9g %.9g\n", y, z,
                p->bars != NULL ? ng_mat_get(p->deviations, i, j) : 0);
    }
    fputs("EOD\n", script);
}

int scatter_draw(const prediction *p, table *t)
{
    picture pic;
    size_t panels = p->answers.cols < PANELS ? p->answers.cols : PANELS;
    if (p->count == 0) {
        printf("predictions: %s.csv\n", t->base);
        return 0;
    }
    if (plot_open(&pic) != 0)
        return 1;
    FILE *script = pic.script;
    fprintf(script,
            "set multiplot layout 1,%zu\nset border 3\nset tics nomirror out\nset nokey\n"
            "set xlabel 'true value'\nset ylabel 'prediction'\n",
            panels);
    for (size_t j = 0; j < panels; j++) {
        char name[SHOWN];
        double low = INFINITY, high = -INFINITY;
        put_points(script, p, j, &low, &high);
        plot_title(script, "%s", shown(name, ng_schema_target_name(p->schema, j)));
        plot_range(script, 'x', low, high, 0);
        plot_range(script, 'y', low, high, 0);
        fprintf(script,
                "plot $points%zu using %s pt 7 ps 0.5 lc rgb '#0072B2', x with lines dt 2 lc rgb "
                "'#000000'\n",
                j, p->bars != NULL ? "1:2:3 with yerrorbars" : "1:2 with points");
    }
    fputs("unset multiplot\n", script);
    return plot_draw(&pic, t, 480 * (int)panels, 440);
}
