/* SPDX-License-Identifier: MIT
 * WWW-Authenticate (RFC 9110, 11.6.1): many challenges a line, token68, quoted strings.
 *
 * Nothing is copied: a challenge is made of slices of the field's value. What does not fit
 * the grammar is passed over up to the next challenge. */
#ifndef ORAS_OCI_CHALLENGE_H
#define ORAS_OCI_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

/** Most bytes of challenges that are looked at (all lines of a response together). */
#define ORAS_CHALLENGE_MAX ((size_t)64 * 1024)

typedef struct oras_slice {
    const char *data; /* NULL: absent */
    size_t size;
} oras_slice;

/** What is left to be read of a field's value. */
typedef oras_slice oras_challenge_cursor;

typedef struct oras_challenge {
    oras_slice scheme; /* as written; compare without case */
    oras_slice token68;
    oras_slice params; /* for oras_challenge_param() */
} oras_challenge;

typedef struct oras_challenge_pair {
    oras_slice name;  /* as written; compare without case */
    oras_slice value; /* between the quotes, still escaped; see oras_slice_unescape() */
} oras_challenge_pair;

/** The next challenge, moving the cursor behind it; false at the end. */
bool oras_challenge_next(oras_challenge_cursor *cursor, oras_challenge *out);

/** The next parameter of challenge->params, cutting it off there; false at the end. */
bool oras_challenge_param(oras_slice *params, oras_challenge_pair *out);

/** Copy without the escapes of a quoted string into `out` (at least slice.size bytes). */
size_t oras_slice_unescape(oras_slice slice, char *out);

#endif
