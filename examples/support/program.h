/* How every program begins and ends: its name in front of messages, what was
 * printed is on the disk or the exit status says no, and ^C leaves what was
 * done so far. Exit status: 0 done, 1 failed, 2 usage, 130 interrupted. */
#ifndef EXAMPLES_PROGRAM_H
#define EXAMPLES_PROGRAM_H

#include <stdarg.h>
#include <natgrad.h>

/* Begins every message; program_start sets it, which arguments_read calls. */
extern const char *program_name;

/* Standard streams that are closed stay unusable instead of becoming the next
 * file that is opened; a file-size limit is an error, not a signal. */
void program_start(const char *name);

/* The status to leave main with: 1 after a message if what went to stdout could
 * not be written, 130 after a message if ^C was caught, else `status`. */
int program_end(int status);

/* "NAME: ...", a line on stderr; control characters of names and values become
 * question marks. Returns 1. */
int program_error(const char *format, ...) NG_PRINTF(1, 2);

void program_complain(const char *format, va_list values) NG_PRINTF(1, 0);

/* The same for want of memory. */
int program_no_memory(void);

/* From now on messages are kept instead of printed, and no file is written: another process speaks
 * and writes for this one. */
void program_hush(void);
int program_hushed(void);

/* The last message that was kept, or "". */
const char *program_kept(void);

/* From now on the first ^C is only remembered, and loops that ask
 * program_interrupted stop where they are; the second one ends the program. */
void program_catch_interrupt(void);
int program_interrupted(void);

#endif
