/* predictions.csv, the measures, and the line for machines. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/predict/predict.h"

/* The name with something around it as one cell. 0, or 1 after reporting. */
static int put_joined(FILE *to, const char *before, const char *name, const char *behind)
{
    char *text = NULL;
    size_t size = strlen(before) + strlen(name) + strlen(behind) + 1;
    text = malloc(size);
    if (text == NULL)
        return program_no_memory();
    snprintf(text, size, "%s%s%s", before, name, behind);
    fputc(',', to);
    put_cell(to, text);
    free(text);
    return 0;
}

/* ---- predictions.csv ------------------------------------------------------------------------ */

static int put_header(FILE *to, const prediction *p)
{
    int status = 0;
    fputs("sample", to);
    if (p->classes)
        fputs(p->labelled ? ",label,prediction" : ",prediction", to);
    for (size_t j = 0; j < p->answers.cols && status == 0; j++) {
        char number[32];
        snprintf(number, sizeof number, "output %zu", j + 1);
        const char *target = p->values ? ng_schema_target_name(p->schema, j) : number;
        if (p->classes)
            status = put_joined(to, "p(", ng_schema_label(p->schema, j), ")");
        else if (!p->values)
            status = put_joined(to, "", number, "");
        else {
            if (p->labelled)
                status = put_joined(to, "", target, "");
            status = status == 0 ? put_joined(to, "predicted ", target, "") : status;
            if (p->bars != NULL && status == 0)
                status = put_joined(to, "deviation of ", target, "");
        }
    }
    fputs("\n", to);
    return status;
}

/* Digits that read back as the same number. */
static void put_number(FILE *to, ng_mat m, size_t i, size_t j)
{
    fprintf(to, m.dtype == NG_F32 ? ",%.9g" : ",%.17g", ng_mat_get(m, i, j));
}

static void put_row(FILE *to, const prediction *p, size_t i)
{
    fprintf(to, "%zu", i + 1);
    if (p->classes && p->labelled) {
        fputc(',', to);
        put_cell(to, ng_schema_label(p->schema, (size_t)p->labels[i]));
    }
    if (p->classes) {
        fputc(',', to);
        put_cell(to, ng_schema_label(p->schema, ng_metrics_choice(p->answers, i)));
    }
    for (size_t j = 0; j < p->answers.cols; j++) {
        if (p->values && p->labelled)
            put_number(to, p->truth, i, j);
        put_number(to, p->answers, i, j);
        if (p->values && p->bars != NULL)
            put_number(to, p->deviations, i, j);
    }
    fputc('\n', to);
}

static int leave_predictions(const prediction *p, const char *out)
{
    table t;
    int status = table_open(&t, out, "predictions", NULL);
    if (status == 0 && (status = put_header(t.to, p)) == 0) {
        for (size_t i = 0; i < p->count; i++)
            put_row(t.to, p, i);
        status = table_save(&t);
    }
    if (status == 0 && p->values && p->labelled)
        status = scatter_draw(p, &t);
    else if (status == 0)
        printf("predictions: %s.csv\n", t.base);
    table_free(&t);
    return status;
}

/* ---- Classes -------------------------------------------------------------------------------- */

static double share(double part, double of)
{
    return of > 0 ? part / of : (double)NAN;
}

/* Each class with its precision and recall; *accuracy <- of all. */
static int print_classes(const prediction *p, double *accuracy)
{
    size_t classes = p->answers.cols;
    double *counts = calloc(classes, 3 * sizeof *counts);
    char name[SHOWN];
    ng_error error;
    if (counts == NULL)
        return program_no_memory();
    ng_mat m = ng_f64(counts, classes, 3);
    if (ng_metrics_classes(m, accuracy, p->answers, p->labels, &error) != NG_OK) {
        free(counts);
        return program_error("%s", error.text);
    }
    printf("\n%-24s %9s %9s %9s\n", "class", "samples", "precision", "recall");
    for (size_t k = 0; k < classes; k++)
        printf("%-24s %9.0f %9.4f %9.4f\n", shown(name, ng_schema_label(p->schema, k)),
               counts[3 * k], share(counts[3 * k + 2], counts[3 * k + 1]),
               share(counts[3 * k + 2], counts[3 * k]));
    free(counts);
    return 0;
}

static int report_classes(const prediction *p, const char *out, char *line, size_t size)
{
    double accuracy = 0, ece = 0;
    int status = print_classes(p, &accuracy);
    if (status == 0)
        status = confusion_leave(p, out);
    if (status == 0)
        status = calibration_leave(p, out, &ece);
    snprintf(line, size, " loss=%.6g accuracy=%.6g ece=%.6g", p->loss, accuracy, ece);
    if (status == 0)
        printf("\naccuracy %.4f, loss %.4g nats, calibration error %.4f\n\n", accuracy, p->loss,
               ece);
    return status;
}

/* ---- Values --------------------------------------------------------------------------------- */

static int report_values(const prediction *p, char *line, size_t size)
{
    double rmse = 0, r2 = 0;
    char name[SHOWN];
    ng_error error;
    ng_mat z = p->answers, y = p->truth;
    printf("\n%-24s %12s %9s\n", "target", "RMSE", "R^2");
    for (size_t j = 0; j < z.cols; j++) {
        if (ng_metrics_regression(&rmse, &r2, ng_mat_block(z, 0, j, z.rows, 1),
                                  ng_mat_block(y, 0, j, y.rows, 1), &error) != NG_OK)
            return program_error("%s", error.text);
        printf("%-24s %12.6g %9.4f\n", shown(name, ng_schema_target_name(p->schema, j)), rmse, r2);
    }
    if (ng_metrics_regression(&rmse, &r2, z, y, &error) != NG_OK)
        return program_error("%s", error.text);
    printf("\n");
    snprintf(line, size, " %s=%.6g rmse=%.6g r2=%.6g", p->bars != NULL ? "nll" : "loss", p->loss,
             rmse, r2);
    return 0;
}

/* ---- All of it ------------------------------------------------------------------------------ */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* A word of the line for machines: blanks and what is no text become underscores. */
static void print_word(const char *key, const char *text)
{
    printf(" %s=", key);
    for (; *text != '\0'; text++)
        putchar(iscntrl((unsigned char)*text) || *text == ' ' ? '_' : *text);
}

int report(const prediction *p, const config *c)
{
    char line[160] = "", more[64] = "";
    int status = 0;
    printf("%s: %s, %zu inputs, %zu outputs; %zu samples\n",
           ng_task_name(ng_schema_task(p->schema)), ng_model_kind(p->model),
           ng_schema_features(p->schema), p->answers.cols, p->count);
    bars_report(p, more, sizeof more);
    if (p->count > 0 && p->labelled && p->classes)
        status = report_classes(p, c->out, line, sizeof line);
    else if (p->count > 0 && p->labelled && p->values)
        status = report_values(p, line, sizeof line);
    if (status == 0)
        status = leave_predictions(p, c->out);
    if (status != 0)
        return status;
    printf("final");
    print_word("model", last_part(c->model));
    print_word("data", last_part(c->data));
    printf(" samples=%zu%s%s\n", p->count, line, more);
    return 0;
}
