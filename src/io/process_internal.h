/* SPDX-License-Identifier: MIT
 * What process.c and process_start.c share. */
#ifndef ORAS_IO_PROCESS_INTERNAL_H
#define ORAS_IO_PROCESS_INTERNAL_H

#include "io/process.h"

#include <sys/types.h>

typedef enum oras_process_pipe { ORAS_PIPE_IN, ORAS_PIPE_OUT, ORAS_PIPE_ERR } oras_process_pipe;

/* Start `plan` with the three descriptors as its standard streams. Class helper, memory. */
oras_code oras_process_spawn(const oras_process_plan *plan, const int streams[3], pid_t *pid,
                             oras_error *err);

#endif
