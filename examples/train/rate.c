/* --lr: the learning rate of every optimizer that runs. */
#include "examples/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/walk.h"

/* ---- A number --------------------------------------------------------------------- */

static int set(config *c, const ng_preset *method, double lr)
{
    char text[96];
    snprintf(text, sizeof text, "%s.lr=%.6g", method->name, lr);
    return methods_set(&c->methods, text);
}

int rate_set(config *c)
{
    double lr;
    if (c->lr == NULL || strcmp(c->lr, "auto") == 0)
        return 0;
    int status = arguments_number(&lr, c->lr, "lr", 0, 1e6);
    for (size_t i = 0; i < c->methods.count && status == 0; i++)
        status = set(c, c->methods.list[i], lr);
    return status;
}

/* ---- auto: a walk ------------------------------------------------------------------ */

typedef struct {
    const config *c;
    const source *s;
    const ng_preset *method;
} trials;

static int try(void *data, double lr, double *loss)
{
    trials *t = data;
    progress bar;
    run r = {.method = t->method, .seed = t->c->seeds.list[0], .quiet = 1};
    void *options = methods_options(&t->c->methods, t->method);
    if (options == NULL)
        return 1;
    ng_options_set(options, "lr", lr, NULL);
    progress_start(&bar, t->method->name,
                   (double)t->c->how.epochs * (double)ng_dataset_count(t->s->train), "samples");
    int status = run_train(&r, t->c, t->s, options, &bar);
    progress_end(&bar);
    const point *p = run_kept(&r);
    *loss = isfinite(p->loss) ? p->loss : (double)INFINITY;
    if (status == 0 && !program_interrupted())
        printf("%-12s %10.6g %12.4g %12.4g %10.4f %8.2f%s\n", t->method->name, lr, p->train_loss,
               *loss, p->score, p->seconds, r.failed ? "  diverged" : "");
    fflush(stdout);
    run_free(&r);
    free(options);
    return status;
}

static int search(config *c, const source *s, const ng_preset *method)
{
    trials t = {c, s, method};
    double lr;
    void *options = methods_options(&c->methods, method);
    int status = options == NULL || ng_options_get(options, "lr", &lr, NULL) != NG_OK;
    free(options);
    if (status == 0)
        status = walk_rates(&lr, method->name, try, &t);
    return status == 0 && !program_interrupted() ? set(c, method, lr) : status;
}

/* A word as a shell reads it. */
static void put_word(const char *word)
{
    if (word[0] != '\0' && word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                             "0123456789-_=:,./+@%")] == '\0') {
        printf(" %s", word);
        return;
    }
    printf(" '");
    for (; *word != '\0'; word++)
        printf(*word == '\'' ? "'\\''" : "%c", *word);
    printf("'");
}

/* The command line without --lr, with what was found in its place. */
static void say_command(const config *c, size_t found)
{
    printf("\nthe same with these rates:\n    %s", program_name);
    for (char **word = c->words + 1; *word != NULL; word++)
        if (strcmp(*word, "--lr") == 0 && word[1] != NULL)
            word++;
        else if (strncmp(*word, "--lr=", 5) != 0)
            put_word(*word);
    for (size_t i = found; i < c->methods.setting_count; i++) {
        const setting *s = &c->methods.settings[i];
        printf(" --set %s.%s=%s", s->method, s->option, s->value);
    }
    printf("\n");
}

int rate_search(config *c)
{
    source s;
    size_t found = c->methods.setting_count;
    if (c->lr == NULL || strcmp(c->lr, "auto") != 0)
        return 0;
    int status = crew_agree(source_open(&s, c, HOLD_VALIDATION));
    if (status != 0)
        return status;
    printf("%-12s %10s %12s %12s %10s %8s   (%zu epochs)\n", "optimizer", "lr", "train loss",
           "val. loss", s.score, "seconds", c->how.epochs);
    for (size_t i = 0; i < c->methods.count && status == 0 && !program_interrupted(); i++)
        status = search(c, &s, c->methods.list[i]);
    source_close(&s);
    if (status == 0 && !program_interrupted())
        say_command(c, found);
    return status;
}
