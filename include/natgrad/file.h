/* natgrad/file.h: write a file whole or not at all.
 *
 *   ng_file *file;
 *   ng_file_create(&file, "curve.csv", &error);
 *   ng_file_print(file, &error, "%d,%.17g\n", step, loss);
 *   ng_file_commit(file, &error);          or ng_file_discard(file)
 *
 * What is written goes to a new file in the same folder, natgrad-tmp- and 16
 * hexadecimal digits, which commit has on the disk (fsync) and puts in the place of
 * PATH. After a crash at any moment PATH is the old file or the new one, and so it
 * is when two write it at once: the last to commit wins. Only a killed process
 * leaves its temporary file behind; it may be removed, and nobody stumbles over it.
 *
 *   - PATH's permission bits stay as they were; those of a new file are 0666 less
 *     the umask. The file belongs to the process that writes it.
 *   - A symbolic link stays one: the file it leads to is replaced (or begun).
 *   - Other hard links to the old file keep the old file: nothing is written
 *     through them.
 *   - Folders, devices, FIFOs, sockets and files without permission to write are
 *     refused.
 *
 * Errors, unless said otherwise: NG_EIO with the path and the system's reason,
 * NG_EARG, NG_ENOMEM. */
#ifndef NATGRAD_FILE_H
#define NATGRAD_FILE_H

#include <stddef.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_file ng_file;

/* Begins a file that is to be PATH; *file is NULL where that fails. */
NG_API ng_status ng_file_create(ng_file **file, const char *path, ng_error *error);

/* Adds bytes. After a failure nothing but commit, which will fail, and discard is of use, so that
 * a writer may ask commit alone. A file-size limit of the process (RLIMIT_FSIZE) is an error like
 * any other; no SIGXFSZ is raised. */
NG_API ng_status ng_file_write(ng_file *file, const void *bytes, size_t size, ng_error *error);

/* Adds text as printf makes it in the C locale: decimal points, whatever setlocale said. */
NG_API ng_status ng_file_print(ng_file *file, ng_error *error, const char *format, ...)
    NG_PRINTF(3, 4);

/* Puts the file in its place and frees the handle, whatever the outcome. On an error PATH is as
 * before and the temporary file removed; only if the last thing, the folder's fsync, is what
 * fails, PATH is the new file already (the text says "is written"). */
NG_API ng_status ng_file_commit(ng_file *file, ng_error *error);

/* Removes what was written and frees the handle. NULL is allowed. */
NG_API void ng_file_discard(ng_file *file);

#ifdef __cplusplus
}
#endif
#endif
