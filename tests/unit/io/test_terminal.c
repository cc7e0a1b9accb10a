/* SPDX-License-Identifier: MIT
 * Questions on a terminal of our own: a child stands on it, the test has its keys. */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "io/terminal.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define WAIT_MS 10000

typedef struct session {
    pid_t pid;
    int keys;   /* the terminal's other side */
    int report; /* what the child tells */
    char seen[8192];
    size_t n_seen;
} session;

static bool has_echo(int fd)
{
    struct termios mode;

    return tcgetattr(fd, &mode) == 0 && mode.c_lflag & ECHO;
}

static int report_fd = -1;

/* What an interrupted user finds: is the echo there? */
static void on_interrupt(int number)
{
    const char *text = has_echo(STDIN_FILENO) ? " SIGINT+echo" : " SIGINT-echo";

    (void)number;
    (void)!write(report_fd, text, strlen(text));
}

static oras_terminal_step wait_for_answer(oras_terminal *terminal, oras_error *err)
{
    oras_terminal_step step;

    while ((step = oras_terminal_poll(terminal, err)) == ORAS_TERMINAL_WAIT)
        poll(NULL, 0, 1);
    return step;
}

static void tell(const char *text, size_t size)
{
    (void)!write(report_fd, text, size);
}

static void ask(bool hidden)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_terminal *terminal = NULL;
    const char *line;
    size_t size;

    if (oras_terminal_ask("Password: ", hidden, &terminal, &err)) {
        tell(err.message, strlen(err.message));
        return;
    }
    if (wait_for_answer(terminal, &err) == ORAS_TERMINAL_LINE) {
        line = oras_terminal_line(terminal, &size);
        tell("line=", 5);
        tell(line, size);
    } else {
        tell(err.message, strlen(err.message));
    }
    oras_terminal_end(terminal);
    tell(has_echo(STDIN_FILENO) ? " echo" : " mute", 5);
}

static void begin(session *s, bool hidden, bool detached)
{
    int pipe_fds[2];

    *s = (session){.keys = -1};
    assert_int_equal(pipe(pipe_fds), 0);
    s->pid = forkpty(&s->keys, NULL, NULL, NULL);
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        struct sigaction action = {.sa_handler = on_interrupt};

        report_fd = pipe_fds[1];
        sigaction(SIGINT, &action, NULL);
        signal(SIGHUP, SIG_IGN); /* of a terminal that is given up */
        if (detached && ioctl(STDIN_FILENO, TIOCNOTTY) != 0)
            _exit(2);
        ask(hidden);
        _exit(0);
    }
    close(pipe_fds[1]);
    s->report = pipe_fds[0];
}

static void see_question(session *s)
{
    struct pollfd fd = {.fd = s->keys, .events = POLLIN};

    while (!strstr(s->seen, "Password: ")) {
        ssize_t n;

        assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
        n = read(s->keys, s->seen + s->n_seen, sizeof s->seen - 1 - s->n_seen);
        assert_true(n > 0);
        s->n_seen += (size_t)n;
    }
}

static void press(const session *s, const char *keys)
{
    assert_int_equal(write(s->keys, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/* The child is at its end: what it told. */
static const char *finish(session *s)
{
    static char told[8192];
    size_t size = 0;
    ssize_t n;
    int status;

    while ((n = read(s->report, told + size, sizeof told - 1 - size)) > 0)
        size += (size_t)n;
    told[size] = '\0';
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    assert_int_equal(status, 0);
    while ((n = read(s->keys, s->seen + s->n_seen, sizeof s->seen - 1 - s->n_seen)) > 0)
        s->n_seen += (size_t)n;
    close(s->report);
    close(s->keys);
    return told;
}

static void a_hidden_answer_is_not_shown(void **state)
{
    session s;

    (void)state;
    begin(&s, true, false);
    see_question(&s);
    assert_false(has_echo(s.keys));
    press(&s, "wonder:lamd\177\177nd\n");
    assert_string_equal(finish(&s), "line=wonder:land echo");
    assert_null(strstr(s.seen, "wonder"));
}

static void an_answer_that_is_not_hidden_is_shown(void **state)
{
    session s;

    (void)state;
    begin(&s, false, false);
    see_question(&s);
    assert_true(has_echo(s.keys));
    press(&s, "alice\n");
    assert_string_equal(finish(&s), "line=alice echo");
    assert_non_null(strstr(s.seen, "alice"));
}

static void the_interrupt_key_is_passed_on_when_the_echo_is_back(void **state)
{
    session s;

    (void)state;
    begin(&s, true, false);
    see_question(&s);
    press(&s, "half\003");
    assert_string_equal(finish(&s), "interrupted SIGINT+echo echo");
    assert_null(strstr(s.seen, "half"));
}

static void keys_that_stop_or_kill_do_nothing_while_it_is_hidden(void **state)
{
    session s;

    (void)state;
    begin(&s, true, false);
    see_question(&s);
    press(&s, "a\032b\034c\n");
    assert_string_equal(finish(&s), "line=a\032b\034c echo");
}

static void the_end_of_input_is_no_answer(void **state)
{
    session s;

    (void)state;
    begin(&s, true, false);
    see_question(&s);
    press(&s, "\004");
    assert_string_equal(finish(&s), "the terminal gave no answer echo");
}

static void a_line_that_is_sent_in_two_parts_is_one(void **state)
{
    session s;

    (void)state;
    begin(&s, true, false);
    see_question(&s);
    press(&s, "won\004der\n");
    assert_string_equal(finish(&s), "line=wonder echo");
}

/* The kernel drops what is more: half of a token would be taken for all of it. */
static void a_line_that_the_kernel_cuts_is_refused(void **state)
{
    char keys[5001];
    session s;

    (void)state;
    memset(keys, 'x', sizeof keys - 2);
    keys[sizeof keys - 2] = '\n';
    keys[sizeof keys - 1] = '\0';
    begin(&s, true, false);
    see_question(&s);
    press(&s, keys);
    assert_string_equal(finish(&s), "a line on the terminal is too long: 4094 bytes at most echo");
}

static void without_a_terminal_nothing_is_asked(void **state)
{
    session s;

    (void)state;
    begin(&s, true, true);
    assert_string_equal(finish(&s), "there is no terminal to ask on: No such device or address");
}

static void a_terminal_has_a_size(void **state)
{
    struct winsize size = {.ws_col = 97, .ws_row = 31};
    int columns = 0, rows = 0, main_fd, fd;

    (void)state;
    assert_int_equal(openpty(&main_fd, &fd, NULL, NULL, &size), 0);
    assert_true(oras_terminal_size(fd, &columns, &rows));
    assert_int_equal(columns, 97);
    assert_int_equal(rows, 31);
    size = (struct winsize){0};
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
    assert_false(oras_terminal_size(fd, &columns, &rows));
    close(fd);
    close(main_fd);
    assert_false(oras_terminal_size(main_fd, &columns, &rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hidden_answer_is_not_shown),
        cmocka_unit_test(an_answer_that_is_not_hidden_is_shown),
        cmocka_unit_test(the_interrupt_key_is_passed_on_when_the_echo_is_back),
        cmocka_unit_test(keys_that_stop_or_kill_do_nothing_while_it_is_hidden),
        cmocka_unit_test(the_end_of_input_is_no_answer),
        cmocka_unit_test(a_line_that_is_sent_in_two_parts_is_one),
        cmocka_unit_test(a_line_that_the_kernel_cuts_is_refused),
        cmocka_unit_test(without_a_terminal_nothing_is_asked),
        cmocka_unit_test(a_terminal_has_a_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
