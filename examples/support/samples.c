#include "examples/support/samples.h"

ng_status samples_hold_out(ng_dataset **first, ng_dataset **rest, ng_dataset *all, size_t part,
                           ng_error *error)
{
    size_t total = ng_dataset_count(all), out = total >= part ? total / part : 1;
    ng_status status = NG_OK;
    if (total < 2)
        status = ng_error_set(error, NG_ENODATA, "%s: %zu samples are too few to hold some out",
                              ng_dataset_name(all), total);
    if (status == NG_OK)
        status = ng_dataset_view(first, all, 0, total - out, error);
    if (status == NG_OK)
        status = ng_dataset_view(rest, all, total - out, out, error);
    ng_dataset_destroy(all);
    return status;
}
