/* The table of who goes where (natgrad/policy.h). */
#include <natgrad/policy.h>

#include <stdio.h>
#include <string.h>

#include "optim/front/front.h"

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
                     ngi_biased(param) ? " +b" : "");
            put_row(&to, param->name, shape, ngi_dtype_name(ngi_own_weights(param).dtype), method,
                    param->frozen ? "frozen" : lr);
        }
    }
    return to.length;
}
