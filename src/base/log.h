/* SPDX-License-Identifier: MIT
 * One line to whoever listens, with secrets taken out. */
#ifndef ORAS_BASE_LOG_H
#define ORAS_BASE_LOG_H

#include "base/buf.h"

typedef struct oras_log {
    oras_level level; /* lines above it are dropped */
    void (*fn)(void *ud, oras_level level, const char *line);
    void *ud;
} oras_log;

/** Would a line of this level be handed out? */
bool oras_log_wants(const oras_log *log, oras_level level);

/** Format, redact (oras_redact), make it one line, hand it out. A NULL log is silent. */
void oras_log_write(const oras_log *log, oras_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Append `text` to out with user information and every query value of URLs replaced by
 * "***", and so what follows "Bearer " or "Basic ". */
void oras_redact(const char *text, oras_buf *out);

#endif
