/* NorMuon's normalisation (natgrad/steepest.h): the direction's rows, one for each output, to equal
 * size by an average of their mean squares. */
#ifndef NGI_ROW_NORMALISATION_H
#define NGI_ROW_NORMALISATION_H

#include "optim/steepest/metric.h"

/* Its state, if asked for; the new state, and d normalised: NG_ERANGE. */
ng_status ngi_rows_create(ngi_param *param, const ng_steepest_options *o, ng_error *error);
ng_status ngi_rows_normalise(ng_mat d, ngi_param *param, const ng_steepest_options *o,
                             ng_error *error);

#endif
