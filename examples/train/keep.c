/* --save: the model, with where its training is, in one file. */
#include "examples/train/train.h"

#include <math.h>
#include <natgrad/file.h>

static int save(keeper *k, ng_trainer *trainer, const source *s)
{
    return ng_trainer_save(trainer, k->path, ng_dataset_schema(s->train)) == NG_OK
               ? 0
               : program_error("--save: %s", ng_trainer_error(trainer));
}

int keep_open(keeper *k, const config *c)
{
    ng_file *file;
    ng_error error;
    *k = (keeper){
        .path = c->save, .several = c->methods.count * c->seeds.count > 1, .lowest = INFINITY};
    if (c->save == NULL || program_hushed())
        return 0;
    /* that it cannot be written is said before the work, not after */
    if (ng_file_create(&file, c->save, &error) != NG_OK)
        return program_error("--save: %s", error.text);
    ng_file_discard(file);
    return 0;
}

int keep_epoch(keeper *k, ng_trainer *trainer, const source *s)
{
    return k->several ? 0 : save(k, trainer, s);
}

int keep_run(keeper *k, ng_trainer *trainer, const source *s, const run *r)
{
    double loss = run_kept(r)->loss;
    if (k->several && !(loss < k->lowest))
        return 0;
    k->lowest = loss;
    snprintf(k->kept, sizeof k->kept, "%s, seed %lu", r->method->name, r->seed);
    return save(k, trainer, s);
}
