/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "failing_alloc.h"
#include "io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT   ((size_t)65536)
#define WAIT_MS 20000 /* for what comes at once */

static failing_alloc counter = {.n_before_failure = -1};

static oras_process_plan plan_of(const char *const *argv, const char *input)
{
    return (oras_process_plan){
        .file = argv[0], .argv = argv, .input = input, .input_size = strlen(input), .limit = LIMIT};
}

static oras_process *start(const oras_process_plan *plan)
{
    oras_process *process = NULL;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_process_start(plan, &process, &err))
        fail_msg("%s", err.message);
    return process;
}

static oras_process *start_shell(const char *script, const char *input)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    oras_process_plan plan = plan_of(argv, input);

    return start(&plan);
}

static void await(const oras_process *process)
{
    struct pollfd ready = {.fd = oras_process_fd(process), .events = POLLIN};

    assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
}

/* Until it is over, or failed. */
static oras_code finish(oras_process *process, oras_error *err)
{
    bool ended = false;
    oras_code code = ORAS_OK;

    while (!ended) {
        await(process);
        code = oras_process_step(process, &ended, err);
    }
    return code;
}

static oras_process_end result(oras_process *process)
{
    oras_process_end end;
    oras_error err = ORAS_ERROR_INIT;

    if (finish(process, &err))
        fail_msg("%s", err.message);
    oras_process_result(process, &end);
    return end;
}

/* A script prints exactly that, and ends with 0. */
static void check_prints(const char *script, const char *input, const char *expected)
{
    oras_process *process = start_shell(script, input);
    oras_process_end end = result(process);

    assert_int_equal(end.signal, 0);
    assert_int_equal(end.status, 0);
    assert_string_equal(oras_buf_text(end.output), expected);
    oras_process_free(process);
}

/* Steps until it has printed a number. */
static pid_t read_pid(oras_process *process)
{
    oras_process_end end = {0};
    bool ended = false;

    do {
        await(process);
        assert_int_equal(oras_process_step(process, &ended, NULL), ORAS_OK);
        oras_process_result(process, &end);
    } while (!ended && !strchr(oras_buf_text(end.output), '\n'));
    return (pid_t)strtol(oras_buf_text(end.output), NULL, 10);
}

static int watch(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    assert_true(pid > 1 && fd >= 0);
    return fd;
}

static void assert_killed(int watched)
{
    struct pollfd end = {.fd = watched, .events = POLLIN};

    assert_int_equal(poll(&end, 1, WAIT_MS), 1);
    close(watched);
}

/* Nothing was left for us to wait for. */
static int no_zombies(void **state)
{
    (void)state;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return 0;
}

static void test_gives_what_is_printed_and_how_it_ended(void **state)
{
    oras_process *process = start_shell("cat; echo words >&2; exit 7", "some input");
    oras_process_end end = result(process);

    (void)state;
    assert_int_equal(end.status, 7);
    assert_int_equal(end.signal, 0);
    assert_string_equal(oras_buf_text(end.output), "some input");
    assert_string_equal(oras_buf_text(end.errors), "words\n");
    oras_process_free(process);
}

static void test_arguments_are_no_shell_words(void **state)
{
    const char *argv[] = {"printf", "%s|", "a b", "$HOME", "", "`id`", NULL};
    oras_process_plan plan = plan_of(argv, "");
    oras_process *process = start(&plan);

    (void)state;
    assert_string_equal(oras_buf_text(result(process).output), "a b|$HOME||`id`|");
    oras_process_free(process);
}

static void test_much_goes_in_and_out_at_once(void **state)
{
    const char *argv[] = {"cat", NULL};
    size_t size = 1000000;
    char *input = malloc(size);
    oras_process_plan plan = {
        .file = "cat", .argv = argv, .input = input, .input_size = size, .limit = size};
    oras_process *process;
    oras_process_end end;

    (void)state;
    for (size_t i = 0; i < size; i++)
        input[i] = (char)(i * 7);
    process = start(&plan);
    end = result(process);
    assert_true(end.output->size == size);
    assert_memory_equal(end.output->data, input, size);
    oras_process_free(process);
    free(input);
}

/* --- L17: what is run ----------------------------------------------------------------------- */

