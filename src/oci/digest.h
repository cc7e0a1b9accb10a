/* SPDX-License-Identifier: MIT
 * Digests: the grammar of image-spec descriptor.md, sha256 and sha512 while streaming. */
#ifndef ORAS_OCI_DIGEST_H
#define ORAS_OCI_DIGEST_H

#include "base/error.h"

#define ORAS_DIGEST_TEXT_MAX 160 /* "sha512:" and 128 digits, with room for the NUL */

typedef enum oras_algorithm { ORAS_SHA256, ORAS_SHA512 } oras_algorithm;

typedef struct oras_digest {
    oras_algorithm algorithm;
    char text[ORAS_DIGEST_TEXT_MAX]; /* "sha256:<hex>" */
} oras_digest;

/** Parse; class content: not the grammar, an algorithm that cannot be verified here, or hex
 * of the wrong length or case. `size` is that of `text`, which need not end in NUL. */
oras_code oras_digest_parse(const char *text, size_t size, oras_digest *out, oras_error *err);

/** Same algorithm and same digits. */
bool oras_digest_equal(const oras_digest *a, const oras_digest *b);

/** The hex behind the colon; "sha256" or "sha512" (as a path component of a layout). */
const char *oras_digest_encoded(const oras_digest *digest);
const char *oras_algorithm_name(oras_algorithm algorithm);
bool oras_algorithm_find(const char *name, oras_algorithm *out);

/** A digest being computed. One thread at a time. */
typedef struct oras_hasher oras_hasher;

oras_code oras_hasher_new(oras_algorithm algorithm, oras_hasher **out, oras_error *err);
void oras_hasher_free(oras_hasher *hasher);

/** Back to zero bytes. */
oras_code oras_hasher_reset(oras_hasher *hasher, oras_error *err);
oras_code oras_hasher_update(oras_hasher *hasher, const void *data, size_t size, oras_error *err);

/** The digest of what went in; the hasher may only be reset or freed afterwards. */
oras_code oras_hasher_final(oras_hasher *hasher, oras_digest *out, oras_error *err);

/** Digest of bytes at once. */
oras_code oras_digest_of(oras_algorithm algorithm, const void *data, size_t size, oras_digest *out,
                         oras_error *err);

#endif
