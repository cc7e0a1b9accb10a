/* SPDX-License-Identifier: MIT
 * The life of a transfer: start, the ends that curl reports, time limits, cancel. */
#define _GNU_SOURCE
#include "net/transfer.h"

#include "base/alloc.h"
#include "net/internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_method(const char *method)
{
    size_t size = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return size > 0 && size < 16 && method[size] == '\0';
}

static void on_notify(void *ud)
{
    oras_transfer *transfer = ud;

    oras_loop_post(transfer->client->loop, &transfer->post);
}

static void on_post(void *ud);

oras_code oras_transfer_new(oras_client *client, const char *method, const char *url,
                            oras_transfer **out, oras_error *err)
{
    oras_transfer *transfer;
    oras_code code;

    if (!is_method(method))
        return oras_fail(err, ORAS_C_USAGE, "method '%s' is not one, expected GET, PUT, ...",
                         method);
    transfer = oras_alloc_zero(1, sizeof *transfer);
    if (!transfer)
        return oras_fail_memory(err);
    transfer->client = oras_client_ref(client);
    transfer->owner = (oras_curl_owner){.done = oras_transfer_ended, .fd = CURL_SOCKET_BAD};
    transfer->n_refusals = oras_alloc_refusals();
    transfer->range_first = transfer->range_last = transfer->take = -1;
    transfer->content_length = -1;
    transfer->reach = ORAS_REACH_PUBLIC;
    transfer->post = (oras_post){.fn = on_post, .ud = transfer};
    oras_upload_init(transfer);
    oras_headers_init(&transfer->response);
    oras_buf_init(&transfer->error_body, ORAS_ERROR_BODY_MAX);
    transfer->method = oras_strdup(method);
    code = transfer->method ? oras_url_parse(url, ORAS_C_USAGE, &transfer->url, err)
                            : oras_fail_memory(err);
    if (code) {
        oras_transfer_free(transfer);
        return code;
    }
    oras_origin_print(&transfer->url.origin, transfer->bound);
    *out = transfer;
    return ORAS_OK;
}

void oras_transfer_free(oras_transfer *transfer)
{
    if (!transfer)
        return;
    oras_transfer_cancel(transfer);
    oras_dealloc(transfer->upload.head);
    oras_dealloc(transfer->method);
    oras_url_dispose(&transfer->url);
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->bound_headers);
    oras_secret_unref(transfer->secret);
    oras_headers_dispose(&transfer->response);
    oras_buf_dispose(&transfer->error_body);
    oras_client_unref(transfer->client);
    oras_dealloc(transfer);
}

oras_code oras_transfer_bind(oras_transfer *transfer, const char *origin, oras_error *err)
{
    oras_url url;
    oras_code code;

    if (strcmp(origin, transfer->bound) == 0) /* the URL's own, as nearly always */
        return ORAS_OK;
    code = oras_url_parse(origin, ORAS_C_USAGE, &url, err);
    if (code)
        return code;
    oras_origin_print(&url.origin, transfer->bound);
    oras_url_dispose(&url);
    return ORAS_OK;
}

void oras_transfer_set_secret(oras_transfer *transfer, oras_secret *secret)
{
    oras_secret_ref(secret);
    oras_secret_unref(transfer->secret);
    transfer->secret = secret;
}

oras_code oras_transfer_set_from(oras_transfer *transfer, const oras_hop *from, oras_error *err)
{
    transfer->from = *from;
    transfer->has_from = true;
    return oras_origin_check(&from->origin, from->reach, &transfer->url.origin, err);
}

void oras_transfer_set_body(oras_transfer *transfer, const void *data, size_t size)
{
    transfer->upload.data = data ? data : "";
    transfer->upload.size = (int64_t)size;
}

void oras_transfer_set_source(oras_transfer *transfer, oras_source *source, int64_t offset,
                              int64_t size)
{
    transfer->upload.source = source;
    transfer->upload.offset = offset;
    transfer->upload.wanted = size;
}

void oras_transfer_set_range(oras_transfer *transfer, int64_t first, int64_t last)
{
    transfer->range_first = first;
    transfer->range_last = last;
}

void oras_transfer_set_timeouts(oras_transfer *transfer, const oras_timeouts *timeouts)
{
    transfer->timeouts = *timeouts;
}

