/* Without jansson. */
#include <natgrad/checkpoint.h>

#include "optim/front/front.h"

static ng_status refuse(ng_optimizer *optimizer)
{
    return optimizer == NULL ? NG_EARG
                             : ng_error_set(&optimizer->error, NG_EUNSUPPORTED,
                                            "this library was built without jansson, which "
                                            "checkpoints need");
}

ng_status ng_optimizer_save(ng_optimizer *optimizer, const char *path,
                            const ng_checkpoint_options *options)
{
    (void)path, (void)options;
    return refuse(optimizer);
}

ng_status ng_optimizer_load(ng_optimizer *optimizer, const char *path,
                            const ng_checkpoint_options *options)
{
    (void)path, (void)options;
    return refuse(optimizer);
}
