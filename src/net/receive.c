/* SPDX-License-Identifier: MIT
 * What curl hands over, byte by byte: check, copy, note. libcurl takes replies for good that
 * are not (two lengths, a part that nobody asked for, thousands of interim replies). */
#include "net/internal.h"
#include "oci/fields.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#define MAX_INTERIM 16

/* Keep the first cause; curl then ends the transfer because of the short count. */
static size_t refuse(oras_transfer *transfer, oras_class class, const char *text)
{
    if (!transfer->error.code)
        oras_fail(&transfer->error, class, "%s", text);
    return 0;
}

static bool parse_length(const char *value, int64_t *out)
{
    int64_t length = 0;

    if (*value == '\0')
        return false;
    for (; *value >= '0' && *value <= '9'; value++) {
        if (length > (INT64_MAX - (*value - '0')) / 10)
            return false;
        length = length * 10 + (*value - '0');
    }
    *out = length;
    return *value == '\0';
}

/* Content-Length once or with one value; chunked encoding wins over it (RFC 9112, 6.3). */
static const char *read_lengths(oras_transfer *transfer)
{
    const char *name, *value;
    int64_t length;
    size_t at = 0;

    transfer->content_length = -1;
    if (oras_headers_get(&transfer->response, "Transfer-Encoding"))
        return NULL;
    while (oras_headers_next(&transfer->response, &at, &name, &value)) {
        if (strcasecmp(name, "Content-Length") != 0)
            continue;
        if (!parse_length(value, &length))
            return "response has a Content-Length that is no number of bytes";
        if (transfer->content_length >= 0 && transfer->content_length != length)
            return "response has two different Content-Lengths";
        transfer->content_length = length;
    }
    return NULL;
}

static bool asked_for_part(const oras_transfer *transfer)
{
    return transfer->offset > 0 || transfer->range_first >= 0;
}

static const char *read_part(oras_transfer *transfer)
{
    const char *value = oras_headers_get(&transfer->response, "Content-Range");
    int64_t wanted = transfer->offset > 0 ? transfer->offset : transfer->range_first;
    oras_content_range range;

    if (!asked_for_part(transfer))
        return "server sent a part that was not asked for";
    if (!value || oras_content_range_parse(value, &range, NULL))
        return "server sent a part without a valid Content-Range";
    if (range.first != wanted)
        return "server sent another part than the one asked for";
    if (transfer->offset == 0 && range.last > transfer->range_last)
        return "server sent a longer part than the one asked for";
    if (transfer->content_length >= 0 && transfer->content_length != range.last - range.first + 1)
        return "server sent a part whose length is not that of its Content-Range";
    return NULL;
}

/* The whole where a part was asked for: take up from byte 0, or cut the part out. */
static void take_whole(oras_transfer *transfer)
{
    transfer->offset = 0;
    if (transfer->range_first >= 0) {
        transfer->skip = transfer->range_first;
        transfer->take = transfer->range_last - transfer->range_first + 1;
    }
}

/* A size that cannot be right is refused before the first byte. */
static bool size_agrees(oras_transfer *transfer)
{
    const oras_expect *expect = oras_sink_expected(transfer->sink);
    int64_t end;

    if (expect->size < 0 || transfer->content_length < 0 || transfer->range_first >= 0 ||
        strcmp(transfer->method, "HEAD") == 0)
        return true;
    end = transfer->offset + transfer->content_length;
    if (end == expect->size)
        return true;
    oras_fail(&transfer->error, ORAS_C_INTEGRITY, "body has %lld bytes, expected %lld",
              (long long)end, (long long)expect->size);
    return false;
}

static bool begin_body(oras_transfer *transfer)
{
    if (!transfer->sink)
        return true;
    if (!size_agrees(transfer) ||
        oras_sink_begin(transfer->sink, transfer->offset, &transfer->error))
        return false;
    transfer->begun = true;
    return true;
}

/* 416 to a resumed download: what was kept does not fit; the next try starts at 0. */
static const char *resume_refused(oras_transfer *transfer)
{
    oras_sink_remove_partial(transfer->sink);
    transfer->retryable = true;
    return "server refused to go on with a download that broke off";
}

/* Of plain http through a proxy, where its answers look like the registry's. */
static size_t proxy_refused(oras_transfer *transfer)
{
    char text[ORAS_ORIGIN_TEXT_MAX];

    oras_proxy_print(transfer->proxy, text, sizeof text);
    if (!transfer->error.code)
        oras_fail(&transfer->error, ORAS_C_AUTH,
                  "proxy '%s' wants other credentials, it answers 407", text);
    return 0;
}