void oras_transfer_allow_http(oras_transfer *transfer)
{
    transfer->allow_http = true;
}

void oras_transfer_allow_http2(oras_transfer *transfer)
{
    transfer->allow_http2 = true;
}

/* Sink and source have nothing to say any more, and what they said is not delivered: a worker
 * may have spoken while the transfer ended. */
static void silence(oras_transfer *transfer)
{
    if (transfer->sink)
        oras_sink_set_notify(transfer->sink, (oras_notify){NULL, NULL});
    oras_loop_unpost(transfer->client->loop, &transfer->post);
    oras_upload_silence(transfer);
}

/* Last: the owner may let go of the transfer as soon as it is told. */
static void tell_done(oras_transfer *transfer)
{
    oras_failure_name_coding(transfer);
    transfer->state = STATE_DONE;
    silence(transfer);
    transfer->fn(transfer->ud, ORAS_EVENT_DONE);
}

void oras_transfer_fail(oras_transfer *transfer, const oras_error *err, bool retryable)
{
    if (!transfer->error.code)
        transfer->error = *err;
    transfer->retryable = transfer->retryable || retryable;
    oras_client_leave(transfer->client, transfer);
    if (transfer->sink) {
        oras_sink_set_cause(transfer->sink, &transfer->error);
        oras_sink_abort(transfer->sink);
    }
    if (transfer->sink && transfer->error.code == oras_class_code(ORAS_C_INTEGRITY))
        oras_sink_remove_partial(transfer->sink); /* more of the same would not make it right */
    tell_done(transfer);
}

static void finish_sink(oras_transfer *transfer)
{
    bool pending = false;
    oras_error err = ORAS_ERROR_INIT;

    if (!transfer->sink || !transfer->begun) {
        tell_done(transfer);
        return;
    }
    if (oras_sink_finish(transfer->sink, &pending, &err)) {
        transfer->error = err;
        tell_done(transfer);
    } else if (!pending) {
        tell_done(transfer);
    }
}

/* All bytes of the blob lie in the partial file already: no request is needed. */
static bool is_complete(const oras_transfer *transfer)
{
    const oras_expect *expect = oras_sink_expected(transfer->sink);

    return transfer->offset > 0 && transfer->offset == expect->size;
}

static oras_code open_sink(oras_transfer *transfer, oras_error *err)
{
    bool pending = false;
    oras_code code = oras_sink_offset(transfer->sink, &transfer->offset, &pending, err);

    if (code || pending)
        return code;
    if (!is_complete(transfer))
        return oras_client_enter(transfer->client, transfer, err);
    code = oras_sink_begin(transfer->sink, transfer->offset, err);
    if (code)
        return code;
    transfer->begun = true;
    transfer->status = 200;
    transfer->state = STATE_FINISHING;
    oras_loop_post(transfer->client->loop, &transfer->post);
    return ORAS_OK;
}

oras_code oras_transfer_start(oras_transfer *transfer, oras_sink *sink, oras_transfer_fn *fn,
                              void *ud, oras_error *err)
{
    oras_code code;

    if (!transfer->url.origin.https && !transfer->allow_http &&
        !oras_url_is_loopback(&transfer->url))
        return oras_fail(err, ORAS_C_USAGE,
                         "plain http to '%s' is not allowed, expected https or plain_http = true",
                         transfer->url.origin.host);
    transfer->fn = fn;
    transfer->ud = ud;
    transfer->sink = sink;
    if (!sink)
        return oras_client_enter(transfer->client, transfer, err);
    oras_sink_set_notify(sink, (oras_notify){on_notify, transfer});
    transfer->state = STATE_OPENING;
    code = open_sink(transfer, err);
    if (code) {
        oras_sink_set_notify(sink, (oras_notify){NULL, NULL});
        transfer->state = STATE_NEW;
    }
    return code;
}

/* The sink has news: its partial file is hashed, it has room again, or it has finished. */
static void on_post(void *ud)
{
    oras_transfer *transfer = ud;
    oras_error err = ORAS_ERROR_INIT;

    if (transfer->state == STATE_OPENING) {
        if (open_sink(transfer, &err))
            oras_transfer_fail(transfer, &err, false);
    } else if (transfer->state == STATE_RUNNING && transfer->paused) {
        transfer->paused = false;
        oras_client_go_on(transfer);
        transfer->window_start = oras_loop_now();
        transfer->window_bytes = 0;
        oras_upload_set_pause(transfer);
    } else if (transfer->state == STATE_FINISHING) {
        finish_sink(transfer);
    }
}

