/* How far the probabilities can be believed: calibration.csv and its picture. */
#include "examples/predict/predict.h"

enum { BINS = 10 };

static int save_bins(ng_mat bins, table *t)
{
    for (size_t b = 0; b < bins.rows; b++)
        fprintf(t->to, "%g,%g,%.0f,%.9g,%.9g\n", (double)b / BINS, (double)(b + 1) / BINS,
                ng_mat_get(bins, b, 0), ng_mat_get(bins, b, 1), ng_mat_get(bins, b, 2));
    return table_save(t);
}

static int draw(const prediction *p, double ece, table *t)
{
    picture pic;
    if (plot_open(&pic) != 0)
        return 1;
    FILE *script = pic.script;
    plot_table(script, "bins", t);
    fputs("set multiplot layout 1,2\nset border 3\nset tics nomirror out\nset nokey\n"
          "set xrange [0:1]\nset xlabel 'probability of the predicted class'\n"
          "set style fill solid 0.5 border lc rgb '#0072B2'\nset boxwidth 0.1\n",
          script);
    plot_title(script, "%zu samples, calibration error %.4f", p->count, ece);
    fputs("set yrange [0:1]\nset ylabel 'share that is right'\n"
          "plot $bins using (($1 + $2) / 2):($3 > 0 ? $5 : NaN) with boxes lc rgb '#0072B2', "
          "x with lines dt 2 lc rgb '#000000', " /* over the boxes, which would hide it */
          "$bins using ($3 > 0 ? $4 : NaN):5 with points pt 7 ps 0.8 lc rgb '#D55E00'\n"
          "set title 'samples'\nset autoscale y\nset yrange [0:*]\nunset ylabel\n"
          "plot $bins using (($1 + $2) / 2):3 with boxes lc rgb '#0072B2'\nunset multiplot\n",
          script);
    return plot_draw(&pic, t, 1000, 420);
}

int calibration_leave(const prediction *p, const char *out, double *ece)
{
    double bins[BINS][3];
    ng_mat m = ng_f64(&bins[0][0], BINS, 3);
    ng_error error;
    table t;
    if (ng_metrics_calibration(m, ece, p->answers, p->labels, &error) != NG_OK)
        return program_error("%s", error.text);
    int status = table_open(&t, out, "calibration", "from,to,samples,probability,right");
    if (status == 0)
        status = save_bins(m, &t);
    if (status == 0)
        status = draw(p, *ece, &t);
    table_free(&t);
    return status;
}
