/* Option tables: get, set, check, by name and as text. */
#include "optim/front/method.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/number.h>
#include <natgrad/version.h>

#include "lib/core/try.h"

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

/* The struct is one of the library's. */
static ng_status check_head(const void *options, ng_error *error)
{
    const ngi_options_head *head = options;
    const ng_method *method;
    if (head == NULL)
        return ng_error_set(error, NG_EARG, "options are NULL");
    for (size_t i = 0; (method = ngi_method_get(i)) != NULL; i++)
        if (head->method == method) {
            if (head->size == method->options_size)
                return NG_OK;
            return ng_error_set(error, NG_EOPTION,
                                "options of %s have size %zu, libnatgrad %s expects %zu: "
                                "compiled with other headers?",
                                method->name, head->size, ng_version(), method->options_size);
        }
    return ng_error_set(error, NG_EOPTION,
                        "not an options struct of any method of libnatgrad %s: was its init "
                        "function called, and did it succeed?",
                        ng_version());
}

static const ng_method *method_of(const void *options)
{
    return ((const ngi_options_head *)options)->method;
}

/* ---- The options in force -------------------------------------------------------- */

/* The table of part i, i = 0 the method's, i > 0 its parts in force; NULL beyond. */
static const ng_option *active_table(const void *options, size_t i)
{
    const ng_method *method = method_of(options);
    ngi_option_part part;
    if (i == 0)
        return method->options;
    for (size_t k = 0; method->part != NULL && method->part(&part, options, k); k++)
        if (part.active && --i == 0)
            return part.options;
    return NULL;
}

const ng_option *ng_options_at(const void *options, size_t i)
{
    const ng_option *table;
    if (check_head(options, NULL) != NG_OK)
        return NULL;
    for (size_t k = 0; (table = active_table(options, k)) != NULL; k++)
        for (const ng_option *o = table; o->name != NULL; o++)
            if (i-- == 0)
                return o;
    return NULL;
}

size_t ng_options_count(const void *options)
{
    size_t count = 0;
    while (ng_options_at(options, count) != NULL)
        count++;
    return count;
}

