/* Talking to a contestant in another process. */
#define _POSIX_C_SOURCE 200809L
#include "tests/bench/peer.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 60000, ANSWER_MS = 120000 };

/* In the child: the script with the pipes as its standard streams. What it
 * complains of is of interest only where it is the last hope. */
static void become(const char *python, int in, int out)
{
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        freopen("/dev/null", "w", stderr) != NULL)
        execlp(python, python, BENCH_SRCDIR "/peer_torch.py", (char *)NULL);
    _exit(127);
}

static void close_pair(const int fd[2])
{
    close(fd[0]);
    close(fd[1]);
}

/* 0 if there is no process */
static int spawn(bench_peer *peer, const char *python)
{
    int down[2], up[2];
    if (pipe(down) != 0)
        return 0;
    if (pipe(up) != 0) {
        close_pair(down);
        return 0;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(down[1]);
        close(up[0]);
        become(python, down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    peer->pid = pid > 0 ? (long)pid : 0;
    peer->to = down[1];
    peer->from = up[0];
    peer->held = 0;
    return pid > 0;
}

/* Takes one line, without its end, from what has arrived. 0 if there is none. */
static int take_line(bench_peer *peer, char *line, size_t size)
{
    char *end = memchr(peer->pending, '\n', peer->held);
    if (end == NULL)
        return 0;
    size_t length = (size_t)(end - peer->pending);
    snprintf(line, size, "%.*s", (int)length, peer->pending);
    peer->held -= length + 1;
    memmove(peer->pending, end + 1, peer->held);
    return 1;
}

/* 0 if the peer ended, fell silent or says too much. */
static int read_line(bench_peer *peer, char *line, size_t size, int timeout_ms)
{
    while (!take_line(peer, line, size)) {
        struct pollfd wait = {.fd = peer->from, .events = POLLIN};
        size_t room = sizeof peer->pending - peer->held;
        if (room == 0 || poll(&wait, 1, timeout_ms) <= 0)
            return 0;
        ssize_t got = read(peer->from, peer->pending + peer->held, room);
        if (got <= 0)
            return 0;
        peer->held += (size_t)got;
    }
    return 1;
}

void bench_peer_stop(bench_peer *peer)
{
    if (peer->pid == 0)
        return;
    close(peer->to);
    close(peer->from);
    kill((pid_t)peer->pid, SIGTERM);
    waitpid((pid_t)peer->pid, NULL, 0);
    peer->pid = 0;
}

void bench_torch_start(bench_peer *peer)
{
    const char *wanted = getenv("PYTHON");
    const char *candidates[] = {wanted != NULL && *wanted != '\0' ? wanted : BENCH_PYTHON,
                                BENCH_PYTHON, "python3", "/usr/bin/python3"};
    memset(peer, 0, sizeof *peer);
    signal(SIGPIPE, SIG_IGN); /* a peer that died is absent, not our end */
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (!spawn(peer, candidates[i]))
            continue;
        if (read_line(peer, peer->hello, sizeof peer->hello, START_MS) &&
            strncmp(peer->hello, "ready ", 6) == 0) {
            printf("peer %s\n", peer->hello + 6);
            return;
        }
        bench_peer_stop(peer);
    }
    printf("peer torch is absent: no python3 imports it\n");
}

static double ask(void *data)
{
    bench_request *request = data;
    bench_peer *to = request->to;
    char line[160];
    double seconds;
    if (to->pid == 0)
        return -1;
    int length = snprintf(line, sizeof line, "run %s\n", request->request);
    if (length < 0 || (size_t)length >= sizeof line ||
        write(to->to, line, (size_t)length) != (ssize_t)length ||
        !read_line(to, line, sizeof line, ANSWER_MS)) {
        printf("peer fell silent at \"%s\"\n", request->request);
        bench_peer_stop(to);
        return -1;
    }
    if (sscanf(line, "ok %lf", &seconds) == 1)
        return seconds;
    printf("peer answers \"%s\" to \"%s\"\n", line, request->request);
    return -1;
}

bench_side bench_peer_side(const char *name, bench_request *request)
{
    bench_side side = {name, ask, request};
    return side;
}