static char dir[] = "/tmp/oras-process-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_script(const char *name, mode_t mode)
{
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "#!/bin/sh\necho ran\n", 19), 19);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void check_start(const char *file, const char *message)
{
    const char *argv[] = {file, NULL};
    oras_process_plan plan = plan_of(argv, "");
    oras_process *process = NULL;
    oras_error err = ORAS_ERROR_INIT;

    if (message) {
        assert_class(oras_process_start(&plan, &process, &err), ORAS_C_HELPER);
        assert_non_null(strstr(err.message, message));
        assert_null(process);
        return;
    }
    process = start(&plan);
    assert_string_equal(oras_buf_text(result(process).output), "ran\n");
    oras_process_free(process);
}

static void test_L17_is_looked_for_in_PATH_alone(void **state)
{
    char *path = strdup(getenv("PATH"));
    char both[256], where[64];

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_script("runs", 0700);
    write_script("plain", 0600);
    assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
    snprintf(both, sizeof both, "/nonexistent:relative::%s:/bin:/usr/bin", dir);
    setenv("PATH", both, 1);
    check_start("runs", NULL);
    check_start(in_dir("runs"), NULL);
    check_start("plain", "'plain' is not executable");
    check_start(in_dir("plain"), "is not executable");
    check_start("folder", "'folder' is not in PATH");
    check_start("missing", "'missing' is not in PATH");
    check_start(in_dir("missing"), "there is no program");
    check_start("", "the name of a program is empty");

    /* neither an empty nor a relative directory is one */
    assert_non_null(getcwd(where, sizeof where) ? where : "long");
    assert_int_equal(chdir(dir), 0);
    setenv("PATH", ":.:/nonexistent", 1);
    check_start("runs", "'runs' is not in PATH");
    unsetenv("PATH");
    check_start("runs", "'runs' is not in PATH");
    setenv("PATH", path, 1);
    assert_int_equal(chdir("/"), 0);
    unlink(in_dir("runs"));
    unlink(in_dir("plain"));
    rmdir(in_dir("folder"));
    rmdir(dir);
    free(path);
}

static void test_L17_a_script_without_interpreter_cannot_be_run(void **state)
{
    char path[] = "/tmp/oras-script-XXXXXX";
    const char *argv[] = {path, NULL};
    oras_process_plan plan = plan_of(argv, "");
    oras_process *process = NULL;
    oras_error err = ORAS_ERROR_INIT;
    int fd = mkostemp(path, O_CLOEXEC);

    (void)state;
    assert_int_equal(write(fd, "#!/nonexistent/sh\n", 18), 18);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    assert_class(oras_process_start(&plan, &process, &err), ORAS_C_HELPER);
    assert_non_null(strstr(err.message, "cannot run"));
    unlink(path);
}

/* --- L18: what it may do -------------------------------------------------------------------- */

static void check_killed(const char *script)
{
    oras_process *process = start_shell(script, "");
    int child = watch(read_pid(process));

    oras_process_free(process);
    assert_killed(child);
}

static void test_L18_one_that_hangs_is_killed_with_its_children(void **state)
{
    (void)state;
    check_killed("echo $$; sleep 1000");
    check_killed("sleep 1000 & echo $!; wait");
    check_killed("exec 2>&-; (sleep 1000) & echo $!; exec sleep 1000");
}

static void test_L18_one_that_ignores_signals_is_killed(void **state)
{
    (void)state;
    check_killed("trap '' TERM INT HUP; echo $$; while :; do sleep 1000; done");
}

static void test_L18_a_child_that_keeps_the_pipe_does_not_keep_us(void **state)
{
    oras_process *process = start_shell("sleep 1000 & echo $!", "");
    oras_process_end end = {0};
    int child = -1;
    bool ended = false;

    (void)state;
    while (!ended) {
        await(process);
        assert_int_equal(oras_process_step(process, &ended, NULL), ORAS_OK);
        oras_process_result(process, &end);
        if (child < 0 && !ended && end.output->size)
            child = watch((pid_t)strtol(oras_buf_text(end.output), NULL, 10));
    }
    assert_int_equal(end.status, 0);
    assert_true(end.output->size > 1);
    if (child >= 0)
        assert_killed(child);
    oras_process_free(process);
}

static void check_too_much(const char *script)
{
    oras_process *process = start_shell(script, "");
    oras_error err = ORAS_ERROR_INIT;

    assert_class(finish(process, &err), ORAS_C_HELPER);
    assert_non_null(strstr(err.message, "printed more than 65536 bytes"));
    oras_process_free(process);
}

