/* natgrad-train.h: everything libnatgrad-train offers, and natgrad.h with it.
 * Link with -lnatgrad-train -lnatgrad: BSD-3-Clause as libnatgrad, needs zlib and
 * no GSL. The rules of natgrad.h hold here too. */
#ifndef NATGRAD_TRAIN_H
#define NATGRAD_TRAIN_H

#include <natgrad.h>
#include <natgrad/train/rng.h>
#include <natgrad/train/schema.h>
#include <natgrad/train/data_options.h>
#include <natgrad/train/data.h>
#include <natgrad/train/likelihood.h>
#include <natgrad/train/model.h>
#include <natgrad/train/mlp.h>
#include <natgrad/train/cnn.h>
#include <natgrad/train/gpt.h>
#include <natgrad/train/smooth.h>
#include <natgrad/train/trainer.h>
#include <natgrad/train/model_file.h>
#include <natgrad/train/predict.h>
#include <natgrad/train/laplace.h>

#endif