static size_t end_of_headers(oras_transfer *transfer, size_t size)
{
    const char *why = read_lengths(transfer);

    if (transfer->status == 407 && transfer->proxy)
        return proxy_refused(transfer);
    if (!why && transfer->status == 206)
        why = read_part(transfer);
    else if (!why && transfer->status == 416 && transfer->offset > 0)
        why = resume_refused(transfer);
    else if (!why && transfer->status / 100 == 2 && asked_for_part(transfer))
        take_whole(transfer);
    if (why)
        return refuse(transfer, ORAS_C_PROTOCOL, why);
    transfer->headers_done = true;
    if (transfer->status >= 400)
        oras_upload_refused(transfer);
    if (transfer->status / 100 == 2 && !begin_body(transfer))
        return 0;
    transfer->fn(transfer->ud, ORAS_EVENT_HEADERS);
    return size;
}

static size_t start_of_block(oras_transfer *transfer, size_t size)
{
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->status = (int)status;
    oras_headers_clear(&transfer->response);
    return size;
}

/* However many headers a server sends: a fault of the server's, not of whoever asked (N11). */
static size_t keep_field(oras_transfer *transfer, const char *line, size_t size)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_code code = oras_headers_add_line(&transfer->response, line, size, &err);

    if (!code)
        return size;
    if (code == oras_class_code(ORAS_C_LIMIT))
        return refuse(transfer, ORAS_C_PROTOCOL, err.message);
    transfer->error = err;
    return 0;
}

size_t oras_receive_header(char *data, size_t size, size_t count, void *ud)
{
    oras_transfer *transfer = ud;
    size_t n = size * count;

    if (transfer->headers_done) /* trailers say nothing that we believe */
        return n;
    transfer->n_header_bytes += n;
    if (n > 5 && memcmp(data, "HTTP/", 5) == 0)
        return start_of_block(transfer, n);
    if (n > 0 && data[0] != '\r' && data[0] != '\n')
        return keep_field(transfer, data, n);
    if (transfer->status / 100 != 1)
        return end_of_headers(transfer, n);
    if (++transfer->n_interim > MAX_INTERIM)
        return refuse(transfer, ORAS_C_PROTOCOL, "server sent more than 16 interim responses");
    return n;
}

/* Bodies of answers that are no success: kept for the message, never in the sink. */
static size_t keep_error_body(oras_transfer *transfer, const char *data, size_t n)
{
    size_t room = ORAS_ERROR_BODY_MAX - transfer->error_body.size;

    if (n > room) {
        oras_buf_append(&transfer->error_body, data, room);
        transfer->enough = true;
        return 0;
    }
    oras_buf_append(&transfer->error_body, data, n);
    return n;
}

/* The part [data, n) that lies inside what is to be taken. */
static void cut(oras_transfer *transfer, const char **data, size_t *n)
{
    size_t skip = (int64_t)*n < transfer->skip ? *n : (size_t)transfer->skip;

    *data += skip;
    *n -= skip;
    if (transfer->take >= 0 && (int64_t)*n > transfer->take)
        *n = (size_t)transfer->take;
}

size_t oras_receive_body(char *data, size_t size, size_t count, void *ud)
{
    oras_transfer *transfer = ud;
    size_t n = size * count, taken = n;
    const char *bytes = data;

    if (transfer->status / 100 != 2)
        return keep_error_body(transfer, data, n);
    if (!transfer->begun)
        return n;
    cut(transfer, &bytes, &taken);
    if (taken > 0) {
        oras_flow flow = oras_sink_write(transfer->sink, bytes, taken, &transfer->error);

        if (flow == ORAS_FLOW_FAILED)
            return 0;
        if (flow == ORAS_FLOW_FULL) {
            transfer->paused = true;
            if (oras_sink_rests(transfer->sink))
                oras_client_rest(transfer->client, transfer);
            return CURL_WRITEFUNC_PAUSE;
        }
    }
    transfer->skip -= bytes - data;
    transfer->received += (int64_t)taken;
    transfer->window_bytes += (int64_t)n;
    transfer->fn(transfer->ud, ORAS_EVENT_DATA);
    if (transfer->take >= 0 && (transfer->take -= (int64_t)taken) == 0) {
        transfer->enough = true;
        return 0;
    }
    return n;
}
