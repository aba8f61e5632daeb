#include "examples/support/reading.h"

#include <stdio.h>
#include <string.h>

#include "examples/support/arguments.h"

int reading_take(void *field, const char *text, const char *option)
{
    const char *equals = strchr(text, '=');
    ng_error error;
    char name[64];
    if (equals == NULL || (size_t)(equals - text) >= sizeof name)
        return arguments_usage("--%s=%s: expected NAME=X", option, text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    if (ng_dataset_options_set(field, name, equals + 1, &error) != NG_OK)
        return arguments_usage("--%s=%s: %s", option, text, error.text);
    return 0;
}

void reading_help_sources(void)
{
    const ng_dataset_kind *kind;
    char name[64];
    for (size_t i = 0; (kind = ng_dataset_kind_get(i)) != NULL; i++) {
        int optional = kind->what[0] == '[';
        snprintf(name, sizeof name, optional ? "%s[:%s" : "%s:%s", kind->name,
                 kind->what + optional);
        printf("  %-20s %s\n", name, kind->doc);
    }
}

void reading_help_options(void)
{
    const ng_dataset_option *option;
    for (size_t i = 0; (option = ng_dataset_option_get(i)) != NULL; i++) {
        printf("  %-12s %s", option->name, option->doc);
        for (int k = 0; option->choices != NULL && option->choices[k] != NULL; k++)
            printf("%s%s", k == 0 ? " (" : ", ", option->choices[k]);
        printf("%s\n", option->choices != NULL ? ")" : "");
    }
}
