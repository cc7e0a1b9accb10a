/* SPDX-License-Identifier: MIT
 * What happens with a program that runs. Its end is seen without taking its status, so that its
 * number cannot be another's while the group is killed. */
#define _GNU_SOURCE
#include "io/process.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/process_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#define BLOCK       4096
#define ROUNDS      16 /* blocks a step */
#define OUTPUT_ROOM ((size_t)64 * 1024)
#define ERRORS_MAX  4096 /* of standard error; the rest is read and dropped */
#define POLL_NS     10000000
#define KILL_MS     1000
#define FIRST_OTHER 3

struct oras_process {
    pid_t pid;        /* 0: none, or it was waited for */
    int epoll, end;   /* end: a pidfd, or a timer where there is none */
    int pipes[3];     /* our sides; -1: closed */
    bool polls;       /* `end` is a timer */
    size_t n_written; /* of input */
    int status, signal;
    oras_buf input, output, errors;
    char file[101]; /* its name, for messages */
};

static atomic_bool without_pidfd;

void oras_process_force_polling(bool force)
{
    atomic_store(&without_pidfd, force);
}

int oras_process_fd(const oras_process *process)
{
    return process->epoll;
}

void oras_process_result(const oras_process *process, oras_process_end *end)
{
    *end = (oras_process_end){process->status, process->signal, &process->output, &process->errors};
}

/* --- make ----------------------------------------------------------------------------------- */

/* Above the standard descriptors, of which a host may have closed some. */
static int lift(int *fd)
{
    int lifted;

    if (*fd < 0 || *fd >= FIRST_OTHER)
        return *fd < 0 ? -1 : 0;
    lifted = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_OTHER);
    oras_close_fd(fd);
    *fd = lifted;
    return lifted < 0 ? -1 : 0;
}

/* One pipe; `theirs` is 0 or 1, the side that the program gets. */
static int make_pipe(int theirs, int *our_end, int *their_end)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    *our_end = ends[!theirs];
    *their_end = ends[theirs];
    if (lift(our_end) != 0 || lift(their_end) != 0)
        return -1;
    return fcntl(*our_end, F_SETFL, O_NONBLOCK);
}

