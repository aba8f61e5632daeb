/* IDX files, for those that consist of them. */
#ifndef NGI_TRAIN_IDX_H
#define NGI_TRAIN_IDX_H

#include "lib/train/data/dataset.h"

/* Images and labels of unsigned bytes behind those the store has; the same features. */
ng_status ngi_idx_append(ngi_opening *o, const char *images, const char *labels);

/* Classes 0 ... the largest label, or as the model has them; then the set is complete. */
ng_status ngi_idx_finish(ngi_opening *o);

#endif
