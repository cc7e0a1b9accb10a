/* SPDX-License-Identifier: MIT
 * The parent's side: a child on one socket. What comes from it is hostile. */
#define _GNU_SOURCE
#include "io/sandbox.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/sandbox_enter.h"
#include "io/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK     ((size_t)64 * 1024)
#define CPU_SPARE 2 /* seconds of grace that the kernel gives */

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

struct oras_sandbox {
    pid_t pid;      /* 0: none, or it was waited for */
    int pidfd;      /* -1: a kernel without */
    int fd, epoll;  /* our end of the socket */
    bool wants_out; /* the socket is watched for room, too */
    oras_buf out, in;
    size_t n_sent;
};

int oras_sandbox_fd(const oras_sandbox *sandbox)
{
    return sandbox->epoll;
}

/* --- start ---------------------------------------------------------------------------------- */

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno != EINTR)
            return -1;
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* A file in memory that can be run; kernels before 6.3 do not know the flag that says so. */
static int make_program(const void *program, size_t size)
{
    int fd = memfd_create("oras-sandbox", MFD_CLOEXEC | MFD_EXEC);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("oras-sandbox", MFD_CLOEXEC);
    if (fd >= 0 && write_all(fd, program, size) != 0) {
        oras_close_fd(&fd);
        fd = -1;
    }
    return fd;
}

/* Our "/proc/self/fd/7" is the child's, too, until it runs. */
static void program_path(int fd, oras_buf *path)
{
    oras_buf_printf(path, "/proc/self/fd/%d", fd);
}

/* Descriptors that a host forgot to mark stay open until the child closes them, first of all: its
 * program is one of them. */
static int spawn(const char *path, int socket, pid_t *pid)
{
    static const char *const argv[] = {"oras-sandbox", NULL}, *const env[] = {NULL};

    return oras_spawn(&(oras_spawn_plan){path, argv, env, &socket, ORAS_SANDBOX_FD + 1, false},
                      pid);
}

/* The child's end must not be the number that it becomes: then nothing would keep it open. */
static int make_socket(int ends[2])
{
    int lifted;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    lifted = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
    oras_close_fd(&ends[1]);
    ends[1] = lifted;
    return lifted < 0 ? -1 : fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static oras_code run(oras_sandbox *sandbox, const void *program, size_t size, oras_error *err)
{
    _cleanup_(oras_close_fd) int file = make_program(program, size);
    _cleanup_(oras_close_fd) int theirs = -1;
    _cleanup_(oras_buf_dispose) oras_buf path = ORAS_BUF_INIT(64);
    int ends[2] = {-1, -1}, rc;

    if (file < 0)
        return oras_fail_errno(err, errno, "cannot make the sandbox's program");
    rc = make_socket(ends);
    sandbox->fd = ends[0];
    theirs = ends[1];
    if (rc != 0)
        return oras_fail_errno(err, errno, "cannot make a socket for the sandbox");
    program_path(file, &path);
    rc = spawn(oras_buf_text(&path), theirs, &sandbox->pid);
    if (rc == EACCES || rc == ENOENT)
        return oras_fail(err, ORAS_C_SANDBOX,
                         "cannot start the sandbox: no program in memory may be run here "
                         "(/proc is not mounted, or vm.memfd_noexec forbids it)");
    return rc ? oras_fail_errno(err, rc, "cannot start the sandbox") : ORAS_OK;
}

static oras_code watch(oras_sandbox *sandbox, oras_error *err)
{
    struct epoll_event event = {.events = EPOLLIN};

    sandbox->pidfd = (int)syscall(SYS_pidfd_open, sandbox->pid, 0);
    sandbox->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (sandbox->epoll < 0 || epoll_ctl(sandbox->epoll, EPOLL_CTL_ADD, sandbox->fd, &event) != 0)
        return oras_fail_errno(err, errno, "cannot watch the sandbox");
    return ORAS_OK;
}

oras_code oras_sandbox_start(const void *program, size_t size, oras_sandbox **out, oras_error *err)
{
    oras_sandbox *sandbox = oras_alloc_zero(1, sizeof *sandbox);
    oras_code code;

    if (!sandbox)
        return oras_fail_memory(err);
    sandbox->fd = sandbox->epoll = sandbox->pidfd = -1;
    oras_buf_init(&sandbox->out,
                  ORAS_SANDBOX_HEAD + ORAS_SANDBOX_JSON_MAX + ORAS_SANDBOX_BYTES_MAX);
    oras_buf_init(&sandbox->in,
                  ORAS_SANDBOX_HEAD + ORAS_SANDBOX_JSON_MAX + ORAS_SANDBOX_BYTES_MAX + BLOCK);
    code = run(sandbox, program, size, err);
    if (!code)
        code = watch(sandbox, err);
    if (code)
        oras_sandbox_free(sandbox);
    else
        *out = sandbox;
    return code;
}

/* --- messages ------------------------------------------------------------------------------- */

static void put_size(char *at, size_t size)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(size >> (8 * i) & 0xff);
}

