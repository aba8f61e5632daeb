#include <natgrad/version.h>

/* NG_PACKAGE_VERSION comes from configure.ac by way of the Makefile. */
const char *ng_version(void)
{
    return NG_PACKAGE_VERSION;
}
