/* natgrad/number.h for callers with a va_list of their own. */
#ifndef NGI_NUMBER_H
#define NGI_NUMBER_H

#include <stdarg.h>
#include <stddef.h>

/* vsnprintf in the C locale. */
int ngi_number_format(char *text, size_t size, const char *format, va_list values);

#endif