static size_t get_size(const char *at)
{
    size_t size = 0;

    for (int i = 0; i < 4; i++)
        size |= (size_t)(unsigned char)at[i] << (8 * i);
    return size;
}

oras_code oras_sandbox_send(oras_sandbox *sandbox, const oras_sandbox_message *message,
                            oras_error *err)
{
    char head[ORAS_SANDBOX_HEAD];

    if (message->json_size > ORAS_SANDBOX_JSON_MAX || message->bytes_size > ORAS_SANDBOX_BYTES_MAX)
        return oras_fail(err, ORAS_C_LIMIT,
                         "a message of %zu and %zu bytes is too big for the sandbox",
                         message->json_size, message->bytes_size);
    put_size(head, message->json_size);
    put_size(head + 4, message->bytes_size);
    oras_buf_clear(&sandbox->out);
    oras_buf_clear(&sandbox->in);
    sandbox->n_sent = 0;
    oras_buf_append(&sandbox->out, head, sizeof head);
    oras_buf_append(&sandbox->out, message->json, message->json_size);
    oras_buf_append(&sandbox->out, message->bytes, message->bytes_size);
    return oras_buf_check(&sandbox->out, "message", err);
}

/* Kill it, and whether its status could be had: a host may wait for every child, and then its
 * number may be another's by now. */
static bool end_child(oras_sandbox *sandbox, int *status)
{
    pid_t rc;

    if (sandbox->pidfd < 0 ||
        (syscall(SYS_pidfd_send_signal, sandbox->pidfd, SIGKILL, NULL, 0) != 0 && errno == ENOSYS))
        kill(sandbox->pid, SIGKILL);
    do {
        rc = waitpid(sandbox->pid, status, 0);
    } while (rc < 0 && errno == EINTR);
    sandbox->pid = 0;
    return rc > 0;
}

/* How it ended, as far as that can be told. */
static oras_code tell_end(oras_sandbox *sandbox, oras_error *err)
{
    int status = 0;
    bool known = end_child(sandbox, &status); /* a closed socket alone is no end */

    if (known && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return oras_fail(err, ORAS_C_SANDBOX,
                         "the provider was ended: a system call that is not allowed");
    if (known && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return oras_fail(err, ORAS_C_SANDBOX,
                         "the provider was ended: it used too much processor time");
    if (known && WIFSIGNALED(status))
        return oras_fail(err, ORAS_C_SANDBOX, "the provider was ended by signal %d",
                         WTERMSIG(status));
    switch (known && WIFEXITED(status) ? WEXITSTATUS(status) : 0) {
    case ORAS_SANDBOX_REFUSED + ORAS_SANDBOX_SECCOMP:
        return oras_fail(
            err, ORAS_C_SANDBOX,
            "this system refuses seccomp filters, without which no provider is run in the sandbox");
    case ORAS_SANDBOX_REFUSED + ORAS_SANDBOX_LANDLOCK:
        return oras_fail(err, ORAS_C_SANDBOX, "this system has Landlock and refuses it");
    case ORAS_SANDBOX_REFUSED + ORAS_SANDBOX_LIMITS:
        return oras_fail(err, ORAS_C_SANDBOX, "the sandbox's limits cannot be set here");
    case ORAS_SANDBOX_OUT_OF_TIME:
        return oras_fail(err, ORAS_C_SANDBOX,
                         "the provider was ended: it used too much processor time");
    case ORAS_SANDBOX_OUT_OF_MEMORY:
        return oras_fail(err, ORAS_C_SANDBOX, "the provider was ended: it used too much memory");
    default:
        return oras_fail(err, ORAS_C_SANDBOX, "the provider's process ended without an answer");
    }
}

/* Watch for room only while there is something to write. */
static void want_out(oras_sandbox *sandbox, bool wanted)
{
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0U)};

    if (wanted == sandbox->wants_out)
        return;
    sandbox->wants_out = wanted;
    epoll_ctl(sandbox->epoll, EPOLL_CTL_MOD, sandbox->fd, &event);
}

