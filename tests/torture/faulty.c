/* SPDX-License-Identifier: MIT
 * Preloaded into a program (LD_PRELOAD), it stands between that and the calls of the system
 * which change files:
 *
 *     ORAS_TEST_CALLS=FILE   FILE (made beforehand, 64 bytes) gets the number of such calls, an
 *                            int64, and behind it the name of the last
 *     ORAS_TEST_DIE_AT=K     SIGKILL instead of the K-th; of a write half is done
 *     ORAS_TEST_FAIL_AT=K:E  the K-th fails with the errno of that name
 *     ORAS_TEST_STOP_AT=K    SIGSTOP before the K-th: another process may run meanwhile
 *     ORAS_TEST_FAIL=LIST    NAME=WHAT[:FIRST[-LAST]],... : calls of NAME fail, from the FIRST on
 *                            (1) to the LAST (the last of all). WHAT is the name of an errno, or
 *                            "short": a write takes one byte less than it was given, or
 *                            "slow": it takes 0.3 s, and what else is said of NAME holds then
 *
 * Every change of files is one of these calls, so that between two of them it does not matter
 * where a process dies. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT     __attribute__((visibility("default")))
#define MAX_RULES  32
#define SHORT_CALL (-1)
#define SLOW_CALL  (-2)

typedef struct rule {
    char name[24];
    int error; /* or SHORT_CALL, SLOW_CALL */
    long first, last, seen;
} rule;

typedef struct calls {
    int64_t count;
    char last[56];
} calls;

static struct {
    long (*call)(long, ...); /* the real syscall(2) */
    calls *shown;
    int64_t count, die_at, fail_at, stop_at;
    int fail_with;
    rule rules[MAX_RULES];
    int n_rules;
} state;

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* --- what is wanted ------------------------------------------------------------------------ */

static int error_of(const char *text)
{
    static const struct {
        const char *name;
        int error;
    } known[] = {
        {"EACCES", EACCES},  {"EDQUOT", EDQUOT}, {"EINTR", EINTR},   {"EINVAL", EINVAL},
        {"EIO", EIO},        {"EMFILE", EMFILE}, {"EMLINK", EMLINK}, {"ENOLCK", ENOLCK},
        {"ENOSPC", ENOSPC},  {"ENOSYS", ENOSYS}, {"EPERM", EPERM},   {"EOPNOTSUPP", EOPNOTSUPP},
        {"EROFS", EROFS},    {"EXDEV", EXDEV},   {"EFBIG", EFBIG},   {"short", SHORT_CALL},
        {"slow", SLOW_CALL},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, text) == 0)
            return known[i].error;
    }
    fprintf(stderr, "faulty: no error is called '%s'\n", text);
    abort();
}

static void add_rule(const char *text)
{
    char what[24] = "";
    rule *one = &state.rules[state.n_rules++];

    one->first = 1;
    one->last = INT64_MAX;
    if (sscanf(text, "%23[^=]=%23[^:]:%ld-%ld", one->name, what, &one->first, &one->last) < 2) {
        fprintf(stderr, "faulty: '%s' is no NAME=WHAT[:FIRST[-LAST]]\n", text);
        abort();
    }
    one->error = error_of(what);
}

static void read_rules(const char *list)
{
    char text[1024], *rest = NULL;

    snprintf(text, sizeof text, "%s", list);
    for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        if (state.n_rules < MAX_RULES)
            add_rule(one);
    }
}

