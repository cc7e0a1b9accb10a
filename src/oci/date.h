/* SPDX-License-Identifier: MIT
 * HTTP dates (RFC 9110, 5.6.7) without locale and time zone. */
#ifndef ORAS_OCI_DATE_H
#define ORAS_OCI_DATE_H

#include <stdbool.h>
#include <stdint.h>

/** Unix time of an IMF-fixdate, RFC 850 or asctime date; `now` settles the century of the
 * two-digit years of the second form. False for anything else. */
bool oras_date_parse(const char *text, int64_t now, int64_t *out);

#endif
