/* SPDX-License-Identifier: MIT
 * The kernel edits the line (canonical mode), so that its keys are those the user knows. While an
 * answer is hidden, keys that would stop or end the process with the echo off make no signal: the
 * interrupt key ends the line instead, and the signal is sent when the echo is back. No handler of
 * signals is needed for that, which would be the host's business. */
#define _GNU_SOURCE
#include "io/terminal.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define PATH "/dev/tty"
#define MAX_LINE                                                                                   \
    4096 /* N_TTY_BUF_SIZE of Linux, newline and all: what is more is not passed on                \
          */

struct oras_terminal {
    int fd;
    bool hidden, is_changed, is_interrupted;
    struct termios before;
    const char *unsent; /* of the question */
    char line[MAX_LINE];
    size_t size;
};

bool oras_terminal_size(int fd, int *columns, int *rows)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || !size.ws_col || !size.ws_row)
        return false;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return true;
}

static int set(int fd, const struct termios *mode)
{
    int rc;

    do
        rc = tcsetattr(fd, TCSANOW, mode);
    while (rc != 0 && errno == EINTR);
    return rc;
}

static void hide(struct termios *mode)
{
    mode->c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    mode->c_lflag |= ICANON;
    mode->c_cc[VEOL] = mode->c_lflag & ISIG ? mode->c_cc[VINTR] : _POSIX_VDISABLE;
    mode->c_cc[VINTR] = mode->c_cc[VQUIT] = mode->c_cc[VSUSP] = _POSIX_VDISABLE;
}

static oras_code set_up(oras_terminal *terminal, oras_error *err)
{
    struct termios mode;

    terminal->fd = open(PATH, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (terminal->fd < 0)
        return oras_fail_errno(err, errno, "there is no terminal to ask on");
    if (tcgetattr(terminal->fd, &terminal->before) != 0)
        return oras_fail_errno(err, errno, "cannot ask on the terminal");
    if (!terminal->hidden)
        return ORAS_OK;
    mode = terminal->before;
    hide(&mode);
    if (set(terminal->fd, &mode) != 0)
        return oras_fail_errno(err, errno, "cannot hide what is typed on the terminal");
    terminal->is_changed = true;
    tcflush(terminal->fd, TCIFLUSH);
    return ORAS_OK;
}

oras_code oras_terminal_ask(const char *text, bool hidden, oras_terminal **out, oras_error *err)
{
    oras_terminal *terminal = oras_alloc_zero(1, sizeof *terminal);
    oras_code code;

    if (!terminal)
        return oras_fail_memory(err);
    terminal->hidden = hidden;
    terminal->unsent = text;
    code = set_up(terminal, err);
    if (code)
        oras_terminal_end(terminal);
    else
        *out = terminal;
    return code;
}

/* Is it all there? A terminal whose output is held takes it later. */
static bool send_question(oras_terminal *terminal)
{
    while (*terminal->unsent) {
        ssize_t n = write(terminal->fd, terminal->unsent, strlen(terminal->unsent));

        if (n < 0)
            return errno != EAGAIN && errno != EINTR; /* reading says what is wrong */
        terminal->unsent += n;
    }
    return true;
}

static oras_terminal_step fail(oras_error *err, oras_class class, const char *text)
{
    oras_fail(err, class, "%s", text);
    return ORAS_TERMINAL_FAILED;
}

/* What was read ends the line, unless the key for the end of a file sent a part of it. */
static oras_terminal_step take(oras_terminal *terminal, oras_error *err)
{
    char last = terminal->line[terminal->size - 1];

    if (terminal->hidden && last == (char)terminal->before.c_cc[VINTR] && last != '\n') {
        terminal->is_interrupted = true;
        return fail(err, ORAS_C_CANCELLED, "interrupted");
    }
    if (terminal->size == MAX_LINE)
        return fail(err, ORAS_C_IO, "a line on the terminal is too long: 4094 bytes at most");
    if (last != '\n')
        return ORAS_TERMINAL_WAIT;
    terminal->size--;
    return ORAS_TERMINAL_LINE;
}

oras_terminal_step oras_terminal_poll(oras_terminal *terminal, oras_error *err)
{
    ssize_t n;

    if (!send_question(terminal))
        return ORAS_TERMINAL_WAIT;
    n = read(terminal->fd, terminal->line + terminal->size, MAX_LINE - terminal->size);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return ORAS_TERMINAL_WAIT;
    if (n < 0) {
        oras_fail_errno(err, errno, "cannot read from the terminal");
        return ORAS_TERMINAL_FAILED;
    }
    if (n == 0)
        return fail(err, ORAS_C_IO, "the terminal gave no answer");
    terminal->size += (size_t)n;
    return take(terminal, err);
}

const char *oras_terminal_line(const oras_terminal *terminal, size_t *size)
{
    *size = terminal->size;
    return terminal->line;
}

/* As the terminal does it: to all that stand in the foreground. */
static void pass_interrupt_on(const oras_terminal *terminal)
{
    pid_t group = tcgetpgrp(terminal->fd);

    if (group > 1)
        kill(-group, SIGINT);
}

void oras_terminal_end(oras_terminal *terminal)
{
    if (!terminal)
        return;
    if (terminal->is_changed) {
        (void)!write(terminal->fd, "\n", 1); /* the user's was not shown */
        set(terminal->fd, &terminal->before);
    }
    if (terminal->is_interrupted)
        pass_interrupt_on(terminal);
    oras_close_fd(&terminal->fd);
    explicit_bzero(terminal, sizeof *terminal);
    oras_dealloc(terminal);
}
