/* The confusion matrix: in text, as confusion.csv, and as a picture. */
#include <stdlib.h>
#include <string.h>

#include "examples/predict/predict.h"

enum { PRINTED = 12, NAMED = 30, COUNTED = 20, MOST = 1000 }; /* classes for each */

static void print_matrix(const prediction *p, ng_mat m)
{
    char name[SHOWN];
    printf("\n%-16s predicted\n%-16s", "", "true");
    for (size_t j = 0; j < m.cols; j++)
        printf(" %7.7s", shown(name, ng_schema_label(p->schema, j)));
    printf("\n");
    for (size_t i = 0; i < m.rows; i++) {
        printf("%-16.16s", shown(name, ng_schema_label(p->schema, i)));
        for (size_t j = 0; j < m.cols; j++)
            printf(" %7.0f", ng_mat_get(m, i, j));
        printf("\n");
    }
}

static int save_matrix(const prediction *p, ng_mat m, table *t)
{
    fputs("class", t->to);
    for (size_t j = 0; j < m.cols; j++) {
        fputc(',', t->to);
        put_cell(t->to, ng_schema_label(p->schema, j));
    }
    for (size_t i = 0; i < m.rows; i++) {
        fputc('\n', t->to);
        put_cell(t->to, ng_schema_label(p->schema, i));
        for (size_t j = 0; j < m.cols; j++)
            fprintf(t->to, ",%.0f", ng_mat_get(m, i, j));
    }
    fputc('\n', t->to);
    return table_save(t);
}

/* ---- The picture ------------------------------------------------------------------------------
 */

/* Names at their places; of very many classes their numbers do. */
static void put_names(FILE *script, const prediction *p, char axis, size_t classes)
{
    char name[SHOWN];
    if (classes > NAMED)
        return;
    fprintf(script, "set %ctics (", axis);
    for (size_t k = 0; k < classes; k++) {
        fputs(k > 0 ? ", " : "", script);
        plot_quote(script, shown(name, ng_schema_label(p->schema, k)));
        fprintf(script, " %zu", k);
    }
    fprintf(script, ") noenhanced%s\n", axis == 'x' ? " rotate by 45 right" : "");
}

/* Nothing but numbers: names could be anything. Column, row, share of the row, count. */
static void put_cells(FILE *script, ng_mat m)
{
    fputs("$cells << EOD\n", script);
    for (size_t i = 0; i < m.rows; i++) {
        double row = 0;
        for (size_t j = 0; j < m.cols; j++)
            row += ng_mat_get(m, i, j);
        for (size_t j = 0; j < m.cols; j++)
            fprintf(script, "%zu %zu %.6f %.0f\n", j, i, row > 0 ? ng_mat_get(m, i, j) / row : 0,
                    ng_mat_get(m, i, j));
    }
    fputs("EOD\n", script);
}

static int draw(const prediction *p, ng_mat m, table *t)
{
    picture pic;
    if (plot_open(&pic) != 0)
        return 1;
    FILE *script = pic.script;
    put_cells(script, m);
    plot_title(script, "%zu samples: share of each true class (row) by prediction", p->count);
    fprintf(script,
            "set palette defined (0 'white', 1 '#0072B2')\nset cbrange [0:1]\n"
            "set xrange [-0.5:%zu-0.5]\nset yrange [%zu-0.5:-0.5]\nset size ratio 1\n"
            "set xlabel 'predicted class'\nset ylabel 'true class'\nset tics nomirror out\n",
            m.cols, m.rows);
    put_names(script, p, 'x', m.cols);
    put_names(script, p, 'y', m.rows);
    fputs("plot $cells using 1:2:3 with image notitle", script);
    if (m.rows <= COUNTED)
        fputs(", '' using 1:2:(sprintf('%d', $4)):($3 > 0.6 ? 0xffffff : 0) with labels "
              "tc rgb variable notitle",
              script);
    fputs("\n", script);
    return plot_draw(&pic, t, 700, 620);
}

static int leave(const prediction *p, ng_mat m, const char *out)
{
    table t;
    ng_error error;
    if (ng_metrics_confusion(m, p->answers, p->labels, &error) != NG_OK)
        return program_error("%s", error.text);
    if (m.rows <= PRINTED)
        print_matrix(p, m);
    printf("\n");
    int status = table_open(&t, out, "confusion", NULL);
    if (status == 0)
        status = save_matrix(p, m, &t);
    if (status == 0)
        status = draw(p, m, &t);
    table_free(&t);
    return status;
}

int confusion_leave(const prediction *p, const char *out)
{
    size_t classes = p->answers.cols;
    if (classes > MOST) {
        printf("\nconfusion: left out, of %zu classes\n", classes);
        return 0;
    }
    double *counts = calloc(classes * classes, sizeof *counts);
    int status =
        counts != NULL ? leave(p, ng_f64(counts, classes, classes), out) : program_no_memory();
    free(counts);
    return status;
}
