#include "lib/train/data/generated.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/train/rng.h>

#include "lib/core/try.h"

enum { USUAL = 10000 };

static ng_status count_of(const ngi_opening *o, size_t *count)
{
    size_t digits = strspn(o->what, "0123456789");
    *count = USUAL;
    if (*o->what == '\0')
        return NG_OK;
    if (o->what[digits] != '\0' || digits > 20)
        return ng_error_set(o->error, NG_EARG, "%s:%.60s: expected a count of samples",
                            o->kind->shown.name, o->what);
    *count = (size_t)strtoull(o->what, NULL, 10);
    return NG_OK;
}

ng_status ngi_generate(ngi_opening *o,
                       ng_status (*draw)(ngi_opening *o, size_t count, const ng_random *random))
{
    size_t count;
    ng_random own;
    TRY(count_of(o, &count));
    if (o->random != NULL)
        return draw(o, count, o->random);
    TRY(ng_rng_create(&own, o->options->seed, o->error));
    ng_status status = draw(o, count, &own);
    ng_rng_destroy(&own);
    return status;
}

ng_status ngi_generated(ng_dataset **dataset, const ngi_kind *kind, size_t count,
                        const ng_dataset_options *options, const ng_random *random, ng_error *error)
{
    char text[32];
    if (dataset == NULL)
        return ng_error_set(error, NG_EARG, "dataset is NULL");
    *dataset = NULL;
    TRY(ngi_random_check(random, error));
    snprintf(text, sizeof text, "%zu", count);
    return ngi_open_default(dataset, kind, text, options, random, error);
}
