#define _POSIX_C_SOURCE 200809L
#include "examples/support/program.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *program_name = "";

static volatile sig_atomic_t interrupted;
static int hushed;
static char kept[1024];

void program_start(const char *name)
{
    program_name = name;
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            break;
    signal(SIGXFSZ, SIG_IGN);
}

void program_complain(const char *format, va_list values)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, values);
    for (char *c = text; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?';
    if (hushed)
        memcpy(kept, text, sizeof kept);
    else
        fprintf(stderr, "%s: %s\n", program_name, text);
}

void program_hush(void)
{
    hushed = 1;
}

int program_hushed(void)
{
    return hushed;
}

const char *program_kept(void)
{
    return kept;
}

int program_error(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    program_complain(format, values);
    va_end(values);
    return 1;
}

int program_no_memory(void)
{
    return program_error("out of memory");
}

int program_end(int status)
{
    int failed = ferror(stdout);
    errno = 0;
    if (fclose(stdout) != 0 || failed)
        return program_error("cannot write to standard output%s%s", errno != 0 ? ": " : "",
                             errno != 0 ? strerror(errno) : "");
    if (interrupted && status == 0) {
        program_error("interrupted; the results are of what was done until then");
        return 130;
    }
    return status;
}

static void remember(int number)
{
    (void)number;
    interrupted = 1;
}

void program_catch_interrupt(void)
{
    struct sigaction action;
    if (sigaction(SIGINT, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
        return; /* in the background ^C is not meant for us */
    memset(&action, 0, sizeof action);
    action.sa_handler = remember;
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    sigaction(SIGINT, &action, NULL);
}

int program_interrupted(void)
{
    return interrupted;
}
