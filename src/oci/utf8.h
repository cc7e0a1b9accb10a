/* SPDX-License-Identifier: MIT
 * UTF-8 as RFC 3629 has it: no surrogates, nothing overlong, nothing beyond U+10FFFF. */
#ifndef ORAS_OCI_UTF8_H
#define ORAS_OCI_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/** Are all the bytes such text? NUL is a character like others. */
bool oras_utf8_is_valid(const char *text, size_t size);

#endif
