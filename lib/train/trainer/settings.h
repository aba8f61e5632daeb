/* What settings.c, save.c and load.c know of each other. */
#ifndef NGI_TRAIN_SETTINGS_H
#define NGI_TRAIN_SETTINGS_H

#include <natgrad/train/model_file.h>

#include "lib/train/trainer/trainer.h"

/* *text <- the settings in lines; the caller frees it. NG_ENOMEM. */
ng_status ngi_settings_create(char **text, const ng_trainer *t, ng_error *error);

/* NG_EOPTION names the first line that differs. */
ng_status ngi_settings_agree(const char *here, const char *there, ng_error *error);

/* The tensors and texts of a training in a model file. */
#define NGI_SETTINGS_KEY "trainer/settings"
#define NGI_TRAINER "trainer/"
#define NGI_OPTIMIZER "optimizer/"
enum { NGI_POSITION = 12, NGI_POINT = 5, NGI_NAME = 128 };

/* position[] <- the numbers of at and of the average, and back. */
void ngi_position_pack(double position[NGI_POSITION], const ng_trainer *t);

/* "optimizer/fc1.weight/momentum" */
void ngi_state_name(char name[NGI_NAME], const char *parameter, const char *slot);

#endif
