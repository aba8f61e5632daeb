/* Which group a parameter goes to, and the table that shows it. */
#include <natgrad/policy.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "optim/front/front.h"

static const char *const elementwise[] = {"*embed*", "*wte*", "*wpe*", "*head*",
                                          "*norm*",  "*ln_*", "*bias*"};

static int same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Goes back to the last '*' where what follows it does not fit. */
static int matches(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL;
    while (*name != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            resume = name;
        } else if (*pattern != '\0' && (*pattern == '?' || same(*pattern, *name))) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++resume;
        } else
            return 0;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

int ng_policy_elementwise(const char *name, ng_mat w)
{
    for (size_t i = 0; name != NULL && i < sizeof elementwise / sizeof elementwise[0]; i++)
        if (matches(elementwise[i], name))
            return 1;
    return w.rows <= 1 || w.cols <= 1;
}

void ng_policy_init(ng_policy *policy, ng_group *matrix, ng_group *rest)
{
    ng_policy defaults = {.size = sizeof defaults, .matrix = matrix, .rest = rest};
    *policy = defaults;
}

ng_status ng_policy_add(const ng_policy *policy, ng_group **group, size_t *index, const char *name,
                        ng_mat w, ng_mat dw)
{
    if (policy == NULL || policy->size != sizeof *policy || policy->matrix == NULL ||
        policy->rest == NULL)
        return NG_EARG;
    ng_error *error = &policy->matrix->optimizer->error;
    if (name == NULL)
        return ng_error_set(error, NG_EARG, "a parameter needs a name");
    ng_group *chosen = NULL;
    for (size_t i = 0; i < policy->rule_count && chosen == NULL; i++) {
        const ng_policy_rule *rule = &policy->rules[i];
        if (rule->pattern == NULL || rule->group == NULL)
            return ng_error_set(error, NG_EARG, "policy: rule %zu lacks a pattern or a group", i);
        if (matches(rule->pattern, name))
            chosen = rule->group;
    }
    if (chosen == NULL)
        chosen = ng_policy_elementwise(name, w) ? policy->rest : policy->matrix;
    ng_status status = ng_group_add(chosen, index, name, w, dw);
    if (status == NG_OK && group != NULL)
        *group = chosen;
    return status;
}

/* ---- The table --------------------------------------------------------------------------- */

typedef struct {
    char *text;
    size_t size, length;
} writer;

static void put(writer *to, const char *line)
{
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++)
        if (to->length + i + 1 < to->size)
            to->text[to->length + i] = line[i];
    to->length += length;
    if (to->size > 0)
        to->text[to->length < to->size ? to->length : to->size - 1] = '\0';
}

static void put_row(writer *to, const char *name, const char *shape, const char *dtype,
                    const char *method, const char *lr)
{
    char line[256];
    snprintf(line, sizeof line, "%-32.64s %14s %5s  %-28s %10s\n", name, shape, dtype, method, lr);
    put(to, line);
}

/* "adamw", "steepest fismo spectral" */
static void name_method(const ng_group *group, char *text, size_t size)
{
    char metric[32] = "", ball[32] = "";
    ng_options_get_text(group->options, "metric", metric, sizeof metric, NULL);
    ng_options_get_text(group->options, "ball", ball, sizeof ball, NULL);
    snprintf(text, size, "%s%s%s%s%s", group->method->name, metric[0] ? " " : "", metric,
             ball[0] ? " " : "", ball);
}

size_t ng_optimizer_describe(const ng_optimizer *optimizer, char *text, size_t size)
{
    writer to = {text, text != NULL ? size : 0, 0};
    put_row(&to, "parameter", "shape", "dtype", "method", "lr");
    for (size_t g = 0; optimizer != NULL && g < optimizer->group_count; g++) {
        const ng_group *group = optimizer->groups[g];
        char method[96], lr[32] = "";
        name_method(group, method, sizeof method);
        ng_options_get_text(group->options, "lr", lr, sizeof lr, NULL);
        for (size_t i = 0; i < group->count; i++) {
            const ngi_param *param = group->params[i];
            char shape[48];
            snprintf(shape, sizeof shape, "%zu x %zu%s", param->w.rows, param->w.cols,
                     param->bias.data != NULL ? " +b" : "");
            put_row(&to, param->name, shape, param->w.dtype == NG_F32 ? "f32" : "f64", method, lr);
        }
    }
    return to.length;
}
