/* SPDX-License-Identifier: MIT
 * A child process for code that nobody trusts, and messages to it and from it. The program is
 * inside of the library (src/host/sandbox_child.c): no file has to be found. Nothing here waits. */
#ifndef ORAS_IO_SANDBOX_H
#define ORAS_IO_SANDBOX_H

#include "base/buf.h"

typedef struct oras_sandbox oras_sandbox;

/** One message: JSON, and bytes that belong to it. On the wire two sizes of 4 bytes, the lowest
 * first, stand in front. */
typedef struct oras_sandbox_message {
    const char *json;
    size_t json_size;
    const char *bytes;
    size_t bytes_size;
} oras_sandbox_message;

#define ORAS_SANDBOX_JSON_MAX  ((size_t)4 * 1024 * 1024)
#define ORAS_SANDBOX_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define ORAS_SANDBOX_HEAD      8

/** Start a child that waits for a message; `program` is what it runs. Class io, memory, sandbox. */
oras_code oras_sandbox_start(const void *program, size_t size, oras_sandbox **out, oras_error *err);

/** Readable when there is something to do. */
int oras_sandbox_fd(const oras_sandbox *sandbox);

/** Copy a message to be sent by oras_sandbox_step(). Class usage (too big), memory. */
oras_code oras_sandbox_send(oras_sandbox *sandbox, const oras_sandbox_message *message,
                            oras_error *err);

/** Do what can be done now. *answered: there is a message, valid until the next send. Class
 * sandbox: the child has ended, or says what is no message. */
oras_code oras_sandbox_step(oras_sandbox *sandbox, bool *answered, oras_sandbox_message *message,
                            oras_error *err);

/** Processor time that the child has used, in milliseconds. */
int64_t oras_sandbox_cpu_ms(const oras_sandbox *sandbox);

/** The kernel ends the child some seconds behind that processor time, whoever looks. */
void oras_sandbox_limit_cpu(const oras_sandbox *sandbox, int64_t cpu_ms);

/** Kill the child and forget it. NULL is fine. */
void oras_sandbox_free(oras_sandbox *sandbox);

#endif
