/* The Euclidean metric: every slot is its default. */
#include "optim/steepest/metric.h"

const ngi_metric ngi_metric_identity = {.create = NULL};
