/* SPDX-License-Identifier: MIT
 * S13, S14: what the sandbox's process gives up. Each attack is tried in a child with all
 * protections, and again with the one left out that stops it: then it must succeed, or the test
 * shows nothing. */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "io/sandbox_enter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SUCCEEDED = 0, REFUSED = 1, NO_SANDBOX = 2 };

typedef int attack(void);

static int exit_of(int result)
{
    return result < 0 ? REFUSED : SUCCEEDED;
}

/* How the attack ended: SUCCEEDED, REFUSED, or minus the signal that ended it. */
static int try(unsigned parts, attack *run)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, ORAS_SANDBOX_FD);
        oras_sandbox_close_all();
        _exit(oras_sandbox_enter(parts) ? NO_SANDBOX : run());
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int opens_file(void)
{
    return exit_of(open("/etc/passwd", O_RDONLY));
}

static int opens_socket(void)
{
    return exit_of(socket(AF_INET, SOCK_STREAM, 0));
}

static int forks(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (pid == 0)
        _exit(0);
    return exit_of(pid);
}

static int runs_program(void)
{
    char name[] = "true";
    char *argv[] = {name, NULL};

    execv("/bin/true", argv);
    return REFUSED;
}

static int kills_parent(void)
{
    return exit_of(kill(getppid(), 0));
}

static int raises_limit(void)
{
    const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    return exit_of(setrlimit(RLIMIT_CORE, &limit));
}

static int makes_code(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? REFUSED : SUCCEEDED;
}

static int turns_data_into_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? REFUSED : exit_of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int reads_another(void)
{
    char byte;
    ssize_t n = read(7, &byte, 1);

    return n < 0 && errno == EBADF ? SUCCEEDED : REFUSED; /* the kernel was asked */
}

static int takes_memory(void)
{
    void *much =
        mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return much == MAP_FAILED ? REFUSED : SUCCEEDED;
}

static int writes_file(void)
{
    int fd = memfd_create("x", 0);

    return fd < 0 ? REFUSED : exit_of((int)write(fd, "x", 1));
}

/* By the kernel's own calls: a sanitizer's do more. */
static int works(void)
{
    char byte;
    long page =
        syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page < 0 || syscall(SYS_read, ORAS_SANDBOX_FD, &byte, 1) != 0 ||
        syscall(SYS_write, ORAS_SANDBOX_FD, "x", 1) != 1 || syscall(SYS_munmap, page, 4096) != 0)
        return REFUSED;
    syscall(SYS_exit_group, SUCCEEDED);
    return REFUSED;
}

static void what_it_needs_is_left(void **state)
{
    (void)state;
    /* a sanitizer's process has more addresses than the limits leave */
    assert_int_equal(try(ORAS_SANDBOX_LANDLOCK | ORAS_SANDBOX_SECCOMP, works), SUCCEEDED);
}

static void s14_every_other_call_ends_it(void **state)
{
    static attack *const attacks[] = {opens_file,   opens_socket,         forks,
                                      runs_program, kills_parent,         raises_limit,
                                      makes_code,   turns_data_into_code, reads_another};

    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        assert_int_equal(try(ORAS_SANDBOX_SECCOMP, attacks[i]), -SIGSYS);
        assert_int_equal(try(0, attacks[i]), SUCCEEDED);
    }
}

/* Landlock shows itself where seccomp, which outranks it, is left out; and only where it is. */
static void s14_no_file_without_seccomp_either(void **state)
{
    (void)state;
    if (syscall(444 /* landlock_create_ruleset */, NULL, 0, 1) < 1)
        skip();
    assert_int_equal(try(ORAS_SANDBOX_LANDLOCK, opens_file), REFUSED);
    assert_int_equal(try(ORAS_SANDBOX_LANDLOCK, runs_program), REFUSED);
}

static void s13_limits_hold_without_seccomp(void **state)
{
    (void)state;
    assert_int_equal(try(ORAS_SANDBOX_LIMITS, takes_memory), REFUSED);
    assert_int_equal(try(0, takes_memory), SUCCEEDED);
    assert_int_equal(try(ORAS_SANDBOX_LIMITS, opens_file), REFUSED); /* no descriptor is left */
    assert_int_equal(try(ORAS_SANDBOX_LIMITS, writes_file), REFUSED);
    assert_int_equal(try(0, writes_file), SUCCEEDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_needs_is_left),
        cmocka_unit_test(s14_every_other_call_ends_it),
        cmocka_unit_test(s14_no_file_without_seccomp_either),
        cmocka_unit_test(s13_limits_hold_without_seccomp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
