/* natgrad/status.h: how every call reports success or failure. */
#ifndef NATGRAD_STATUS_H
#define NATGRAD_STATUS_H

#if defined(__GNUC__)
#define NG_API __attribute__((visibility("default")))
#define NG_PRINTF(text, args) __attribute__((format(printf, text, args)))
#else
#define NG_API
#define NG_PRINTF(text, args)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* One list makes the enum, the names and the texts. */
#define NG_STATUS_LIST(X)                                                      \
    X(NG_STOPPED, 1, "a monitor asked to stop; the step is done")              \
    X(NG_OK, 0, "success")                                                     \
    X(NG_EARG, -1, "invalid argument")                                         \
    X(NG_ENOMEM, -2, "out of memory, or a workspace too small")                \
    X(NG_ESHAPE, -3, "shapes do not fit")                                      \
    X(NG_EDTYPE, -4, "data types are mixed or unknown")                        \
    X(NG_EOPTION, -5, "unknown option, or its value is out of range")          \
    X(NG_ENONFINITE, -6, "NaN or infinity")                                    \
    X(NG_ERANGE, -7, "a number too large for its data type")                   \
    X(NG_ESINGULAR, -8, "a matrix is not positive definite")                   \
    X(NG_ENOCONV, -9, "an iteration did not converge")                         \
    X(NG_EUNSUPPORTED, -10, "not supported by this object")                    \
    X(NG_ENODATA, -11, "needed data were never given")                         \
    X(NG_EINDEFINITE, -12, "a quadratic form that must be positive is not")    \
    X(NG_EIO, -13, "a file cannot be opened, read or written")                 \
    X(NG_EFORMAT, -14, "a file is truncated or malformed")                     \
    X(NG_EBOUNDARY, -15, "on the boundary: the likelihood has no maximum")

typedef enum {
#define NG_STATUS_ENUM(name, value, text) name = value,
    NG_STATUS_LIST(NG_STATUS_ENUM)
#undef NG_STATUS_ENUM
} ng_status;

/* What went wrong and where. Calls without a handle take one as their last
 * argument; NULL is allowed and drops the text. */
typedef struct {
    ng_status status;
    char text[256];
} ng_error;

/* "NG_ESHAPE" for NG_ESHAPE; "unknown" for anything else. Static strings. */
NG_API const char *ng_status_name(ng_status status);

/* One sentence about the status. Static string. */
NG_API const char *ng_status_text(ng_status status);

/* Fills error (may be NULL) and returns status, so that a function can end
 * with `return ng_error_set(error, NG_ESHAPE, "...", ...)`. Numbers as in the C
 * locale; long texts are cut at 255 characters. */
NG_API ng_status ng_error_set(ng_error *error, ng_status status, const char *format, ...)
    NG_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif
#endif
