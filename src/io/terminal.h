/* SPDX-License-Identifier: MIT
 * The controlling terminal: its size, and a question that is answered by a line. */
#ifndef ORAS_IO_TERMINAL_H
#define ORAS_IO_TERMINAL_H

#include "base/error.h"

#include <stddef.h>

/** A question on /dev/tty. */
typedef struct oras_terminal oras_terminal;

typedef enum oras_terminal_step {
    ORAS_TERMINAL_WAIT, /* not answered yet: ask again in a moment */
    ORAS_TERMINAL_LINE,
    ORAS_TERMINAL_FAILED
} oras_terminal_step;

/** Columns and rows of the terminal that fd is; false when it is none, or does not know. */
bool oras_terminal_size(int fd, int *columns, int *rows);

/** Begin to ask; `text` is written by the steps and must live until the end. Hidden: nothing of
 * the answer is shown, and what was typed before the question does not count. Class io without a
 * terminal. */
oras_code oras_terminal_ask(const char *text, bool hidden, oras_terminal **out, oras_error *err);

/** Do what can be done now; never waits. Class cancelled: the interrupt key was pressed. */
oras_terminal_step oras_terminal_poll(oras_terminal *terminal, oras_error *err);

/** The answer without its newline, after ORAS_TERMINAL_LINE; borrowed. */
const char *oras_terminal_line(const oras_terminal *terminal, size_t *size);

/** The terminal is as it was before; the answer is wiped. An interrupt key that was taken is
 * passed on as the signal that it stands for. NULL is fine. */
void oras_terminal_end(oras_terminal *terminal);

#endif
