/* Numbers as text, in the C locale (natgrad/number.h). glibc and musl have that
 * locale ready: newlocale allocates nothing and freelocale frees nothing. */
#define _POSIX_C_SOURCE 200809L
#include "lib/core/number.h"

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include <natgrad/number.h>

/* The thread's locale meanwhile is C. */
typedef struct {
    locale_t c, before;
} number_locale;

static number_locale enter(void)
{
    number_locale l = {.c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    l.before = uselocale(l.c);
    return l;
}

static void leave(number_locale l)
{
    uselocale(l.before);
    if (l.c != (locale_t)0)
        freelocale(l.c);
}

size_t ng_number_read(double *value, const char *text)
{
    char *end;
    if (isspace((unsigned char)text[0]))
        return 0;
    number_locale l = enter();
    double x = strtod(text, &end);
    leave(l);
    if (end != text)
        *value = x;
    return (size_t)(end - text);
}

int ngi_number_format(char *text, size_t size, const char *format, va_list values)
{
    number_locale l = enter();
    int length = vsnprintf(text, size, format, values);
    leave(l);
    return length;
}

int ng_number_format(char *text, size_t size, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int length = ngi_number_format(text, size, format, values);
    va_end(values);
    return length;
}

size_t ng_number_write(char *text, size_t size, double value)
{
    int length = 0;
    number_locale l = enter();
    for (int digits = 6; digits <= 17; digits++) {
        char full[NG_NUMBER_SIZE];
        length = snprintf(full, sizeof full, "%.*g", digits, value);
        if (digits == 17 || strtod(full, NULL) == value) {
            snprintf(text, size, "%s", full);
            break;
        }
    }
    leave(l);
    return (size_t)length;
}
