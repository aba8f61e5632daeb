#include "examples/support/samples.h"

ng_status samples_hold_out(ng_dataset **first, ng_dataset **rest, ng_dataset *all, size_t part,
                           ng_error *error)
{
    ng_dataset_options options;
    ng_dataset_init(&options);
    options.split = NG_SPLIT_ORDER;
    options.train = 1 - 1 / (double)part;
    ng_status status = ng_dataset_split(first, rest, all, &options, error);
    ng_dataset_destroy(all);
    return status;
}
