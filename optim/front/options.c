/* Option tables: get, set, check, by name and as text. */
#include "optim/front/method.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <natgrad/number.h>

static const ng_method *const methods[] = {&ngi_method_sgd, &ngi_method_adamw,
                                           &ngi_method_steepest, &ngi_method_natural};

const char *ng_method_name(const ng_method *method)
{
    return method->name;
}

int ng_method_elementwise(const ng_method *method)
{
    return method->elementwise;
}

const ng_option *ng_method_options(const ng_method *method, size_t *count)
{
    size_t n = 0;
    while (method->options[n].name != NULL)
        n++;
    if (count != NULL)
        *count = n;
    return method->options;
}

int ngi_option_find(const ng_method *method, const char *name)
{
    for (int i = 0; method->options[i].name != NULL; i++)
        if (strcmp(method->options[i].name, name) == 0)
            return i;
    return -1;
}

/* The method of an options struct, or NULL with the error filled. */
static const ng_method *method_of(const void *options, ng_error *error)
{
    const ngi_options_head *head = options;
    if (head == NULL) {
        ng_error_set(error, NG_EARG, "options are NULL");
        return NULL;
    }
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (head->method == methods[i]) {
            if (head->size == methods[i]->options_size)
                return head->method;
            ng_error_set(error, NG_EOPTION, "options of %s have size %zu, expected %zu",
                         methods[i]->name, head->size, methods[i]->options_size);
            return NULL;
        }
    ng_error_set(error, NG_EOPTION,
                 "not an options struct of any method: was its init function called?");
    return NULL;
}

/* ---- One field ------------------------------------------------------------- */

static double load(const void *options, const ng_option *option)
{
    const char *field = (const char *)options + option->offset;
    double real;
    int integer;
    if (option->kind == NG_OPTION_REAL) {
        memcpy(&real, field, sizeof real);
        return real;
    }
    memcpy(&integer, field, sizeof integer);
    return integer;
}

static void store(void *options, const ng_option *option, double value)
{
    char *field = (char *)options + option->offset;
    int integer = option->kind == NG_OPTION_REAL ? 0 : (int)value;
    if (option->kind == NG_OPTION_REAL)
        memcpy(field, &value, sizeof value);
    else
        memcpy(field, &integer, sizeof integer);
}

static ng_status check_value(const ng_method *method, const ng_option *option, double value,
                             ng_error *error)
{
    int in_range = value >= option->min && value <= option->max;
    if (option->below && value >= option->max)
        in_range = 0;
    if (option->kind != NG_OPTION_REAL && value != floor(value))
        in_range = 0;
    if (in_range && isfinite(value))
        return NG_OK;
    return ng_error_set(error, NG_EOPTION, "%s: %s = %g is not in [%g, %g%c", method->name,
                        option->name, value, option->min, option->max, option->below ? ')' : ']');
}

static ng_status unknown(const ng_method *method, const char *name, ng_error *error)
{
    char known[160] = "";
    size_t used = 0;
    for (int i = 0; method->options[i].name != NULL; i++) {
        const char *next = method->options[i].name;
        if (used + strlen(next) + sizeof ", ..." > sizeof known) {
            snprintf(known + used, sizeof known - used, ", ...");
            break;
        }
        used +=
            (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", next);
    }
    return ng_error_set(error, NG_EOPTION, "%s has no option '%.40s'; it has %s", method->name,
                        name, known);
}

static const ng_option *find(const void *options, const char *name, const ng_method **method,
                             ng_error *error)
{
    *method = method_of(options, error);
    if (*method == NULL)
        return NULL;
    int index = name != NULL ? ngi_option_find(*method, name) : -1;
    if (index < 0) {
        unknown(*method, name != NULL ? name : "(NULL)", error);
        return NULL;
    }
    return &(*method)->options[index];
}

/* What find reported, for calls without an error argument to pass on. */
static ng_status find_status(const void *options)
{
    return options == NULL ? NG_EARG : NG_EOPTION;
}

/* ---- Public ---------------------------------------------------------------- */

ng_status ng_options_set(void *options, const char *name, double value, ng_error *error)
{
    const ng_method *method;
    const ng_option *option = find(options, name, &method, error);
    if (option == NULL)
        return find_status(options);
    ng_status status = check_value(method, option, value, error);
    if (status == NG_OK)
        store(options, option, value);
    return status;
}

ng_status ng_options_get(const void *options, const char *name, double *value, ng_error *error)
{
    const ng_method *method;
    const ng_option *option = find(options, name, &method, error);
    if (option == NULL)
        return find_status(options);
    *value = load(options, option);
    return NG_OK;
}

/* The number a text stands for: a choice or switch by name, else a number. */
static int parse(const ng_option *option, const char *text, double *value)
{
    static const char *const switches[] = {"no", "yes", NULL};
    const char *const *names = option->kind == NG_OPTION_SWITCH ? switches : option->choices;
    if (option->kind == NG_OPTION_SWITCH || option->kind == NG_OPTION_CHOICE)
        for (int i = 0; names[i] != NULL; i++)
            if (strcmp(names[i], text) == 0) {
                *value = i;
                return 1;
            }
    if (option->kind == NG_OPTION_CHOICE)
        return 0;
    size_t length = ng_number_read(value, text);
    return length > 0 && text[length] == '\0';
}

ng_status ng_options_set_text(void *options, const char *name, const char *text, ng_error *error)
{
    const ng_method *method;
    const ng_option *option = find(options, name, &method, error);
    double value;
    if (option == NULL)
        return find_status(options);
    if (text != NULL && parse(option, text, &value))
        return ng_options_set(options, name, value, error);
    char known[128] = "";
    for (int i = 0; option->kind == NG_OPTION_CHOICE && option->choices[i] != NULL; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "", option->choices[i]);
    }
    return ng_error_set(error, NG_EOPTION, "%s: %s = '%.40s' is not %s%s", method->name, name,
                        text != NULL ? text : "(NULL)",
                        option->kind == NG_OPTION_CHOICE ? "one of " : "a number", known);
}

ng_status ng_options_get_text(const void *options, const char *name, char *text, size_t size,
                              ng_error *error)
{
    const ng_method *method;
    const ng_option *option = find(options, name, &method, error);
    if (option == NULL)
        return find_status(options);
    double value = load(options, option);
    if (option->kind == NG_OPTION_CHOICE && value >= option->min && value <= option->max)
        snprintf(text, size, "%s", option->choices[(int)value]);
    else if (option->kind == NG_OPTION_SWITCH)
        snprintf(text, size, "%s", value != 0 ? "yes" : "no");
    else
        ng_number_write(text, size, value);
    return NG_OK;
}

ng_status ng_options_check(const void *options, ng_error *error)
{
    const ng_method *method = method_of(options, error);
    ng_status status = NG_OK;
    if (method == NULL)
        return find_status(options);
    for (int i = 0; method->options[i].name != NULL && status == NG_OK; i++)
        status =
            check_value(method, &method->options[i], load(options, &method->options[i]), error);
    if (status == NG_OK && method->check != NULL)
        status = method->check(options, error);
    return status;
}

void ngi_options_defaults(void *options, const ng_method *method)
{
    ngi_options_head *head = options;
    memset(options, 0, method->options_size);
    head->size = method->options_size;
    head->method = method;
    for (int i = 0; method->options[i].name != NULL; i++)
        store(options, &method->options[i], method->options[i].value);
}
