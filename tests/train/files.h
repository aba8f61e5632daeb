/* Files of the tests' own making, in a folder that goes away with them. */
#ifndef NG_TEST_FILES_H
#define NG_TEST_FILES_H

#include <stddef.h>

/* A checked fixture pair: makes the folder; removes it and what is in it. */
void files_setup(void);
void files_teardown(void);

/* The path of a file in the folder; a few results stay valid at a time. */
const char *files_path(const char *name);

/* Writes a file and returns its path; gz: through zlib. */
const char *files_write(const char *name, const void *bytes, size_t size);
const char *files_write_gz(const char *name, const void *bytes, size_t size);
const char *files_text(const char *name, const char *text);

/* The bytes of an IDX file: sizes[rank] behind a magic number of that rank,
 * then body_size bytes. Returns the size of it all. */
size_t files_idx(unsigned char *out, unsigned rank, const unsigned long *sizes,
                 const unsigned char *body, size_t body_size);

/* Removes `cut` bytes from the end, or flips all bits of byte `at` (counted
 * from the end when negative), of a file written before. */
void files_cut(const char *path, size_t cut);
void files_damage(const char *path, long at);

#endif
