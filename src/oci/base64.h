/* SPDX-License-Identifier: MIT
 * Base64, standard alphabet with padding (RFC 4648, 4). */
#ifndef ORAS_OCI_BASE64_H
#define ORAS_OCI_BASE64_H

#include "base/buf.h"

/** Append the encoding of `data`; false when the buffer says so. */
bool oras_base64_encode(const void *data, size_t size, oras_buf *out);

/** Append what `text` encodes. Class content: a foreign character (blanks too), missing or
 * misplaced padding, bits set behind the last byte. The text is never quoted: it may be a
 * credential. */
oras_code oras_base64_decode(const char *text, size_t size, oras_buf *out, oras_error *err);

#endif
