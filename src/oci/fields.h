/* SPDX-License-Identifier: MIT
 * Values of HTTP header fields that registries send: pure parsers over bytes. */
#ifndef ORAS_OCI_FIELDS_H
#define ORAS_OCI_FIELDS_H

#include "base/buf.h"

/** Content-Range of a 206 (RFC 9110, 14.4): "bytes a-b/total"; total -1 for "*". */
typedef struct oras_content_range {
    int64_t first, last, total;
} oras_content_range;
oras_code oras_content_range_parse(const char *value, oras_content_range *out, oras_error *err);

/** Retry-After (RFC 9110, 10.2.3): seconds from `now` (Unix time), for digits and the three
 * date forms; a past date gives 0. Class protocol for anything else (negative, garbage). */
oras_code oras_retry_after_parse(const char *value, int64_t now, int64_t *seconds, oras_error *err);

/** Append the target of the first link of relation `rel` in one Link field (RFC 8288) to
 * *out; false if there is none. The target is as written, not resolved. */
bool oras_link_find(const char *value, const char *rel, oras_buf *out);

/** Append the text of a `299 - "text"` Warning (distribution-spec, Warnings), unescaped; false
 * for every other code or agent. */
bool oras_warning_parse(const char *value, oras_buf *out);

#endif
