/* SPDX-License-Identifier: MIT
 * What client.c, transfer.c, request*.c, upload.c, receive.c and limits.c share. */
#ifndef ORAS_NET_INTERNAL_H
#define ORAS_NET_INTERNAL_H

#include "net/client.h"
#include "net/curl.h"
#include "net/proxy.h"
#include "net/transfer.h"
#include "net/url.h"

#define ORAS_ERROR_BODY_MAX ((size_t)64 * 1024)
#define ORAS_BIG_BODY       ((int64_t)1024 * 1024) /* from here on: big buffers, HTTP/1.1 */

typedef enum oras_state {
    STATE_NEW,
    STATE_OPENING,   /* the sink looks at its partial file */
    STATE_QUEUED,    /* waits for a place at its host */
    STATE_RUNNING,   /* curl has it */
    STATE_FINISHING, /* the sink verifies and publishes */
    STATE_DONE
} oras_state;

/* Transfers at one origin. */
typedef struct oras_host {
    char origin[ORAS_ORIGIN_TEXT_MAX];
    int n_running;
    oras_transfer *first, *last; /* waiting */
    struct oras_host *next;
} oras_host;

/* The body that is sent: bytes that are there, or a source's. */
typedef struct oras_upload {
    const char *data;    /* all of a body in memory; NULL: from the source */
    oras_source *source; /* NULL: none */
    int64_t offset;      /* of the body's first byte in the source */
    int64_t wanted;      /* bytes from there; -1: all */
    int64_t size;        /* of the body; -1: until the source ends */
    char *head;          /* its first bytes, read in advance */
    size_t n_head;
    int64_t given; /* bytes of the body that curl has */
    bool ended, paused;
    int64_t sent_at; /* ms: all was sent, the answer is awaited; 0: not yet */
    oras_post post;  /* the source's notification, on the loop's thread */
} oras_upload;

struct oras_transfer {
    oras_curl_owner owner; /* first: CURLOPT_PRIVATE */
    oras_client *client;
    oras_state state;
    CURL *easy;
    oras_host *host;
    oras_transfer *next_waiting;                /* in the host's queue */
    oras_transfer *next_running, *prev_running; /* in the client's list */

    /* the request */
    char *method;
    oras_url url;
    char bound[ORAS_ORIGIN_TEXT_MAX];
    struct curl_slist *headers, *bound_headers, *sent_headers;
    oras_secret *secret;
    oras_upload upload;
    bool allow_http, allow_http2, has_from;
    oras_hop from;
    int64_t range_first, range_last; /* -1: none */
    oras_timeouts timeouts;

    /* the response */
    int status;
    oras_headers response;
    int n_interim;
    size_t n_header_bytes;
    int64_t content_length; /* -1: unknown */
    bool connected, headers_done, begun, enough, paused;
    bool rests;        /* paused by a slow reader: others have its place */
    const char *proxy; /* of the client; NULL: none */
    bool fresh;        /* only a new connection will do */
    oras_buf error_body;
    int64_t offset;     /* of the body's first byte in the blob */
    int64_t skip, take; /* of the body's bytes; take -1: all */
    int64_t received;
    oras_reach reach;

    /* the end */
    oras_error error; /* code 0: success */
    bool retryable;
    unsigned long n_refusals; /* of memory, when it was made */
    char text[CURL_ERROR_SIZE];

    oras_sink *sink;
    oras_post post; /* the sink's notification, on the loop's thread */
    oras_transfer_fn *fn;
    void *ud;

    int64_t started, window_start; /* ms */
    int64_t window_bytes;          /* received since then */
    int64_t window_sent;           /* bytes of the body that were sent until then */
};

struct oras_client {
    int n_refs;
    oras_loop *loop;
    char *ca_file, *cert, *key, *cert_origin, *proxy, *user_agent;
    bool insecure;
    oras_proxy_env env; /* empty where a proxy was chosen */
    struct curl_slist *connect_to;
    int per_host;
    oras_host *hosts;
    oras_transfer *running;
    CURL *idle[16];
    int n_idle;
    oras_timer tick;
    oras_post room; /* a place became free inside a callback of curl */
    bool ticking;
};

/* client.c */
oras_code oras_client_enter(oras_client *client, oras_transfer *transfer, oras_error *err);
void oras_client_leave(oras_client *client, oras_transfer *transfer);

/* A stream waits for its reader, who may wait for a transfer that waits for a place: it gives
 * its own to others until it goes on. Callable from within curl. */
void oras_client_rest(oras_client *client, oras_transfer *transfer);
void oras_client_go_on(oras_transfer *transfer);

/* request.c: everything that is set on the handle */
oras_code oras_request_prepare(oras_transfer *transfer, oras_error *err);

/* request_headers.c */
bool oras_field_is_name(const char *name);
bool oras_request_set_headers(oras_transfer *transfer);

/* Is the URL's origin the one that secret, bound headers and certificate are for? */
bool oras_request_is_bound(const oras_transfer *transfer);

/* upload.c */
void oras_upload_init(oras_transfer *transfer);
bool oras_upload_exists(const oras_transfer *transfer);
bool oras_upload_is_big(const oras_transfer *transfer);

/* Before each attempt: to the body's first byte. A small body is read in advance. */
oras_code oras_upload_prepare(oras_transfer *transfer, oras_error *err);
void oras_upload_set(oras_transfer *transfer); /* what curl has to know */
void oras_upload_silence(oras_transfer *transfer);

/* Tell curl which directions are paused now. */
void oras_upload_set_pause(oras_transfer *transfer);

/* Bytes of the body that went out; is that all of them? */
int64_t oras_upload_sent(const oras_transfer *transfer);
bool oras_upload_is_sent(const oras_transfer *transfer);

/* The server has answered in full before it had the body. */
bool oras_upload_is_answered(const oras_transfer *transfer);
void oras_upload_refused(oras_transfer *transfer);
void oras_upload_progress(const oras_transfer *transfer, int64_t *done, int64_t *total);

/* limits.c: judge time limits, about every 100 ms */
void oras_transfer_tick(oras_transfer *transfer, int64_t now);

/* receive.c: callbacks of curl; only copy and set flags */
size_t oras_receive_header(char *data, size_t size, size_t count, void *ud);
size_t oras_receive_body(char *data, size_t size, size_t count, void *ud);

/* failure.c: fill the transfer's error, unless a cause is known already */
void oras_failure_explain(oras_transfer *transfer, CURLcode result);

/* The same for a request that was sent, on a connection that broke then. */
void oras_failure_unanswered(oras_transfer *transfer);

/* Say with an integrity failure that the body came in a coding. */
void oras_failure_name_coding(oras_transfer *transfer);

/* transfer.c */
void oras_transfer_fail(oras_transfer *transfer, const oras_error *err, bool retryable);
void oras_transfer_ended(oras_curl_owner *owner, CURLcode result);

#endif
