/* SPDX-License-Identifier: MIT
 * What a process gives up before it runs code that nobody trusts: one way, for good. */
#ifndef ORAS_IO_SANDBOX_ENTER_H
#define ORAS_IO_SANDBOX_ENTER_H

/** The protections; a test leaves one out to see that an attack which it stops then succeeds. */
typedef enum oras_sandbox_part {
    ORAS_SANDBOX_LIMITS = 1,   /* setrlimit(2): memory, descriptors, processes, files, cores */
    ORAS_SANDBOX_LANDLOCK = 2, /* no file; where the kernel has it */
    ORAS_SANDBOX_SECCOMP = 4,  /* a list of system calls, everything else ends the process */
    ORAS_SANDBOX_ALL = 7
} oras_sandbox_part;

/** Exit statuses of a child: a part could not be had (status - REFUSED), time or trust is used up.
 */
enum {
    ORAS_SANDBOX_REFUSED = 64,
    ORAS_SANDBOX_OUT_OF_TIME = 80,
    ORAS_SANDBOX_OUT_OF_MEMORY = 81,
    ORAS_SANDBOX_BROKEN = 82
};

/** The one descriptor that may be read and written afterwards. */
#define ORAS_SANDBOX_FD 0

/** Close everything but ORAS_SANDBOX_FD. */
void oras_sandbox_close_all(void);

/** Give up all that `parts` names; 0, or the part that could not be given up (errno says why). */
int oras_sandbox_enter(unsigned parts);

#endif
