/* natgrad/version.h: which release this is. */
#ifndef NATGRAD_VERSION_H
#define NATGRAD_VERSION_H

#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0": the version of the library that is linked. Static string. */
NG_API const char *ng_version(void);

#ifdef __cplusplus
}
#endif
#endif
