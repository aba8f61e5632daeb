#define _POSIX_C_SOURCE 200809L
#include "examples/support/paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/arguments.h"
#include "examples/support/progress.h"
#include "examples/support/threads.h"

/* ---- What lives until the end ---------------------------------------------------------- */

typedef struct block block;

struct block {
    block *next;
    ng_random random;
    ng_mixture *mixture;
    double numbers[];
};

static block *blocks;

static void release(void)
{
    while (blocks != NULL) {
        block *next = blocks->next;
        ng_rng_destroy(&blocks->random);
        ng_mixture_destroy(blocks->mixture);
        free(blocks);
        blocks = next;
    }
}

static block *take(size_t count)
{
    block *b = count < SIZE_MAX / 16 ? calloc(1, sizeof *b + count * sizeof(double)) : NULL;
    if (b == NULL)
        exit(program_end(program_no_memory()));
    b->next = blocks;
    return blocks = b;
}

ng_mat paper_mat(size_t rows, size_t cols)
{
    return ng_f64(take(rows * cols)->numbers, rows, cols);
}

void paper_must(ng_status status, const ng_error *error)
{
    if (status != NG_OK)
        exit(program_end(program_error("%s", error->text)));
}

const ng_random *paper_random(const paper *p, size_t stream)
{
    ng_error error = {NG_OK, ""};
    block *b = take(0);
    paper_must(ng_rng_create_stream(&b->random, p->seed, stream, &error), &error);
    return &b->random;
}

void paper_normal(ng_mat x, const ng_random *random)
{
    for (size_t i = 0; i < x.rows; i++)
        random->fill_normal(random->data, (double *)x.data + i * x.stride, x.cols);
}

ng_mixture *paper_laws(ng_mat means, ng_mat covariances, const double *weights, const int *labels)
{
    ng_error error = {NG_OK, ""};
    block *b = take(0);
    paper_must(ng_mixture_create(&b->mixture, means, covariances, weights, labels, &error), &error);
    return b->mixture;
}

ng_mixture *paper_mixture(ng_mat means, double variance, const double *weights, const int *labels)
{
    ng_mat covariances = paper_mat(means.rows * means.cols, means.cols);
    for (size_t i = 0; i < covariances.rows; i++)
        ng_mat_set(covariances, i, i % means.cols, variance);
    return paper_laws(means, covariances, weights, labels);
}

/* ---- The program --------------------------------------------------------------------------- */

static paper *helped; /* whose --help is asked for */

static const char *option_of(const paper *p)
{
    return p->option != NULL ? p->option : "samples";
}

static void help(void)
{
    printf("Usage: %s [OPTION]...\n%s\n\n"
           "  --%s=N %*s%s, %zu to %zu\n"
           "                       (default: %zu)\n"
           "  --seed=N             of the random numbers (default: %zu)\n",
           helped->name, helped->about, option_of(helped), (int)(16 - strlen(option_of(helped))),
           "", helped->counted, helped->least, helped->most, helped->samples, helped->seed);
    arguments_help();
}

static int draw(paper *p)
{
    picture out;
    if (plot_open(&out) != 0)
        return 1;
    plot_table(out.script, "rows", &p->rows);
    p->draw(out.script, p);
    return plot_draw(&out, &p->rows, p->width, p->height);
}

static int run(paper *p, const char *folder)
{
    progress bar;
    size_t count = 0, done = 0;
    int status = table_open(&p->rows, folder, p->name, p->header);
    while (p->stages[count] != NULL)
        count++;
    for (; status == 0 && done < count && !program_interrupted(); done++) {
        progress_start(&bar, p->name, (double)count, "stages");
        progress_update(&bar, (double)done, "");
        p->stages[done](p);
        progress_end(&bar);
    }
    if (status == 0)
        status = table_save(&p->rows);
    if (status == 0 && done == count)
        status = draw(p);
    table_free(&p->rows);
    return status;
}

int paper_main(paper *p, int argc, char **argv)
{
    const argument options[] = {
        {option_of(p), ARGUMENT_COUNT, .offset = offsetof(paper, samples), (double)p->least,
         (double)p->most},
        {"seed", ARGUMENT_COUNT, .offset = offsetof(paper, seed), 0, 4294967295u},
        {NULL}};
    arguments a = {.program = p->name, .help = help, .options = options};
    helped = p;
    atexit(release);
    int status = arguments_read(p, &a, argc, argv);
    if (status == 0)
        status = arguments_folder(a.out);
    if (status == 0) {
        blas_set_threads(1);
        program_catch_interrupt();
        status = run(p, a.out);
    }
    return program_end(status);
}