static int watch(const oras_process *process, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(process->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int open_timer(void)
{
    const struct itimerspec often = {{0, POLL_NS}, {0, POLL_NS}};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd >= 0)
        timerfd_settime(fd, 0, &often, NULL);
    return fd;
}

static int watch_end(oras_process *process)
{
    if (!atomic_load(&without_pidfd))
        process->end = (int)syscall(SYS_pidfd_open, process->pid, 0);
    process->polls = process->end < 0;
    if (process->polls)
        process->end = open_timer();
    return process->end < 0 ? -1 : watch(process, process->end, EPOLLIN);
}

static oras_code set_up(oras_process *process, int theirs[3], oras_error *err)
{
    process->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (process->epoll >= 0 && make_pipe(0, &process->pipes[0], &theirs[0]) == 0 &&
        make_pipe(1, &process->pipes[1], &theirs[1]) == 0 &&
        make_pipe(1, &process->pipes[2], &theirs[2]) == 0 &&
        watch(process, process->pipes[ORAS_PIPE_IN], EPOLLOUT) == 0 &&
        watch(process, process->pipes[ORAS_PIPE_OUT], EPOLLIN) == 0 &&
        watch(process, process->pipes[ORAS_PIPE_ERR], EPOLLIN) == 0)
        return ORAS_OK;
    return oras_fail_errno(err, errno, "cannot make pipes for '%s'", process->file);
}

static oras_process *make(const oras_process_plan *plan)
{
    oras_process *process = oras_alloc_zero(1, sizeof *process);

    if (!process)
        return NULL;
    process->epoll = process->end = -1;
    for (int i = 0; i < 3; i++)
        process->pipes[i] = -1;
    oras_buf_init(&process->input, plan->input_size);
    oras_buf_init(&process->output, plan->limit);
    oras_buf_init(&process->errors, ERRORS_MAX);
    strncpy(process->file, plan->file, sizeof process->file - 1);
    oras_buf_append(&process->input, plan->input, plan->input_size);
    /* a buffer that grows leaves copies behind, and what is printed may be a secret */
    oras_buf_reserve(&process->output, plan->limit < OUTPUT_ROOM ? plan->limit : OUTPUT_ROOM);
    oras_buf_append(&process->output, "", 0); /* a string from now on */
    return process;
}

static oras_code start(oras_process *process, const oras_process_plan *plan, oras_error *err)
{
    int theirs[3] = {-1, -1, -1};
    oras_code code = oras_buf_check(&process->input, "input", err);

    if (!code)
        code = oras_buf_check(&process->output, "output", err);
    if (!code)
        code = set_up(process, theirs, err);
    if (!code)
        code = oras_process_spawn(plan, theirs, &process->pid, err);
    for (int i = 0; i < 3; i++)
        oras_close_fd(&theirs[i]);
    if (!code && watch_end(process) != 0)
        code = oras_fail_errno(err, errno, "cannot watch '%s'", process->file);
    return code;
}

oras_code oras_process_start(const oras_process_plan *plan, oras_process **out, oras_error *err)
{
    oras_process *process = make(plan);
    oras_code code;

    if (!process)
        return oras_fail_memory(err);
    code = start(process, plan, err);
    if (code)
        oras_process_free(process);
    else
        *out = process;
    return code;
}

/* --- run ------------------------------------------------------------------------------------ */

static void drop_pipe(oras_process *process, oras_process_pipe which)
{
    int *fd = &process->pipes[which];

    if (*fd < 0)
        return;
    epoll_ctl(process->epoll, EPOLL_CTL_DEL, *fd, NULL);
    oras_close_fd(fd);
    *fd = -1;
}

static bool would_block(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* A program need not read: that its input is closed early is no failure. */
static void write_some(oras_process *process)
{
    int fd = process->pipes[ORAS_PIPE_IN];
    size_t left = process->input.size - process->n_written;
    ssize_t n = 0;

    if (fd < 0)
        return;
    if (left > 0)
        n = write(fd, process->input.data + process->n_written, left);
    if (would_block(n))
        return;
    if (n > 0)
        process->n_written += (size_t)n;
    if (n < 0 || process->n_written == process->input.size)
        drop_pipe(process, ORAS_PIPE_IN);
}

/* One block; false: nothing more now. */
static bool read_block(oras_process *process, oras_process_pipe which, oras_buf *out)
{
    char block[BLOCK];
    ssize_t n;

    if (process->pipes[which] < 0)
        return false;
    n = read(process->pipes[which], block, sizeof block);
    if (n > 0) {
        size_t room = out->limit - out->size, size = (size_t)n;

        oras_buf_append(out, block, which == ORAS_PIPE_ERR && size > room ? room : size);
        explicit_bzero(block, (size_t)n);
        return out->state == ORAS_BUF_OK;
    }
    if (!would_block(n))
        drop_pipe(process, which);
    return false;
}

static void read_some(oras_process *process, oras_process_pipe which, oras_buf *out)
{
    for (int i = 0; i < ROUNDS && read_block(process, which, out); i++)
        continue;
}

static oras_code check_output(const oras_process *process, oras_error *err)
{
    if (process->output.state == ORAS_BUF_LIMIT)
        return oras_fail(err, ORAS_C_HELPER, "'%s' printed more than %zu bytes", process->file,
                         process->output.limit);
    return oras_buf_check(&process->output, "output", err);
}

/* Does it run, has it ended, or has the host taken its status (SIGCHLD ignored)? */
typedef enum life { LIFE_RUNS, LIFE_OVER, LIFE_TAKEN } life;

static life look_at_life(const oras_process *process, siginfo_t *info)
{
    int rc;

    memset(info, 0, sizeof *info);
    do {
        rc = waitid(P_PID, (id_t)process->pid, info, WEXITED | WNOHANG | WNOWAIT);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0)
        return LIFE_TAKEN;
    return info->si_pid ? LIFE_OVER : LIFE_RUNS;
}

/* What it left behind ends with it; only then its number is given back. */
static void bury(oras_process *process)
{
    int options = WEXITED | (process->polls ? 0 : WNOHANG);
    siginfo_t info;

    kill(-process->pid, SIGKILL);
    while (waitid(P_PID, (id_t)process->pid, &info, options) != 0 && errno == EINTR)
        continue;
    process->pid = 0;
}

static oras_code finish(oras_process *process, const siginfo_t *info, oras_error *err)
{
    bool by_itself = info->si_code == CLD_EXITED;

    process->status = by_itself ? info->si_status : 0;
    process->signal = by_itself ? 0 : info->si_status;
    bury(process);
    while (read_block(process, ORAS_PIPE_OUT, &process->output))
        continue;
    read_some(process, ORAS_PIPE_ERR, &process->errors);
    return check_output(process, err);
}

static void drain_timer(const oras_process *process)
{
    uint64_t count;

    if (process->polls && read(process->end, &count, sizeof count) < 0)
        return; /* nothing was due */
}

oras_code oras_process_step(oras_process *process, bool *ended, oras_error *err)
{
    siginfo_t info;
    oras_code code;
    life now = look_at_life(process, &info);

    *ended = now != LIFE_RUNS;
    if (now == LIFE_OVER)
        return finish(process, &info, err);
    if (now == LIFE_TAKEN) {
        process->pid = 0;
        return oras_fail(err, ORAS_C_HELPER,
                         "cannot tell how '%s' ended: this process ignores SIGCHLD, or something "
                         "in it waits for every child",
                         process->file);
    }
    drain_timer(process);
    write_some(process);
    read_some(process, ORAS_PIPE_OUT, &process->output);
    read_some(process, ORAS_PIPE_ERR, &process->errors);
    code = check_output(process, err);
    *ended = code != ORAS_OK;
    return code;
}

/* --- end ------------------------------------------------------------------------------------ */

/* What hangs in the kernel is left to it: a process must not keep us. */
static void await_end(const oras_process *process)
{
    struct pollfd end = {.fd = process->end, .events = POLLIN};

    if (process->end >= 0 && !process->polls)
        poll(&end, 1, KILL_MS);
}

static void kill_group(oras_process *process)
{
    siginfo_t info;
    life now = look_at_life(process, &info);

    if (now == LIFE_TAKEN)
        return;
    kill(-process->pid, SIGKILL);
    if (now == LIFE_RUNS)
        await_end(process);
    bury(process);
}

void oras_process_free(oras_process *process)
{
    if (!process)
        return;
    if (process->pid)
        kill_group(process);
    for (int i = 0; i < 3; i++)
        oras_close_fd(&process->pipes[i]);
    oras_close_fd(&process->end);
    oras_close_fd(&process->epoll);
    oras_buf_wipe(&process->input);
    oras_buf_wipe(&process->output);
    oras_buf_wipe(&process->errors);
    oras_buf_dispose(&process->input);
    oras_buf_dispose(&process->output);
    oras_buf_dispose(&process->errors);
    oras_dealloc(process);
}
