/* The picture of good_regulator: the two descents, and the directions of the
 * fitted observer. */
#include "examples/observers/regulator.h"

#include <math.h>

enum { SHOWN = 100 };               /* steps */
static const double lowest = 1e-16; /* of the picture: what is below is rounding */

static void plot_descents(FILE *script, const findings *f)
{
    static const char *const names[WORLDS][2] = {
        {"natural gradient, realisable", "gradient descent, realisable"},
        {"natural gradient, not realisable", "gradient descent, not realisable"}};
    for (int w = 0; w < WORLDS; w++)
        for (int m = 0; m < 2; m++) {
            const descent *d = &f->way[w][m];
            fprintf(script, "$way%d%d << EOD\n", w, m);
            for (size_t k = 0; k < d->points && k <= SHOWN; k++)
                fprintf(script, "%zu %.8g\n", k, fmax(d->above[k], lowest));
            fputs("EOD\n", script);
        }
    fprintf(script,
            "set title 'prediction error above its floor'\nset logscale y\n"
            "set format y '10^{%%T}'\nset xrange [-2:%d]\nset yrange [%g:10]\n"
            "set xlabel 'steps'\nset ylabel 'cross-entropy - floor, nats'\n"
            "set key at graph 0.12,0.05 left bottom Left reverse samplen 2\nplot ",
            SHOWN + 2, lowest / 3);
    for (int w = 0; w < WORLDS; w++)
        for (int m = 1; m >= 0; m--)
            fprintf(script,
                    "%s$way%d%d using 1:2 with linespoints lw 2 dt %d pt %d ps 0.6 lc rgb '%s' "
                    "title '%s'",
                    w + 1 - m > 0 ? ", " : "", w, m, w + 1, w == 0 ? 7 : 6,
                    plot_method(names[w][m]).colour, names[w][m]);
    fputs("\nunset logscale\n", script);
}

static void plot_regime(FILE *script, const ng_regime *r)
{
    const double *lambda = r->spectrum.data, *alpha = r->alpha_dir.data;
    fputs("$directions << EOD\n", script);
    for (size_t k = 0; k < r->rank; k++)
        fprintf(script, "%.8g %.8g\n", lambda[k], alpha[k]);
    fprintf(script,
            "EOD\nset title 'the fitted observer, direction by direction'\n"
            "set logscale x\nset format x '%%g'\nset format y '%%g'\nset xrange [%.6g:%.6g]\n"
            "set xtics autofreq\nset yrange [0:1]\nset xlabel 'eigenvalue λ of F'\n"
            "set ylabel 'alpha\\_dir'\nset key default\nset key top left Left reverse samplen 2\n"
            "set arrow 1 from %.8g,0 to %.8g,1 nohead dt 2 lc rgb '#555555'\n"
            "set label 1 'λ_c' at %.8g,0.05 offset 0.5,0 tc rgb '#555555'\n"
            "plot x / (x + %.15g) with lines lw 2 lc rgb '#999999' title 'λ / (λ + β), β = %.3g', "
            "$directions using 1:2 with points pt 7 ps 1.2 lc rgb '%s' title 'eigenvectors'\n",
            r->lambda_min / 2, r->lambda_max * 2, r->lambda_c, r->lambda_c, r->lambda_c, r->beta,
            r->beta, plot_method("natural gradient").colour);
}

void regulator_picture(const findings *f, const table *t)
{
    picture p;
    picture_open(&p);
    fputs("set grid lc rgb '#999999'\nset multiplot layout 1,2\n", p.script);
    plot_descents(p.script, f);
    plot_regime(p.script, f->regime);
    fputs("unset multiplot\n", p.script);
    picture_draw(&p, t, 1200, 460);
}