/* ---- Numbers about samples --------------------------------------------------------------------
 */

double paper_mean(ng_mat x, size_t column)
{
    double sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        sum += ng_mat_get(x, i, column);
    return sum / (double)x.rows;
}

double paper_sd(ng_mat x, size_t column)
{
    double mean = paper_mean(x, column), sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        sum += pow(ng_mat_get(x, i, column) - mean, 2);
    return sqrt(sum / (double)x.rows);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double paper_ks(ng_mat x, double (*cdf)(void *data, double x), void *data)
{
    double largest = 0, n = (double)x.rows;
    qsort(x.data, x.rows, x.stride * sizeof(double), ascending);
    for (size_t i = 0; i < x.rows; i++) {
        double f = cdf(data, ng_mat_get(x, i, 0));
        largest = fmax(largest, fmax((double)(i + 1) / n - f, f - (double)i / n));
    }
    return largest;
}

static double square_distance(ng_mat x, size_t i, ng_mat y, size_t j)
{
    double sum = 0;
    for (size_t c = 0; c < x.cols; c++)
        sum += pow(ng_mat_get(x, i, c) - ng_mat_get(y, j, c), 2);
    return sum;
}

/* The cheapest assignment by shortest augmenting paths with prices (Jonker and Volgenant 1987).
 * Rows and columns count from 1; column 0 is where a new row begins. */
typedef struct {
    size_t *row_of, *way;  /* whose column it is; the column before on the path */
    double *u, *v, *least; /* prices of rows and columns; the shortest path to a column */
    char *seen;
} assignment;

static void assign_row(assignment *a, ng_mat x, ng_mat y, size_t row)
{
    const size_t n = x.rows;
    size_t column = 0;
    for (size_t j = 0; j <= n; j++) {
        a->least[j] = HUGE_VAL;
        a->seen[j] = 0;
    }
    a->row_of[0] = row;
    while (a->row_of[column] != 0) {
        size_t i = a->row_of[column], next = 0;
        double delta = HUGE_VAL;
        a->seen[column] = 1;
        for (size_t j = 1; j <= n; j++) {
            if (a->seen[j])
                continue;
            double cost = square_distance(x, i - 1, y, j - 1) - a->u[i] - a->v[j];
            if (cost < a->least[j]) {
                a->least[j] = cost;
                a->way[j] = column;
            }
            if (a->least[j] < delta) {
                delta = a->least[j];
                next = j;
            }
        }
        for (size_t j = 0; j <= n; j++)
            if (a->seen[j]) {
                a->u[a->row_of[j]] += delta;
                a->v[j] -= delta;
            } else
                a->least[j] -= delta;
        column = next;
    }
    for (; column != 0; column = a->way[column])
        a->row_of[column] = a->row_of[a->way[column]];
}

double paper_w2(ng_mat x, ng_mat y)
{
    const size_t n = x.rows;
    double sum = 0;
    if (x.cols == 1) {
        qsort(x.data, n, x.stride * sizeof(double), ascending);
        qsort(y.data, n, y.stride * sizeof(double), ascending);
        for (size_t i = 0; i < n; i++)
            sum += square_distance(x, i, y, i);
        return sqrt(sum / (double)n);
    }
    size_t *index = calloc(2 * (n + 1), sizeof *index);
    double *prices = calloc(3 * (n + 1), sizeof *prices);
    char *seen = calloc(n + 1, 1);
    if (index == NULL || prices == NULL || seen == NULL)
        exit(program_end(program_no_memory()));
    assignment a = {index, index + n + 1, prices, prices + n + 1, prices + 2 * (n + 1), seen};
    for (size_t row = 1; row <= n; row++)
        assign_row(&a, x, y, row);
    for (size_t j = 1; j <= n; j++)
        sum += square_distance(x, a.row_of[j] - 1, y, j - 1);
    free(index);
    free(prices);
    free(seen);
    return sqrt(sum / (double)n);
}
