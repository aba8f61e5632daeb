/* Several options at once, as text, and what is right where one is wrong. */
#include "optim/front/front.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/number.h>

#include "lib/core/try.h"

enum { WORD = 128 }; /* room for a name, or for a value */
static const char between[] = " \t\r\n,";

/* ---- A text that is cut where its room ends ------------------------------------------------ */

typedef struct {
    char *text;
    size_t size, used;
} writer;

static void put(writer *to, const char *words)
{
    for (; *words != '\0' && to->used + 1 < to->size; words++)
        to->text[to->used++] = *words;
    if (to->size > 0)
        to->text[to->used] = '\0';
}

/* ---- What an option may be ------------------------------------------------------------------- */

static void put_bound(writer *to, double bound)
{
    char number[NG_NUMBER_SIZE];
    ng_number_write(number, sizeof number, bound);
    put(to, bound >= DBL_MAX ? "any" : number);
}

/* "  momentum = 0 ... 1 (less than it): decay of the averaged gradient" */
static void put_option(writer *to, const ng_option *option)
{
    put(to, "  ");
    put(to, option->name);
    put(to, " = ");
    if (option->kind == NG_OPTION_SWITCH)
        put(to, "no, yes");
    for (int i = 0; option->kind == NG_OPTION_CHOICE && option->choices[i] != NULL; i++) {
        put(to, i > 0 ? ", " : "");
        put(to, option->choices[i]);
    }
    if (option->kind == NG_OPTION_REAL || option->kind == NG_OPTION_INTEGER) {
        put_bound(to, option->min);
        put(to, " ... ");
        put_bound(to, option->max);
        put(to, option->below ? " (less than it)" : "");
    }
    put(to, ": ");
    put(to, option->doc);
    put(to, "\n");
}

/* The error's text, then the option of that name, or all there are. */
static void explain(writer *to, const void *options, const char *name, const ng_error *error)
{
    const ng_option *option = ngi_option_find(options, name);
    put(to, error->text);
    put(to, option != NULL ? "\nright is\n" : "\nright are\n");
    if (option != NULL)
        put_option(to, option);
    for (size_t i = 0; option == NULL && ng_options_at(options, i) != NULL; i++)
        put_option(to, ng_options_at(options, i));
}

/* ---- Settings -------------------------------------------------------------------------------- */

/* The next "name=value" of *settings into two words; 0: there is none. */
static ng_status next(int *found, char *name, char *value, const char **settings, ng_error *error)
{
    const char *start = *settings + strspn(*settings, between);
    size_t length = strcspn(start, between), left = strcspn(start, "=");
    *found = length > 0;
    *settings = start + length;
    name[0] = value[0] = '\0';
    if (length == 0)
        return NG_OK;
    if (left >= length)
        return ng_error_set(error, NG_EOPTION, "'%.*s' is not of the form name=value",
                            (int)(length < 60 ? length : 60), start);
    if (left >= WORD || length - left > WORD)
        return ng_error_set(error, NG_EOPTION, "'%.60s...' is too long for an option", start);
    memcpy(name, start, left);
    name[left] = '\0';
    memcpy(value, start + left + 1, length - left - 1);
    value[length - left - 1] = '\0';
    return NG_OK;
}

/* name: of the option, as far as it was read */
static ng_status set_next(int *found, char *name, void *options, const char **settings,
                          ng_error *error)
{
    char value[WORD + 1];
    TRY(next(found, name, value, settings, error));
    return *found ? ng_options_set_text(options, name, value, error) : NG_OK;
}

static ng_status set_each(void *options, const char *settings, writer *to, ng_error *error)
{
    char name[WORD + 1];
    for (int found = 1; found;) {
        ng_status failed = set_next(&found, name, options, &settings, error);
        if (failed == NG_OK)
            continue;
        explain(to, options, name, error);
        return failed;
    }
    ng_status status = ng_options_check(options, error); /* what does not go together */
    put(to, status != NG_OK ? error->text : "");
    return status;
}

ng_status ng_options_set_all(void *options, const char *settings, char *problem, size_t size,
                             ng_error *error)
{
    writer to = {problem, problem != NULL ? size : 0, 0};
    ng_error own = {NG_OK, ""}, *told = error != NULL ? error : &own;
    put(&to, "");
    TRY(ng_options_check(options, told));
    if (settings == NULL)
        return ng_error_set(told, NG_EARG, "no settings");
    size_t bytes = ((const ngi_options_head *)options)->size;
    void *copy = malloc(bytes);
    if (copy == NULL)
        return ng_error_set(told, NG_ENOMEM, "no memory for options");
    memcpy(copy, options, bytes);
    ng_status status = set_each(copy, settings, &to, told);
    if (status == NG_OK)
        memcpy(options, copy, bytes);
    free(copy);
    return status;
}
