/* natgrad.h: everything libnatgrad offers. Link with -lnatgrad.
 *
 * Rules that hold everywhere:
 *   - Arguments come in the order: handle, outputs, in-outs, inputs, scalars,
 *     callback and its data, error.
 *   - Matrices are row-major views (ng_mat); views never own memory.
 *   - Every call that can fail returns an ng_status: 0 success, < 0 an error,
 *     > 0 the reason why something stopped. On an error outputs may be
 *     overwritten but inputs and optimizer state are unchanged.
 *   - Why: a call on an optimizer or one of its groups keeps the text in the
 *     optimizer (ng_optimizer_error); every other takes an ng_error * last,
 *     which may be NULL. Only calls whose every failure the status says in full
 *     (create of an optimizer, init of a struct) do without.
 *   - A struct of options or of a service begins with its size. ng_NOUN_init
 *     fills in the defaults; it passes the size the program was compiled with to
 *     ng_NOUN_init_sized, which returns NG_EOPTION for any but the library's own
 *     before it writes a byte (NG_EARG for NULL). Calls that take the struct
 *     check it again.
 *   - A choice is an enum; one function gives the names of its values.
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
#include <natgrad/sketch.h>
#include <natgrad/fisher.h>
#include <natgrad/residuals.h>
#include <natgrad/functional.h>
#include <natgrad/regime.h>
#include <natgrad/connection.h>
#include <natgrad/curvature.h>
#include <natgrad/esd.h>
#include <natgrad/esd_monitor.h>
#include <natgrad/options.h>
#include <natgrad/optimizer.h>
#include <natgrad/sgd.h>
#include <natgrad/adamw.h>
#include <natgrad/ivon.h>
#include <natgrad/steepest.h>
#include <natgrad/langevin.h>
#include <natgrad/natural.h>
#include <natgrad/residual.h>
#include <natgrad/regime_monitor.h>
#include <natgrad/schedule.h>
#include <natgrad/average.h>
#include <natgrad/policy.h>
#include <natgrad/checkpoint.h>
#include <natgrad/exchange.h>
#include <natgrad/recorder.h>

#endif
