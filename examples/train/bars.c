/* --uncertainty: error bars of the model that --save kept, beside it in its file. */
#include <math.h>

#include "examples/train/train.h"

static ng_status save(ng_laplace *bars, const ng_model *model, const ng_schema *schema,
                      const char *path, ng_error *error)
{
    ng_model_extra *extra;
    ng_status status = ng_model_extra_create(&extra, error);
    if (status == NG_OK)
        status = ng_laplace_add(bars, extra, error);
    if (status == NG_OK)
        status = ng_model_save(model, schema, path, extra, error);
    ng_model_extra_destroy(extra);
    return status;
}

static void say(const ng_laplace *bars)
{
    ng_laplace_info info = {.size = sizeof info};
    ng_laplace_get(bars, &info);
    printf("error bars (%s): prior precision %.4g, %.1f of %zu weights determined by %zu samples",
           ng_laplace_structure_name((size_t)info.structure), info.prior_precision, info.effective,
           info.parameters, info.samples);
    if (info.noise_variance != 1)
        printf(", noise %.4g of the scaled targets", sqrt(info.noise_variance));
    printf("\n");
    if (!info.converged)
        printf("note: weights and prior still move after %zu rounds\n", info.rounds);
}

static ng_status keep(const config *c, const source *s, ng_model *model, const ng_schema *schema,
                      ng_error *error)
{
    ng_laplace_options how;
    ng_laplace *bars;
    ng_laplace_init(&how);
    how.structure = (ng_laplace_structure)(c->bars - 1);
    ng_status status = ng_laplace_fit(&bars, model, s->train, &how, error);
    if (status == NG_OK)
        status = save(bars, model, schema, c->save, error);
    if (status == NG_OK)
        say(bars);
    ng_laplace_destroy(bars);
    return status;
}

int bars_keep(const config *c, const source *s)
{
    ng_model *model;
    ng_schema *schema;
    ng_error error;
    if (c->bars == 0 || program_interrupted())
        return 0;
    ng_status status = ng_model_load(&model, &schema, NULL, c->save, NULL, &error);
    if (status == NG_OK)
        status = keep(c, s, model, schema, &error);
    ng_model_destroy(model);
    ng_schema_destroy(schema);
    return status == NG_OK ? 0 : program_error("--uncertainty: %s", error.text);
}