void oras_transfer_cancel(oras_transfer *transfer)
{
    if (transfer->state == STATE_NEW || transfer->state == STATE_DONE)
        return;
    oras_client_leave(transfer->client, transfer);
    silence(transfer);
    if (transfer->sink)
        oras_sink_abort(transfer->sink);
    oras_fail(&transfer->error, ORAS_C_CANCELLED, "cancelled");
    transfer->state = STATE_DONE;
}

/* A cut error body, or a part that we ended, is no failure of the exchange. Nor is a body that
 * could not be sent to its end, if the server has answered before: it has judged (N46). */
static bool is_success(const oras_transfer *transfer, CURLcode result)
{
    if (transfer->error.code || !transfer->headers_done)
        return false;
    return result == CURLE_OK || transfer->enough || transfer->status >= 300 ||
           oras_upload_is_answered(transfer);
}

/* A kept connection that answers with no HTTP: what is read there are bytes that the server
 * sent behind the body before (N13). A new connection has none. */
static bool is_stray(const oras_transfer *transfer, CURLcode result)
{
    bool safe = strcmp(transfer->method, "GET") == 0 || strcmp(transfer->method, "HEAD") == 0;
    bool no_answer = result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_WEIRD_SERVER_REPLY;
    long n_made = 1;

    if (!safe || !no_answer || transfer->fresh || transfer->n_header_bytes > 0)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &n_made);
    return n_made == 0;
}

static void start_fresh(oras_transfer *transfer)
{
    oras_error err = ORAS_ERROR_INIT;

    transfer->fresh = true;
    oras_client_leave(transfer->client, transfer);
    if (oras_client_enter(transfer->client, transfer, &err))
        oras_transfer_fail(transfer, &err, false);
}

void oras_transfer_ended(oras_curl_owner *owner, CURLcode result)
{
    oras_transfer *transfer = (oras_transfer *)owner;

    if (is_stray(transfer, result)) {
        start_fresh(transfer);
        return;
    }
    if (is_success(transfer, result)) {
        oras_client_leave(transfer->client, transfer);
        finish_sink(transfer);
        return;
    }
    if (result == CURLE_OK && !transfer->error.code) {
        oras_fail(&transfer->error, ORAS_C_PROTOCOL, "'%s:%d': response ends inside its headers",
                  transfer->url.origin.host, transfer->url.origin.port);
        transfer->retryable = true;
    }
    oras_failure_explain(transfer, result);
    oras_transfer_fail(transfer, &transfer->error, false);
}

oras_code oras_transfer_result(const oras_transfer *transfer, oras_error *err)
{
    if (transfer->error.code && err)
        *err = transfer->error;
    return transfer->error.code;
}

bool oras_transfer_is_retryable(const oras_transfer *transfer)
{
    return transfer->retryable;
}

int oras_transfer_status(const oras_transfer *transfer)
{
    return transfer->headers_done || transfer->begun ? transfer->status : 0;
}

const oras_headers *oras_transfer_headers(const oras_transfer *transfer)
{
    return &transfer->response;
}

const char *oras_transfer_url(const oras_transfer *transfer)
{
    return transfer->url.text;
}

const char *oras_transfer_method(const oras_transfer *transfer)
{
    return transfer->method;
}

oras_hop oras_transfer_hop(const oras_transfer *transfer)
{
    return (oras_hop){transfer->url.origin, transfer->reach};
}

oras_buf *oras_transfer_error_body(oras_transfer *transfer)
{
    return &transfer->error_body;
}

void oras_transfer_progress(const oras_transfer *transfer, int64_t *done, int64_t *total)
{
    const oras_expect *expect = transfer->sink ? oras_sink_expected(transfer->sink) : NULL;

    if (oras_upload_exists(transfer)) {
        oras_upload_progress(transfer, done, total);
        return;
    }
    *done = transfer->offset + transfer->received;
    *total = expect && expect->size >= 0 ? expect->size : -1;
    if (*total < 0 && transfer->content_length >= 0)
        *total = transfer->offset + transfer->content_length;
}
