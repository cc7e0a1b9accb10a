/* SPDX-License-Identifier: MIT
 * One HTTP exchange: made, filled in, started; then it runs on the loop until it is done,
 * failed or cancelled. docs/architecture.md draws its life. */
#ifndef ORAS_NET_TRANSFER_H
#define ORAS_NET_TRANSFER_H

#include "base/secret.h"
#include "io/sink.h"
#include "io/source.h"
#include "net/client.h"
#include "net/headers.h"
#include "oci/origin.h"

typedef struct oras_transfer oras_transfer;

/** Where an answer came from; what it sends us to is judged by this. */
typedef struct oras_hop {
    oras_origin origin;
    oras_reach reach; /* of the server's address */
} oras_hop;

/** Limits on waiting, in ms; 0 means the default, -1 no limit. `first_byte` counts from the end
 * of the body that is sent; `stall` holds for what is sent, too. */
typedef struct oras_timeouts {
    int64_t connect, first_byte, stall, total;
} oras_timeouts;

typedef enum oras_event {
    ORAS_EVENT_HEADERS,  /* status and headers are there; the body follows */
    ORAS_EVENT_DATA,     /* the sink took bytes */
    ORAS_EVENT_PROGRESS, /* about every 100 ms while it runs */
    ORAS_EVENT_DONE      /* once */
} oras_event;

/** Called on the loop's thread, also from within callbacks of curl: it may note what happened
 * and wake somebody, and must not touch the transfer. */
typedef void oras_transfer_fn(void *ud, oras_event event);

/** `method` and `url` are copied. Class usage. */
oras_code oras_transfer_new(oras_client *client, const char *method, const char *url,
                            oras_transfer **out, oras_error *err);

/** Cancels what runs. NULL is fine. The sink is the caller's. */
void oras_transfer_free(oras_transfer *transfer);

/** Add a request header; `bound` ones go to the bound origin only. Class usage for names or
 * values with bytes that do not belong there. */
oras_code oras_transfer_add_header(oras_transfer *transfer, const char *name, const char *value,
                                   bool bound, oras_error *err);

/** What secret, bound headers and client certificate are for; default: the URL's origin. */
oras_code oras_transfer_bind(oras_transfer *transfer, const char *origin, oras_error *err);

/** The Authorization value; sent only if its origin, the bound one and the URL's agree. */
void oras_transfer_set_secret(oras_transfer *transfer, oras_secret *secret);

/** The URL was given by this hop's server: judged by the policy of origins. */
oras_code oras_transfer_set_from(oras_transfer *transfer, const oras_hop *from, oras_error *err);

/** A body; borrowed until the end. */
void oras_transfer_set_body(oras_transfer *transfer, const void *data, size_t size);

/** A body: `size` bytes of the source (-1: all that are left; where it does not know them, in
 * chunked coding) from `offset` on, to which it is taken before each attempt. Borrowed. */
void oras_transfer_set_source(oras_transfer *transfer, oras_source *source, int64_t offset,
                              int64_t size);

/** Ask for these bytes, inclusive. An answer of 200 is cut to them. */
void oras_transfer_set_range(oras_transfer *transfer, int64_t first, int64_t last);

/** Copied; and what is allowed beyond https and HTTP/1.1 (loopback may always be http). */
void oras_transfer_set_timeouts(oras_transfer *transfer, const oras_timeouts *timeouts);
void oras_transfer_allow_http(oras_transfer *transfer);
void oras_transfer_allow_http2(oras_transfer *transfer);

/** Start. `sink` (may be NULL) takes the body of a 2xx answer and is borrowed until done; it
 * may hold bytes already, then the rest is asked for. `fn` is never called from within this
 * call. Class usage, redirect (policy), memory, what the sink says. */
oras_code oras_transfer_start(oras_transfer *transfer, oras_sink *sink, oras_transfer_fn *fn,
                              void *ud, oras_error *err);

/** Stop now; no event follows. Idempotent. */
void oras_transfer_cancel(oras_transfer *transfer);

/** How it ended: ORAS_OK with status and headers, or the error. Only when done. */
oras_code oras_transfer_result(const oras_transfer *transfer, oras_error *err);

/** May the same request be tried again after this failure? */
bool oras_transfer_is_retryable(const oras_transfer *transfer);

/** Of the answer, borrowed until the transfer is freed; status 0 before there is one. */
int oras_transfer_status(const oras_transfer *transfer);
const oras_headers *oras_transfer_headers(const oras_transfer *transfer);
const char *oras_transfer_url(const oras_transfer *transfer);
const char *oras_transfer_method(const oras_transfer *transfer);
oras_hop oras_transfer_hop(const oras_transfer *transfer);

/** Body of an answer of status >= 300, at most 64 KiB. */
oras_buf *oras_transfer_error_body(oras_transfer *transfer);

/** Bytes of the blob so far (with those that were there before) and in all (-1: unknown); of
 * the body that is sent, if there is one. */
void oras_transfer_progress(const oras_transfer *transfer, int64_t *done, int64_t *total);

#endif
