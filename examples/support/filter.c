#define _GNU_SOURCE
#include "examples/support/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct {
    int to, from; /* -1: closed */
    const char *input;
    size_t left;
    char *output;
    size_t size, room;
} stream;

static void put_away(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The program may stop reading before the end: that is its business. */
static int feed(stream *s)
{
    ssize_t n = write(s->to, s->input, s->left);
    if (n > 0) {
        s->input += n;
        s->left -= (size_t)n;
    }
    if (s->left == 0 || (n < 0 && errno == EPIPE))
        put_away(&s->to);
    return n < 0 && errno != EPIPE && errno != EAGAIN && errno != EINTR ? -1 : 0;
}

static int drain(stream *s)
{
    if (s->size == s->room) {
        size_t room = s->room > 0 ? 2 * s->room : 65536;
        char *more = realloc(s->output, room);
        if (more == NULL)
            return -1;
        s->output = more;
        s->room = room;
    }
    ssize_t n = read(s->from, s->output + s->size, s->room - s->size);
    if (n == 0)
        put_away(&s->from);
    else if (n > 0)
        s->size += (size_t)n;
    return n < 0 && errno != EINTR ? -1 : 0;
}

/* Both ways at once: neither side waits for the other for ever. */
static int exchange(stream *s)
{
    int status = 0;
    while (s->from >= 0 && status == 0) {
        struct pollfd ends[] = {{s->from, POLLIN, 0}, {s->to, POLLOUT, 0}};
        if (poll(ends, 2, -1) < 0)
            status = errno == EINTR ? 0 : -1;
        else {
            if (s->to >= 0 && ends[1].revents != 0)
                status = feed(s);
            if (status == 0 && ends[0].revents != 0)
                status = drain(s);
        }
    }
    return status;
}

/* *child <- argv with in and out for its standard streams. 0 or an errno. */
static int start(pid_t *child, const char *const argv[], int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;
    int why = posix_spawn_file_actions_init(&actions);
    if (why != 0)
        return why;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    why = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (why == 0)
        why = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (why == 0)
        why = posix_spawnp(child, argv[0], &actions, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return why;
}

static filter_result converse(stream *s, const char *const argv[])
{
    int in[2], out[2] = {-1, -1}, status;
    pid_t child;
    if (pipe2(in, O_CLOEXEC) != 0)
        return FILTER_ERROR;
    int why = pipe2(out, O_CLOEXEC) != 0 ? errno : start(&child, argv, in[0], out[1]);
    put_away(&in[0]);
    put_away(&out[1]);
    s->to = in[1];
    s->from = out[0];
    fcntl(s->to, F_SETFL, O_NONBLOCK);
    int failed = why == 0 && exchange(s) != 0 ? errno : 0;
    put_away(&s->to);
    put_away(&s->from);
    if (why == 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    errno = why != 0 ? why : failed;
    if (errno != 0)
        return errno == ENOENT ? FILTER_MISSING : FILTER_ERROR;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? FILTER_DONE : FILTER_FAILED;
}

filter_result filter_run(char **output, size_t *size, const char *const argv[], const char *input,
                         size_t length)
{
    stream s = {.input = input, .left = length};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &ignore, &before);
    filter_result result = converse(&s, argv);
    int why = errno;
    sigaction(SIGPIPE, &before, NULL);
    errno = why;
    *output = s.output;
    *size = s.size;
    return result;
}
