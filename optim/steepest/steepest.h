/* What steepest.c and steepest_options.c share. */
#ifndef NGI_STEEPEST_H
#define NGI_STEEPEST_H

#include "optim/steepest/ball.h"
#include "optim/steepest/metric.h"

/* Slots of ng_method. */
extern const ng_option ngi_steepest_table[];
int ngi_steepest_part(ngi_option_part *part, const void *options, size_t i);
ng_status ngi_steepest_check(const void *options, ng_error *error);

#endif
