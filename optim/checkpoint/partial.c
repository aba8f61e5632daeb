/* Which parameters of an optimizer a file of another model can restore (natgrad/checkpoint.h,
 * partial): those of the same name, about which both say the same. */
#include "optim/checkpoint/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/memory.h"
#include "lib/core/try.h"
#include "lib/tensors/header.h"

void ngi_partial_free(ngi_partial *p)
{
    free(p->there);
    free(p->here);
    memset(p, 0, sizeof *p);
}

/* ---- The file ------------------------------------------------------------------------------- */

static const char *text_of(const ng_tensors *file, size_t g, size_t i, const char *what)
{
    char key[96];
    snprintf(key, sizeof key, "group.%zu.parameter.%zu.%s", g, i, what);
    return ng_tensors_text(file, key);
}

static const char *group_text(const ng_tensors *file, size_t g, const char *what)
{
    char key[96];
    snprintf(key, sizeof key, "group.%zu.%.63s", g, what);
    return ng_tensors_text(file, key);
}

/* Its parameters, and how many counts it should have. */
static ng_status list_there(ngi_partial *p, const ng_tensors *file, ng_error *error)
{
    const char *name;
    p->counts = 2;
    for (size_t g = 0; group_text(file, g, "method") != NULL; g++) {
        p->counts += 2;
        for (size_t i = 0; (name = text_of(file, g, i, "name")) != NULL; i++, p->counts += 2) {
            ngi_there one = {name, g, i, p->counts, 0};
            TRY(ngi_array_grow(&p->there, &p->capacity, p->there_count, sizeof one, error));
            p->there[p->there_count++] = one;
        }
    }
    return NG_OK;
}

/* ---- Comparing ------------------------------------------------------------------------------ */

static int same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Method and options that cannot change; what differs, or NULL. */
static const char *compare_group(const ng_group *group, const ng_tensors *file, size_t g)
{
    char key[96], text[64];
    const ng_option *o;
    if (!same(group_text(file, g, "method"), group->method->name))
        return "method";
    for (size_t i = 0; (o = ng_options_at(group->options, i)) != NULL; i++) {
        snprintf(key, sizeof key, "option.%.50s", o->name);
        if (o->fixed &&
            (ng_options_get_text(group->options, o->name, text, sizeof text, NULL) != NG_OK ||
             !same(group_text(file, g, key), text)))
            return o->name;
    }
    return NULL;
}

/* The fact about parameter i of group g here. */
static const char *fact_of(const ngi_facts *facts, size_t g, size_t i, const char *what)
{
    char key[96];
    snprintf(key, sizeof key, "group.%zu.parameter.%zu.%s", g, i, what);
    for (size_t k = 0; k < facts->count; k++)
        if (strcmp(facts->items[k].key, key) == 0)
            return facts->items[k].text;
    return NULL;
}

static const char *compare_facts(const ngi_facts *facts, const ng_tensors *file, size_t g, size_t i,
                                 const ngi_there *t)
{
    static const char *const facts_of[] = {"shape", "dtype", "layout", "bias", "inputs"};
    for (size_t k = 0; k < sizeof facts_of / sizeof *facts_of; k++)
        if (!same(fact_of(facts, g, i, facts_of[k]),
                  text_of(file, t->group, t->index, facts_of[k])))
            return facts_of[k];
    return NULL;
}

/* Is the parameter that keeps these inputs among the first `count` that were looked at, and taken?
 */
static int led(const ngi_partial *p, const ngi_param *param, size_t count)
{
    for (size_t k = 0; k < count; k++)
        if (p->here[k].param == param->leader)
            return p->here[k].there != NULL;
    return param->leader == NULL;
}

static void look(ngi_partial *p, ngi_here *here, const ngi_facts *facts, const ng_tensors *file,
                 const ng_group *group, size_t g, size_t i)
{
    ngi_there *found = NULL;
    here->param = group->params[i];
    here->why = "is not in the file";
    for (size_t k = 0; k < p->there_count && found == NULL; k++)
        if (strcmp(p->there[k].name, here->param->name) == 0)
            found = &p->there[k];
    if (found == NULL)
        return;
    found->known = 1;
    const char *differs = compare_group(group, file, found->group);
    if (differs == NULL)
        differs = compare_facts(facts, file, g, i, found);
    if (differs == NULL && !led(p, here->param, (size_t)(here - p->here)))
        differs = "inputs";
    here->why = differs;
    here->there = differs == NULL ? found : NULL;
}

ng_status ngi_partial_match(ngi_partial *p, ng_optimizer *optimizer, const ngi_facts *facts,
                            const ng_tensors *file)
{
    ng_error *error = &optimizer->error;
    size_t k = 0, taken = 0;
    TRY(list_there(p, file, error));
    TRY(ngi_array_create(&p->here, optimizer->param_count, sizeof *p->here, "parameters", error));
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++, k++) {
            look(p, &p->here[k], facts, file, optimizer->groups[g], g, i);
            taken += p->here[k].there != NULL;
        }
    p->here_count = k;
    return taken > 0
               ? NG_OK
               : ng_error_set(error, NG_ENODATA, "no parameter of the checkpoint is one of these");
}

/* ---- Counts --------------------------------------------------------------------------------- */

ng_status ngi_partial_counts(double *mine, const ngi_partial *p, ng_optimizer *optimizer,
                             const double *theirs, size_t size)
{
    ng_error *error = &optimizer->error;
    size_t at = 2, k = 0;
    if (size != p->counts)
        return ng_error_set(error, NG_EFORMAT, "checkpoint: %zu counts, its parameters have %zu",
                            size, p->counts);
    if (theirs[1] > 0)
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "in part, a checkpoint with sums of gradients is not loaded");
    mine[0] = theirs[0];
    mine[1] = 0;
    for (size_t g = 0; g < optimizer->group_count; g++, at += 2) {
        size_t head = at;
        for (size_t i = 0; i < optimizer->groups[g]->count; i++, k++, at += 2) {
            const ngi_there *t = p->here[k].there;
            if (t == NULL)
                continue;
            if (theirs[t->count + 1] > 0)
                return ng_error_set(error, NG_EUNSUPPORTED,
                                    "'%.60s': in part, a checkpoint with captures is not loaded",
                                    t->name);
            mine[at + 2] = theirs[t->count];
            mine[at + 3] = mine[head] = mine[head + 1] = 0;
        }
    }
    return NG_OK;
}

/* ---- Telling -------------------------------------------------------------------------------- */

void ngi_partial_report(const ngi_partial *p, ng_message report, void *data)
{
    ng_error line;
    for (size_t k = 0; report != NULL && k < p->here_count; k++) {
        const ngi_here *h = &p->here[k];
        const char *how = h->there != NULL                            ? "taken"
                          : strcmp(h->why, "is not in the file") == 0 ? "left: it "
                                                                      : "left: another ";
        ng_error_set(&line, NG_OK, "'%s' %s%s", ngi_label_of(h->param->name).text, how,
                     h->there != NULL ? "" : h->why);
        report(line.text, data);
    }
    for (size_t k = 0; report != NULL && k < p->there_count; k++)
        if (!p->there[k].known) {
            ng_error_set(&line, NG_OK, "'%s' is in the file alone",
                         ngi_label_of(p->there[k].name).text);
            report(line.text, data);
        }
}