static void show_calls_in(const char *path)
{
    int fd = (int)state.call(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void *map = mmap(NULL, sizeof(calls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (map != MAP_FAILED)
        state.shown = map;
    state.call(SYS_close, fd);
}

/* "K:ERRNO" */
static void read_failure(const char *text)
{
    char *end = NULL;

    state.fail_at = strtoll(text, &end, 10);
    state.fail_with = error_of(*end ? end + 1 : end);
}

static int64_t number_from(const char *variable)
{
    const char *text = getenv(variable);

    return text ? strtoll(text, NULL, 10) : 0;
}

static void set_up(void)
{
    const char *fail = getenv("ORAS_TEST_FAIL");
    const char *path = getenv("ORAS_TEST_CALLS"), *fail_at = getenv("ORAS_TEST_FAIL_AT");
    void *found = dlsym(RTLD_NEXT, "syscall");

    memcpy(&state.call, &found, sizeof found);
    state.die_at = number_from("ORAS_TEST_DIE_AT");
    state.stop_at = number_from("ORAS_TEST_STOP_AT");
    if (fail_at)
        read_failure(fail_at);
    if (fail)
        read_rules(fail);
    if (path)
        show_calls_in(path);
}

/* --- every call ---------------------------------------------------------------------------- */

/* Count a call and tell its number; perhaps others run first. */
static int64_t number_of(const char *name)
{
    int64_t n = __atomic_add_fetch(&state.count, 1, __ATOMIC_SEQ_CST);

    if (state.shown && (state.die_at == 0 || n <= state.die_at)) {
        __atomic_store_n(&state.shown->count, n, __ATOMIC_SEQ_CST);
        snprintf(state.shown->last, sizeof state.shown->last, "%s", name);
    }
    if (n == state.stop_at)
        state.call(SYS_kill, getpid(), SIGSTOP);
    return n;
}

static void die(void)
{
    state.call(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

static int injected(const char *name)
{
    for (int i = 0; i < state.n_rules; i++) {
        rule *one = &state.rules[i];
        long n;

        if (strcmp(one->name, name) != 0)
            continue;
        n = __atomic_add_fetch(&one->seen, 1, __ATOMIC_SEQ_CST);
        if (n < one->first || n > one->last)
            continue;
        if (one->error != SLOW_CALL)
            return one->error;
        nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
    }
    return 0;
}

/* Before a call: true when it must not be made, with errno set. */
static bool is_refused(const char *name, bool changes)
{
    int64_t n;
    int error;

    pthread_once(&once, set_up);
    n = changes ? number_of(name) : -1;
    if (n > 0 && n == state.die_at)
        die();
    error = n > 0 && n == state.fail_at ? state.fail_with : injected(name);
    if (error > 0)
        errno = error;
    return error > 0;
}

#define FORWARD(name, changes, ...) (is_refused(name, changes) ? -1 : (int)state.call(__VA_ARGS__))

/* --- files --------------------------------------------------------------------------------- */

#define CREATES (O_CREAT | O_TRUNC)

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                       \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = va_arg(args, mode_t);                                                               \
        va_end(args);                                                                              \
    }

EXPORT int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return (int)FORWARD("open", flags & CREATES, SYS_openat, AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return (int)FORWARD("openat", flags & CREATES, SYS_openat, dir, path, flags, mode);
}

/* Only openat2(2) is called by number. */
EXPORT long syscall(long number, ...)
{
    long a[6];
    bool changes = false;
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_openat2) {
        const struct open_how *how = (const struct open_how *)a[2]; // NOLINT

        changes = how->flags & CREATES;
        if (is_refused("openat2", changes))
            return -1;
    }
    pthread_once(&once, set_up);
    return state.call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool is_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static ssize_t put(const char *name, int fd, const void *data, size_t size, off_t at)
{
    bool here = strcmp(name, "write") == 0;
    int64_t n;
    int error;

    pthread_once(&once, set_up);
    if (!is_file(fd))
        return state.call(SYS_write, fd, data, size);
    n = number_of(name);
    error = n == state.fail_at ? state.fail_with : injected(name);
    if (error > 0) {
        errno = error;
        return -1;
    }
    if (n == state.die_at)
        size /= 2;
    else if (error == SHORT_CALL && size > 1)
        size--;
    at =
        here ? state.call(SYS_write, fd, data, size) : state.call(SYS_pwrite64, fd, data, size, at);
    if (n == state.die_at)
        die();
    return at;
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
    return put("write", fd, data, size, 0);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return put("pwrite", fd, data, size, at);
}

EXPORT ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t size,
                               unsigned flags)
{
    return FORWARD("copy_file_range", true, SYS_copy_file_range, in, in_at, out, out_at, size,
                   flags);
}

EXPORT int ftruncate(int fd, off_t size)
{
    return (int)FORWARD("ftruncate", true, SYS_ftruncate, fd, size);
}

EXPORT int fallocate(int fd, int mode, off_t at, off_t size)
{
    return (int)FORWARD("fallocate", true, SYS_fallocate, fd, mode, at, size);
}

EXPORT int fchmod(int fd, mode_t mode)
{
    return (int)FORWARD("fchmod", true, SYS_fchmod, fd, mode);
}

EXPORT int futimens(int fd, const struct timespec times[2])
{
    return (int)FORWARD("futimens", true, SYS_utimensat, fd, NULL, times, 0);
}

EXPORT int fsync(int fd)
{
    return (int)FORWARD("fsync", true, SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
    return (int)FORWARD("fdatasync", true, SYS_fdatasync, fd);
}

EXPORT int flock(int fd, int operation)
{
    return (int)FORWARD("flock", true, SYS_flock, fd, operation);
}

/* --- names --------------------------------------------------------------------------------- */

EXPORT int rename(const char *from, const char *to)
{
    return (int)FORWARD("rename", true, SYS_rename, from, to);
}

EXPORT int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return (int)FORWARD("renameat", true, SYS_renameat, from_dir, from, to_dir, to);
}

EXPORT int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return (int)FORWARD("renameat2", true, SYS_renameat2, from_dir, from, to_dir, to, flags);
}

EXPORT int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return (int)FORWARD("linkat", true, SYS_linkat, from_dir, from, to_dir, to, flags);
}

EXPORT int symlinkat(const char *target, int dir, const char *path)
{
    return (int)FORWARD("symlinkat", true, SYS_symlinkat, target, dir, path);
}

EXPORT int unlink(const char *path)
{
    return (int)FORWARD("unlink", true, SYS_unlink, path);
}

EXPORT int unlinkat(int dir, const char *path, int flags)
{
    return (int)FORWARD("unlinkat", true, SYS_unlinkat, dir, path, flags);
}

EXPORT int rmdir(const char *path)
{
    return (int)FORWARD("rmdir", true, SYS_rmdir, path);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    return (int)FORWARD("mkdir", true, SYS_mkdir, path, mode);
}

EXPORT int mkdirat(int dir, const char *path, mode_t mode)
{
    return (int)FORWARD("mkdirat", true, SYS_mkdirat, dir, path, mode);
}
