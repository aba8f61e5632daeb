/* natgrad.h: everything libnatgrad offers. Link with -lnatgrad.
 *
 * Rules that hold everywhere:
 *   - Arguments come in the order: handle, outputs, in-outs, inputs, scalars,
 *     callback and its data, error.
 *   - Matrices are row-major views (ng_mat); views never own memory.
 *   - Every call that can fail returns an ng_status: 0 success, < 0 an error,
 *     > 0 the reason why something stopped. On an error outputs may be
 *     overwritten but inputs and optimizer state are unchanged.
 *   - Nothing is printed and nothing aborts.
 */
#ifndef NATGRAD_H
#define NATGRAD_H

#include <natgrad/status.h>
#include <natgrad/mat.h>
#include <natgrad/file.h>
#include <natgrad/tensors.h>
#include <natgrad/number.h>
#include <natgrad/random.h>
#include <natgrad/version.h>
#include <natgrad/work.h>
#include <natgrad/linalg.h>
#include <natgrad/polar.h>
#include <natgrad/fisher.h>
#include <natgrad/functional.h>
#include <natgrad/regime.h>
#include <natgrad/curvature.h>
#include <natgrad/options.h>
#include <natgrad/optimizer.h>
#include <natgrad/sgd.h>
#include <natgrad/adamw.h>
#include <natgrad/steepest.h>
#include <natgrad/natural.h>
#include <natgrad/regime_monitor.h>
#include <natgrad/schedule.h>
#include <natgrad/average.h>
#include <natgrad/policy.h>
#include <natgrad/checkpoint.h>
#include <natgrad/recorder.h>

#endif
