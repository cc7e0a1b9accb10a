/* SPDX-License-Identifier: MIT
 * Strings and numbers as JSON text, the same bytes for the same value in every locale. */
#ifndef ORAS_OCI_JSON_TEXT_H
#define ORAS_OCI_JSON_TEXT_H

#include "base/buf.h"

/** Append in quotes, escaping what must be and nothing else; false if it is not UTF-8. */
bool oras_json_append_string(const char *text, size_t size, oras_buf *out);

/** Append the shortest digits that read back as the same number, with a '.' or an exponent,
 * so that it stays no whole number; false if it is not finite. */
bool oras_json_append_float(double value, oras_buf *out);

#endif
