/* SPDX-License-Identifier: MIT
 * Secrets that a server says back are taken out of its words. */
#ifndef ORAS_OCI_HIDE_H
#define ORAS_OCI_HIDE_H

#include "base/buf.h"

/** Copies of less than that many bytes stay: they would be found in any text. */
#define ORAS_HIDE_LEAST 4

/**
 * Append `text` with "***" for each copy of `secret`, which is a bare one or the value of an
 * Authorization field; of Basic also its password, as it is and in base64. Bytes of a copy may
 * be %-encoded. What went wrong is in the buffer's state.
 */
void oras_hide(const char *text, size_t size, const char *secret, oras_buf *out);

#endif
