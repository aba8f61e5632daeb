/* Between attach.c and shards.c. */
#ifndef NGI_EXCHANGE_SHARDS_H
#define NGI_EXCHANGE_SHARDS_H

#include "optim/front/front.h"

/* What this rank allocates, and then, a call of all ranks, the sums. Nothing without shards. */
ng_status ngi_shards_reserve(ng_optimizer *optimizer, const ng_exchange *exchange);
ng_status ngi_shards_open(ng_optimizer *optimizer, const ng_exchange *exchange);

#endif
