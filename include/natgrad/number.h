/* natgrad/number.h: numbers as text, as in the C locale whatever setlocale says.
 *
 * The point is '.', and there are no separators of thousands. What libnatgrad
 * reads and writes (options, checkpoints, error texts, descriptions) goes
 * through these functions, which change nothing outside the calling thread
 * and leave its locale as it was. */
#ifndef NATGRAD_NUMBER_H
#define NATGRAD_NUMBER_H

#include <stddef.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NG_NUMBER_SIZE = 32 }; /* bytes: enough for ng_number_write */

/* *value <- the number text begins with, as strtod reads it, but without white
 * space before it. Returns how many characters it has; 0: there is none, and
 * *value is as it was. The caller looks at what follows, and whether *value is
 * finite: "inf", "nan" and "1e999" are numbers. */
NG_API size_t ng_number_read(double *value, const char *text);

/* text (size bytes) <- the shortest text of at least six digits' precision that
 * reads back as the same number. Cut as snprintf cuts; returns the length of
 * the whole text. */
NG_API size_t ng_number_write(char *text, size_t size, double value);

/* snprintf in the C locale. */
NG_API int ng_number_format(char *text, size_t size, const char *format, ...) NG_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