static void test_L18_a_gigabyte_is_too_much(void **state)
{
    (void)state;
    check_too_much("head -c 1073741824 /dev/zero");
    check_too_much("head -c 65537 /dev/zero");
}

static void test_L18_just_the_limit_is_not_too_much(void **state)
{
    oras_process *process = start_shell("head -c 65536 /dev/zero", "");

    (void)state;
    assert_true(result(process).output->size == LIMIT);
    oras_process_free(process);
}

static void test_L18_what_it_says_on_standard_error_is_cut(void **state)
{
    oras_process *process = start_shell("head -c 1000000 /dev/zero | tr '\\0' x >&2", "");
    oras_process_end end = result(process);

    (void)state;
    assert_int_equal(end.status, 0);
    assert_true(end.errors->size == 4096);
    assert_true(end.errors->data[0] == 'x' && end.errors->data[4095] == 'x');
    oras_process_free(process);
}

static void test_L18_nothing_and_NUL_are_handed_on(void **state)
{
    oras_process *process = start_shell("printf 'a\\0b'", "");
    oras_process_end end = result(process);

    (void)state;
    assert_true(end.output->size == 3);
    assert_memory_equal(end.output->data, "a\0b", 3);
    oras_process_free(process);
    check_prints(":", "", "");
}

static void test_L18_one_that_is_killed_says_by_what(void **state)
{
    oras_process *process = start_shell("kill -SEGV $$", "");
    oras_process_end end = result(process);

    (void)state;
    assert_int_equal(end.signal, SIGSEGV);
    oras_process_free(process);
}

static void test_L18_one_that_does_not_read_its_input_is_fine(void **state)
{
    size_t size = 1000000;
    char *input = malloc(size + 1);

    (void)state;
    memset(input, 'x', size);
    input[size] = '\0';
    check_prints("exec <&-; echo done", input, "done\n");
    check_prints("head -c 3", input, "xxx");
    free(input);
}

static void test_L18_one_that_closes_its_output_is_waited_for(void **state)
{
    oras_process *process = start_shell("exec >&- 2>&-; read -r line; exit 3", "x\n");

    (void)state;
    assert_int_equal(result(process).status, 3);
    oras_process_free(process);
}

static void test_L18_has_no_terminal(void **state)
{
    (void)state;
    check_prints("(: </dev/tty) 2>/dev/null || echo none", "", "none\n");
    /* a session of its own: field 6 of stat(5) is the process itself */
    check_prints("cut -d' ' -f1,5,6 /proc/$$/stat | { read -r a b c;"
                 " [ $a = $b ] && [ $a = $c ] && echo own; }",
                 "", "own\n");
}

/* --- L19: what it gets ---------------------------------------------------------------------- */

static void test_L19_gets_no_descriptor_of_ours(void **state)
{
    int open_one = fcntl(1, F_DUPFD, 100); /* without CLOEXEC */

    (void)state;
    assert_true(open_one >= 100);
    check_prints("for f in /proc/$$/fd/*; do case ${f##*/} in [012]) ;; *)"
                 " [ -e $f ] && [ ! -d $f ] && echo ${f##*/};; esac; done; echo end",
                 "", "end\n");
    close(open_one);
}

static void test_L19_variables_are_set_and_taken_out(void **state)
{
    static const char *const changes[] = {"ORAS_TEST_NEW=a=b", "ORAS_TEST_OLD", "ORAS_TEST_GONE",
                                          "ORAS_TEST_OVER=new", NULL};
    const char *argv[] = {"sh", "-c",
                          "echo $ORAS_TEST_NEW,${ORAS_TEST_OLD-none},$ORAS_TEST_OVER,"
                          "$ORAS_TEST_OLDER",
                          NULL};
    oras_process_plan plan = plan_of(argv, "");
    oras_process *process;

    (void)state;
    setenv("ORAS_TEST_OLD", "x", 1);
    setenv("ORAS_TEST_OVER", "x", 1);
    setenv("ORAS_TEST_OLDER", "stays", 1);
    plan.env = changes;
    process = start(&plan);
    assert_string_equal(oras_buf_text(result(process).output), "a=b,none,new,stays\n");
    oras_process_free(process);
}