/* Whether the child is there; an error of the socket is its end. */
static bool send_some(oras_sandbox *sandbox)
{
    while (sandbox->n_sent < sandbox->out.size) {
        ssize_t n = send(sandbox->fd, sandbox->out.data + sandbox->n_sent,
                         sandbox->out.size - sandbox->n_sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            want_out(sandbox, errno == EAGAIN);
            return errno == EAGAIN;
        }
        sandbox->n_sent += (size_t)n;
    }
    want_out(sandbox, false);
    return true;
}

/* What the head says is believed only within the limits. */
static bool is_sane(const oras_buf *in)
{
    size_t json, bytes;

    if (in->size < ORAS_SANDBOX_HEAD)
        return true;
    json = get_size(in->data);
    bytes = get_size(in->data + 4);
    return json > 0 && json <= ORAS_SANDBOX_JSON_MAX && bytes <= ORAS_SANDBOX_BYTES_MAX &&
           in->size <= ORAS_SANDBOX_HEAD + json + bytes;
}

static bool is_whole(const oras_buf *in)
{
    return in->size >= ORAS_SANDBOX_HEAD &&
           in->size == ORAS_SANDBOX_HEAD + get_size(in->data) + get_size(in->data + 4);
}

typedef enum received { RECEIVED_SOME, RECEIVED_NOTHING, RECEIVED_END } received;

static received receive_some(oras_sandbox *sandbox)
{
    oras_buf *in = &sandbox->in;
    ssize_t n;

    if (!oras_buf_reserve(in, BLOCK))
        return RECEIVED_END;
    n = recv(sandbox->fd, in->data + in->size, BLOCK, 0);
    if (n > 0)
        in->size += (size_t)n;
    if (n > 0 && is_sane(in))
        return RECEIVED_SOME;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? RECEIVED_NOTHING : RECEIVED_END;
}

oras_code oras_sandbox_step(oras_sandbox *sandbox, bool *answered, oras_sandbox_message *message,
                            oras_error *err)
{
    received got = RECEIVED_SOME;
    const oras_buf *in = &sandbox->in;

    *answered = false;
    if (!sandbox->pid)
        return oras_fail(err, ORAS_C_SANDBOX, "the provider's process has ended");
    if (!send_some(sandbox))
        return tell_end(sandbox, err);
    while (got == RECEIVED_SOME && !is_whole(in))
        got = receive_some(sandbox);
    if (got == RECEIVED_END)
        return tell_end(sandbox, err);
    if (!is_whole(in))
        return ORAS_OK;
    if (sandbox->n_sent < sandbox->out.size) /* an answer to what it has not read */
        return tell_end(sandbox, err);
    *answered = true;
    message->json_size = get_size(in->data);
    message->json = in->data + ORAS_SANDBOX_HEAD;
    message->bytes_size = get_size(in->data + 4);
    message->bytes = message->json + message->json_size;
    return ORAS_OK;
}

/* --- time and end --------------------------------------------------------------------------- */

int64_t oras_sandbox_cpu_ms(const oras_sandbox *sandbox)
{
    struct timespec used;
    clockid_t clock;

    if (!sandbox->pid || clock_getcpuclockid(sandbox->pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

void oras_sandbox_limit_cpu(const oras_sandbox *sandbox, int64_t cpu_ms)
{
    struct rlimit limit;

    if (!sandbox->pid || prlimit(sandbox->pid, RLIMIT_CPU, NULL, &limit) != 0)
        return;
    limit.rlim_cur = (rlim_t)(cpu_ms / 1000 + CPU_SPARE);
    if (limit.rlim_cur > limit.rlim_max)
        limit.rlim_cur = limit.rlim_max;
    prlimit(sandbox->pid, RLIMIT_CPU, &limit, NULL);
}

void oras_sandbox_free(oras_sandbox *sandbox)
{
    int status;

    if (!sandbox)
        return;
    if (sandbox->pid)
        end_child(sandbox, &status);
    oras_close_fd(&sandbox->pidfd);
    oras_close_fd(&sandbox->fd);
    oras_close_fd(&sandbox->epoll);
    oras_buf_dispose(&sandbox->out);
    oras_buf_dispose(&sandbox->in);
    oras_dealloc(sandbox);
}
