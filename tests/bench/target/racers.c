/* Who runs: presets, perhaps with settings of their own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/try.h"
#include "tests/bench/target/target.h"

double racer_rate(const racer *of, int i)
{
    return of->lr * pow(2, i - DEFAULT_RATE);
}

const ng_preset *racer_preset(const char *text)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, " "), text);
    return ng_preset_find(name);
}

ng_status racers_add(field *all, const char *name, const char *preset, const char *settings,
                     ng_error *error)
{
    racer it = {name, ng_preset_find(preset), settings, 0};
    void *options;
    if (all->count == RACERS)
        return ng_error_set(error, NG_EOPTION, "%s: more than %d methods", name, RACERS);
    if (it.preset == NULL)
        return ng_error_set(error, NG_EOPTION, "%s: no preset", preset);
    TRY(race_options(&options, &it, error));
    ng_status status = ng_options_get(options, "lr", &it.lr, error);
    ng_options_free(options);
    if (status == NG_OK)
        all->racer[all->count++] = it;
    return status;
}

ng_status racers_add_text(field *all, const char *text, ng_error *error)
{
    const ng_preset *preset = racer_preset(text);
    return racers_add(all, text, preset == NULL ? text : preset->name, text + strcspn(text, " "),
                      error);
}