static const ng_option *find_row(const ng_option *table, const char *name)
{
    for (const ng_option *o = table; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

const ng_option *ngi_option_find(const void *options, const char *name)
{
    const ng_option *table, *found = NULL;
    for (size_t i = 0; found == NULL && (table = active_table(options, i)) != NULL; i++)
        found = find_row(table, name);
    return found;
}

/* ---- One field ------------------------------------------------------------------- */

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

static ng_status check_value(const void *options, const ng_option *option, double value,
                             ng_error *error)
{
    int in_range = value >= option->min && value <= option->max;
    if (option->below && value >= option->max)
        in_range = 0;
    if (option->kind != NG_OPTION_REAL && value != floor(value))
        in_range = 0;
    if (in_range && isfinite(value))
        return NG_OK;
    return ng_error_set(error, NG_EOPTION, "%s: %s = %g is not in [%g, %g%c",
                        method_of(options)->name, option->name, value, option->min, option->max,
                        option->below ? ')' : ']');
}

/* ---- Names ----------------------------------------------------------------------- */

/* A list in words, cut with "..." where it has no room. */
typedef struct {
    char text[180];
    size_t used;
    int full;
} word_list;

static void add_word(word_list *list, const char *before, const char *word)
{
    if (list->full)
        return;
    list->full = list->used + strlen(before) + strlen(word) + sizeof ", ..." > sizeof list->text;
    list->used += (size_t)ng_number_format(list->text + list->used, sizeof list->text - list->used,
                                           list->full ? ", ..." : "%s%s", before, word);
}

/* Whose the name is, where it is that of a part not in force: 1 if there is any. */
static int add_owners(word_list *list, const void *options, const char *name)
{
    const ng_method *method = method_of(options);
    ngi_option_part part;
    const char *kind = "";
    int found = 0;
    for (size_t i = 0; method->part != NULL && method->part(&part, options, i); i++) {
        if (find_row(part.options, name) == NULL)
            continue;
        if (strcmp(kind, part.kind) != 0) {
            add_word(list, found ? " and the " : "the ", part.kind);
            kind = part.kind;
            add_word(list, " ", part.name);
        } else {
            add_word(list, ", ", part.name);
        }
        found = 1;
    }
    return found;
}

/* "steepest (metric identity, ball spectral)" */
static void add_method(word_list *list, const void *options)
{
    const ng_method *method = method_of(options);
    ngi_option_part part;
    const char *before = " (";
    add_word(list, "", method->name);
    for (size_t i = 0; method->part != NULL && method->part(&part, options, i); i++)
        if (part.active) {
            add_word(list, before, part.kind);
            add_word(list, " ", part.name);
            before = ", ";
        }
    add_word(list, before[0] == ',' ? ")" : "", "");
}

static ng_status unknown(const void *options, const char *name, ng_error *error)
{
    word_list whose = {.used = 0}, owners = {.used = 0}, known = {.used = 0};
    add_method(&whose, options);
    if (add_owners(&owners, options, name))
        return ng_error_set(error, NG_EOPTION, "%s has no option '%.40s'; %s has it", whose.text,
                            name, owners.text);
    for (size_t i = 0, n = ng_options_count(options); i < n; i++)
        add_word(&known, i > 0 ? ", " : "", ng_options_at(options, i)->name);
    return ng_error_set(error, NG_EOPTION, "%s has no option '%.40s'; it has %s", whose.text, name,
                        known.text);
}

static ng_status find(const ng_option **option, const void *options, const char *name,
                      ng_error *error)
{
    TRY(check_head(options, error));
    *option = name != NULL ? ngi_option_find(options, name) : NULL;
    return *option != NULL ? NG_OK : unknown(options, name != NULL ? name : "(NULL)", error);
}

/* ---- Public ---------------------------------------------------------------------- */

ng_status ng_options_set(void *options, const char *name, double value, ng_error *error)
{
    const ng_option *option;
    TRY(find(&option, options, name, error));
    TRY(check_value(options, option, value, error));
    store(options, option, value);
    return NG_OK;
}

ng_status ng_options_get(const void *options, const char *name, double *value, ng_error *error)
{
    const ng_option *option;
    TRY(find(&option, options, name, error));
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
    const ng_option *option;
    word_list known = {.used = 0};
    double value;
    TRY(find(&option, options, name, error));
    if (text != NULL && parse(option, text, &value))
        return ng_options_set(options, name, value, error);
    for (int i = 0; option->kind == NG_OPTION_CHOICE && option->choices[i] != NULL; i++)
        add_word(&known, i > 0 ? ", " : "", option->choices[i]);
    return ng_error_set(error, NG_EOPTION, "%s: %s = '%.40s' is not %s%s", method_of(options)->name,
                        name, text != NULL ? text : "(NULL)",
                        option->kind == NG_OPTION_CHOICE ? "one of " : "a number", known.text);
}

ng_status ng_options_get_text(const void *options, const char *name, char *text, size_t size,
                              ng_error *error)
{
    const ng_option *option;
    TRY(find(&option, options, name, error));
    double value = load(options, option);
    if (option->kind == NG_OPTION_CHOICE && value >= option->min && value <= option->max)
        ng_number_format(text, size, "%s", option->choices[(int)value]);
    else if (option->kind == NG_OPTION_SWITCH)
        ng_number_format(text, size, "%s", value != 0 ? "yes" : "no");
    else
        ng_number_write(text, size, value);
    return NG_OK;
}

ng_status ng_options_check(const void *options, ng_error *error)
{
    const ng_option *table;
    TRY(check_head(options, error));
    for (size_t i = 0; (table = active_table(options, i)) != NULL; i++)
        for (const ng_option *o = table; o->name != NULL; o++)
            TRY(check_value(options, o, load(options, o), error));
    const ng_method *method = method_of(options);
    return method->check != NULL ? method->check(options, error) : NG_OK;
}

/* ---- New options ----------------------------------------------------------------- */

static void store_defaults(void *options, const ng_option *table)
{
    for (const ng_option *o = table; o->name != NULL; o++)
        store(options, o, o->value);
}

ng_status ngi_method_defaults(void *options, size_t size, const ng_method *method)
{
    ngi_options_head *head = options;
    ngi_option_part part;
    if (options == NULL)
        return NG_EARG;
    if (size != method->options_size)
        return NG_EOPTION;
    memset(options, 0, size);
    head->size = size;
    head->method = method;
    store_defaults(options, method->options);
    for (size_t i = 0; method->part != NULL && method->part(&part, options, i); i++)
        store_defaults(options, part.options);
    return NG_OK;
}

ng_status ng_options_new(void **options, const char *name, ng_error *error)
{
    const ng_preset *preset = ng_preset_find(name);
    word_list known = {.used = 0};
    if (options == NULL)
        return ng_error_set(error, NG_EARG, "nowhere to put new options");
    *options = NULL;
    for (size_t i = 0; preset == NULL && i < ng_preset_count(); i++)
        add_word(&known, i > 0 ? ", " : "", ng_preset_get(i)->name);
    if (preset == NULL)
        return ng_error_set(error, NG_EOPTION, "there is no preset '%.40s'; there are %s",
                            name != NULL ? name : "(NULL)", known.text);
    void *made = malloc(preset->size);
    if (made == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for options of %s", name);
    *options = made;
    return preset->init(made, preset->size);
}

void ng_options_free(void *options)
{
    free(options);
}
