/* What steepest.c and steepest_options.c share. */
#ifndef NGI_STEEPEST_H
#define NGI_STEEPEST_H

#include "optim/steepest/ball.h"
#include "optim/steepest/metric.h"

extern const ng_option ngi_steepest_table[];
ng_status ngi_steepest_check(const void *options, ng_error *error);

#endif
