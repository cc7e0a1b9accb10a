/* SPDX-License-Identifier: MIT
 * The program of the sandbox's child (src/host/sandbox_child.c), as a file's bytes. */
#ifndef ORAS_BIND_SANDBOX_PROGRAM_H
#define ORAS_BIND_SANDBOX_PROGRAM_H

extern const unsigned char oras_sandbox_program[], oras_sandbox_program_end[];

#endif
