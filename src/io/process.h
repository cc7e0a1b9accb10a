/* SPDX-License-Identifier: MIT
 * A program of another's that is run for its answer: bytes in, bytes out. It has three pipes and
 * no other descriptor of ours, a session of its own without a terminal, and none of its process
 * group outlives it. Nothing here waits, and no signal handler is needed. */
#ifndef ORAS_IO_PROCESS_H
#define ORAS_IO_PROCESS_H

#include "base/buf.h"

typedef struct oras_process oras_process;

typedef struct oras_process_plan {
    const char *file;        /* a path, or a name without "/" that is looked for in PATH */
    const char *const *argv; /* with the program's own name; ends with NULL */
    const char *const *env;  /* "NAME=value" is put into our environment, "NAME" taken out; NULL */
    const void *input;       /* copied */
    size_t input_size;
    size_t limit; /* of what it may print */
} oras_process_plan;

/** Start it. Class helper (there is none, it cannot be run), io, memory. */
oras_code oras_process_start(const oras_process_plan *plan, oras_process **out, oras_error *err);

/** Readable when there is something to do; the same for its life. */
int oras_process_fd(const oras_process *process);

/** Do what can be done now; SIGPIPE must be held back, as the loop does. *ended: it is over, and
 * so is its whole group. Class helper: it printed too much. */
oras_code oras_process_step(oras_process *process, bool *ended, oras_error *err);

typedef struct oras_process_end {
    int status, signal;     /* signal 0: it ended by itself */
    const oras_buf *output; /* borrowed */
    const oras_buf *errors; /* the first of what it said on standard error */
} oras_process_end;

/** How it ended. */
void oras_process_result(const oras_process *process, oras_process_end *end);

/** Kill what still runs of its group and forget it; waits for no more than the kernel needs for
 * that. NULL is fine. */
void oras_process_free(oras_process *process);

/** For tests: look for the end now and then, as on a kernel without pidfd_open(2). */
void oras_process_force_polling(bool force);

#endif
