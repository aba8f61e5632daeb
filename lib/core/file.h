/* Errors of the system about files, for readers and writers alike. */
#ifndef NGI_FILE_H
#define NGI_FILE_H

#include <natgrad/file.h>

/* NG_EIO: "cannot WHAT PATH: " and the words of that errno, in English. */
ng_status ngi_io_error(ng_error *error, const char *what, const char *path, int number);

#endif
