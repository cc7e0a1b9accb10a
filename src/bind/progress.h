/* SPDX-License-Identifier: MIT
 * How far a call is, for the host: what moved in sum, and one call of the host's function every
 * moment while Lua waits. */
#ifndef ORAS_BIND_PROGRESS_H
#define ORAS_BIND_PROGRESS_H

#include "bind/context.h"
#include "oci/digest.h"

#define ORAS_PROGRESS_TITLE_MAX 256

struct oras_reports {
    void (*tell)(void *ud, const oras_progress *progress); /* may interrupt the runtime */
    void *ud;
    int64_t due_ms;
    int64_t sum;       /* of the sizes that are known */
    int64_t n_unknown; /* things that move and do not say how big they are */
    oras_progress now; /* its strings are these: */
    char digest[ORAS_DIGEST_TEXT_MAX], title[ORAS_PROGRESS_TITLE_MAX];
};

/** A new call: nothing has moved. */
void oras_reports_begin(oras_reports *reports);

/** Tell the host now. */
void oras_reports_tell(oras_reports *reports);

/** Wait for something to happen in the loop; meanwhile the host is told, if it wants to know. */
oras_code oras_reports_wait(const oras_context *context, oras_error *err);

#endif