static void test_L19_signals_are_as_a_program_expects_them(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    sigset_t blocked, before;

    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaction(SIGUSR1, &ignore, &old);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    /* the C library's own two, 32 and 33, it leaves ignored itself */
    check_prints(
        "sed -n 's/^SigBlk:.*0\\{16\\}$/none blocked/p; s/^SigIgn:.*[08]0000000$/none ignored/p'"
        " /proc/self/status",
        "", "none blocked\nnone ignored\n");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sigaction(SIGUSR1, &old, NULL);
}

static void test_L19_the_secret_is_wiped(void **state)
{
    const char *argv[] = {"sh", "-c", "cat; echo hunter2 >&2", NULL};
    oras_process_plan plan = plan_of(argv, "hunter2");
    oras_process *process;

    (void)state;
    counter.canary = "hunter2";
    counter.canary_seen = false;
    process = start(&plan);
    assert_string_equal(oras_buf_text(result(process).output), "hunter2");
    oras_process_free(process);
    counter.canary = NULL;
    assert_false(counter.canary_seen);
}

/* --- the host's ways ------------------------------------------------------------------------ */

static void test_L05_a_host_without_standard_input_works(void **state)
{
    int saved = fcntl(0, F_DUPFD_CLOEXEC, 100);

    (void)state;
    close(0);
    check_prints("cat", "some input", "some input");
    if (saved >= 0)
        dup2(saved, 0);
    close(saved);
}

static void test_a_host_that_ignores_SIGCHLD_is_told(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    oras_error err = ORAS_ERROR_INIT;
    oras_process *process;

    (void)state;
    sigaction(SIGCHLD, &ignore, &old);
    process = start_shell("echo done", "");
    assert_class(finish(process, &err), ORAS_C_HELPER);
    assert_non_null(strstr(err.message, "SIGCHLD"));
    oras_process_free(process);
    sigaction(SIGCHLD, &old, NULL);
}

static void test_L10_works_without_pidfd(void **state)
{
    (void)state;
    oras_process_force_polling(true);
    check_prints("cat", "some input", "some input");
    check_prints("sleep 1000 & echo done", "", "done\n");
    check_killed("sleep 1000 & echo $!; wait");
    oras_process_force_polling(false);
}

static void test_L22_memory_runs_out(void **state)
{
    const char *argv[] = {"cat", NULL};
    oras_process_plan plan = plan_of(argv, "input");
    oras_code code = ORAS_ENOMEM;

    (void)state;
    for (long n = 0; code; n++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_process *process = NULL;

        assert_true(n < 100);
        counter.n_before_failure = n;
        code = oras_process_start(&plan, &process, &err);
        counter.n_before_failure = -1;
        if (code)
            assert_int_equal(code, ORAS_ENOMEM);
        oras_process_free(process);
        assert_int_equal(counter.n_alive, 0);
    }
}

int main(void)
{
#define test(name) cmocka_unit_test_teardown(name, no_zombies)
    const struct CMUnitTest tests[] = {
        test(test_gives_what_is_printed_and_how_it_ended),
        test(test_arguments_are_no_shell_words),
        test(test_much_goes_in_and_out_at_once),
        test(test_L17_is_looked_for_in_PATH_alone),
        test(test_L17_a_script_without_interpreter_cannot_be_run),
        test(test_L18_one_that_hangs_is_killed_with_its_children),
        test(test_L18_one_that_ignores_signals_is_killed),
        test(test_L18_a_child_that_keeps_the_pipe_does_not_keep_us),
        test(test_L18_a_gigabyte_is_too_much),
        test(test_L18_just_the_limit_is_not_too_much),
        test(test_L18_what_it_says_on_standard_error_is_cut),
        test(test_L18_nothing_and_NUL_are_handed_on),
        test(test_L18_one_that_is_killed_says_by_what),
        test(test_L18_one_that_does_not_read_its_input_is_fine),
        test(test_L18_one_that_closes_its_output_is_waited_for),
        test(test_L18_has_no_terminal),
        test(test_L19_gets_no_descriptor_of_ours),
        test(test_L19_variables_are_set_and_taken_out),
        test(test_L19_signals_are_as_a_program_expects_them),
        test(test_L19_the_secret_is_wiped),
        test(test_L05_a_host_without_standard_input_works),
        test(test_a_host_that_ignores_SIGCHLD_is_told),
        test(test_L10_works_without_pidfd),
        test(test_L22_memory_runs_out),
    };
    const oras_allocator allocator = {failing_resize, &counter};

    oras_alloc_set(&allocator);
    signal(SIGPIPE, SIG_IGN); /* the loop holds it back */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
