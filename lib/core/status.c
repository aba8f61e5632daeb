/* Names and texts of the statuses; filling an ng_error. */
#include <natgrad/status.h>

#include <stdarg.h>

#include "lib/core/number.h"

const char *ng_status_name(ng_status status)
{
    switch (status) {
#define STATUS_NAME(name, value, text) \
    case name:                         \
        return #name;
        NG_STATUS_LIST(STATUS_NAME)
    }
    return "unknown";
}

const char *ng_status_text(ng_status status)
{
    switch (status) {
#define STATUS_TEXT(name, value, text) \
    case name:                         \
        return text;
        NG_STATUS_LIST(STATUS_TEXT)
    }
    return "unknown status";
}

ng_status ng_error_set(ng_error *error, ng_status status, const char *format, ...)
{
    if (error != NULL) {
        va_list args;
        va_start(args, format);
        error->status = status;
        ngi_number_format(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return status;
}
