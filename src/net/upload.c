/* SPDX-License-Identifier: MIT
 * The sending half of a transfer. A small body goes out together with the headers, from memory;
 * a big one is asked of its source while it is sent. Callbacks of curl only copy and set
 * flags. */
#include "base/alloc.h"
#include "net/internal.h"

#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#define HEAD_MAX   ((size_t)64 * 1024) /* what curl sends in one piece with the headers */
#define BIG_BUFFER (1024L * 1024)

static void on_notify(void *ud)
{
    oras_transfer *transfer = ud;

    oras_loop_post(transfer->client->loop, &transfer->upload.post);
}

/* The source has more, or came to an end. */
static void on_post(void *ud)
{
    oras_transfer *transfer = ud;

    if (transfer->state != STATE_RUNNING || !transfer->upload.paused)
        return;
    transfer->upload.paused = false;
    oras_client_go_on(transfer);
    oras_upload_set_pause(transfer);
}

void oras_upload_init(oras_transfer *transfer)
{
    transfer->upload.post = (oras_post){.fn = on_post, .ud = transfer};
}

bool oras_upload_exists(const oras_transfer *transfer)
{
    return transfer->upload.data || transfer->upload.source;
}

bool oras_upload_is_big(const oras_transfer *transfer)
{
    const oras_upload *upload = &transfer->upload;

    return oras_upload_exists(transfer) && (upload->size < 0 || upload->size > (int64_t)HEAD_MAX);
}

void oras_upload_silence(oras_transfer *transfer)
{
    if (transfer->upload.source)
        oras_source_set_notify(transfer->upload.source, (oras_notify){NULL, NULL});
    oras_loop_unpost(transfer->client->loop, &transfer->upload.post);
}

void oras_upload_set_pause(oras_transfer *transfer)
{
    int paused =
        (transfer->paused ? CURLPAUSE_RECV : 0) | (transfer->upload.paused ? CURLPAUSE_SEND : 0);
    CURLcode result = curl_easy_pause(transfer->easy, paused);

    /* What was kept back goes to the sink at once. When that fails libcurl 7.88 says so here, and
     * neither ends the transfer nor wakes it. */
    if (result)
        oras_transfer_ended(&transfer->owner, result);
}

static oras_code too_short(const oras_upload *upload, int64_t got, oras_error *err)
{
    return oras_fail(err, ORAS_C_CONTENT, "source has %lld bytes from byte %lld on, expected %lld",
                     (long long)got, (long long)upload->offset, (long long)upload->size);
}

/* How many bytes the body has, as far as that is known before it is read. */
static oras_code measure(oras_upload *upload, oras_error *err)
{
    int64_t all = oras_source_size(upload->source);

    upload->size = upload->wanted;
    if (all < 0)
        return ORAS_OK;
    if (upload->size < 0)
        upload->size = all - upload->offset;
    return upload->size <= all - upload->offset ? ORAS_OK
                                                : too_short(upload, all - upload->offset, err);
}

static oras_code make_head(oras_upload *upload, size_t room, oras_error *err)
{
    oras_dealloc(upload->head);
    upload->head = oras_alloc(room > 0 ? room : 1);
    return upload->head ? ORAS_OK : oras_fail_memory(err);
}

/* What is there now, up to HEAD_MAX, without waiting for more. */
static oras_code read_head(oras_upload *upload, oras_error *err)
{
    size_t room = upload->size >= 0 ? (size_t)upload->size : HEAD_MAX, size;
    oras_source_step step = ORAS_SOURCE_DATA;

    if (make_head(upload, room, err))
        return err->code;
    while (step == ORAS_SOURCE_DATA && upload->n_head < room) {
        step = oras_source_read(upload->source, upload->head + upload->n_head,
                                room - upload->n_head, &size, err);
        upload->n_head += size;
    }
    if (step == ORAS_SOURCE_FAILED)
        return err->code;
    if (step == ORAS_SOURCE_END && upload->size >= 0 && (int64_t)upload->n_head < upload->size)
        return too_short(upload, (int64_t)upload->n_head, err);
    if (step == ORAS_SOURCE_END)
        upload->size = (int64_t)upload->n_head;
    if ((int64_t)upload->n_head == upload->size)
        upload->data = upload->head;
    return ORAS_OK;
}

static oras_code open_source(oras_upload *upload, oras_error *err)
{
    const char *bytes = oras_source_bytes(upload->source);
    oras_code code = oras_source_seek(upload->source, upload->offset, err);

    upload->data = NULL;
    if (!code)
        code = measure(upload, err);
    if (!code && bytes)
        upload->data = bytes + upload->offset;
    else if (!code && upload->size <= (int64_t)HEAD_MAX)
        code = read_head(upload, err);
    return code;
}

oras_code oras_upload_prepare(oras_transfer *transfer, oras_error *err)
{
    oras_upload *upload = &transfer->upload;
    oras_error failure = ORAS_ERROR_INIT;

    upload->given = upload->sent_at = 0;
    upload->n_head = 0;
    upload->ended = upload->paused = false;
    if (!upload->source)
        return ORAS_OK;
    oras_source_set_notify(upload->source, (oras_notify){on_notify, transfer});
    if (!open_source(upload, &failure))
        return ORAS_OK;
    oras_upload_silence(transfer);
    if (err)
        *err = failure;
    return failure.code;
}

/* The first cause is kept; curl then ends the transfer. */
static size_t stop(oras_transfer *transfer, const oras_error *err)
{
    if (!transfer->error.code)
        transfer->error = *err;
    return CURL_READFUNC_ABORT;
}

/* From memory: the whole body, or its head. */
static size_t give_bytes(oras_upload *upload, char *data, size_t room)
{
    const char *from = upload->data ? upload->data : upload->head;
    int64_t left = (upload->data ? upload->size : (int64_t)upload->n_head) - upload->given;
    size_t n = left < (int64_t)room ? (size_t)left : room;

    memcpy(data, from + upload->given, n);
    return n;
}

static size_t end_of_source(oras_transfer *transfer)
{
    oras_upload *upload = &transfer->upload;
    oras_error err = ORAS_ERROR_INIT;

    if (upload->size >= 0) {
        too_short(upload, upload->given, &err);
        return stop(transfer, &err);
    }
    upload->ended = true;
    return 0;
}

static size_t wait_for_source(oras_transfer *transfer)
{
    transfer->upload.paused = true;
    oras_client_rest(transfer->client, transfer);
    return CURL_READFUNC_PAUSE;
}

static size_t read_source(oras_transfer *transfer, char *data, size_t room)
{
    oras_upload *upload = &transfer->upload;
    oras_error err = ORAS_ERROR_INIT;
    size_t n = 0;

    if (upload->size >= 0 && (int64_t)room > upload->size - upload->given)
        room = (size_t)(upload->size - upload->given);
    if (room == 0)
        return 0;
    switch (oras_source_read(upload->source, data, room, &n, &err)) {
    case ORAS_SOURCE_DATA:
        return n;
    case ORAS_SOURCE_WAIT:
        return wait_for_source(transfer);
    case ORAS_SOURCE_END:
        return end_of_source(transfer);
    default:
        return stop(transfer, &err);
    }
}

static bool is_in_memory(const oras_upload *upload)
{
    return upload->data || upload->given < (int64_t)upload->n_head;
}

/* The server said something before it had all, and may reset the connection behind it: to send
 * would fail, and the answer be lost. */
static bool has_early_answer(const oras_transfer *transfer)
{
    struct pollfd fd = {.fd = transfer->owner.fd, .events = POLLIN};

    return !transfer->paused && !transfer->headers_done && fd.fd >= 0 && poll(&fd, 1, 0) == 1;
}

/* Have curl read first, if what was taken can be given back. */
static bool listens_first(oras_transfer *transfer)
{
    oras_upload *upload = &transfer->upload;

    if (!has_early_answer(transfer) ||
        (!is_in_memory(upload) &&
         oras_source_seek(upload->source, upload->offset + upload->given, NULL)))
        return false;
    upload->paused = true;
    oras_loop_post(transfer->client->loop, &upload->post);
    return true;
}

static size_t on_read(char *data, size_t size, size_t count, void *ud)
{
    oras_transfer *transfer = ud;
    oras_upload *upload = &transfer->upload;
    size_t room = size * count, n;

    if (is_in_memory(upload))
        n = give_bytes(upload, data, room);
    else
        n = read_source(transfer, data, room);
    if (n == 0 || n > room)
        return n;
    if (listens_first(transfer))
        return CURL_READFUNC_PAUSE;
    upload->given += (int64_t)n;
    return n;
}

/* A stream that cannot be sent again goes to a new connection, which cannot be dead already. */
static bool needs_fresh_connection(const oras_upload *upload)
{
    return !upload->data && !oras_source_can_seek(upload->source);
}

/* No SEEKFUNCTION: when a kept connection dies after a part was sent, curl would send all of it
 * once more, whatever the server has made of it. Without one it fails, and the caller judges. */
static void set_callbacks(oras_transfer *transfer)
{
    const oras_upload *upload = &transfer->upload;
    CURL *easy = transfer->easy;

    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload->size);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    if (upload->size < 0 || upload->size >= ORAS_BIG_BODY)
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, BIG_BUFFER);
    if (needs_fresh_connection(upload))
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
}

void oras_upload_set(oras_transfer *transfer)
{
    const oras_upload *upload = &transfer->upload;
    CURL *easy = transfer->easy;

    if (oras_upload_is_big(transfer) || !upload->data) {
        set_callbacks(transfer);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)upload->size);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, upload->data);
}

/* Bytes of the body that curl gave to the system. */
static int64_t count_sent(const oras_transfer *transfer)
{
    curl_off_t sent = 0;

    if (oras_upload_exists(transfer) && transfer->easy)
        curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    return (int64_t)sent;
}

/* Those that the system holds still: megabytes, minutes of a slow line. */
static int64_t count_queued(const oras_transfer *transfer)
{
    int queued = 0;

    if (transfer->owner.fd < 0 || ioctl(transfer->owner.fd, SIOCOUTQ, &queued) != 0)
        return 0;
    return queued;
}

int64_t oras_upload_sent(const oras_transfer *transfer)
{
    int64_t sent = count_sent(transfer), queued = sent > 0 ? count_queued(transfer) : 0;

    return sent > queued ? sent - queued : 0;
}

bool oras_upload_is_sent(const oras_transfer *transfer)
{
    const oras_upload *upload = &transfer->upload;
    bool all = upload->ended || (upload->size >= 0 && count_sent(transfer) >= upload->size);

    return all && count_queued(transfer) == 0;
}

bool oras_upload_is_answered(const oras_transfer *transfer)
{
    return oras_upload_exists(transfer) && transfer->headers_done &&
           (transfer->status == 204 || transfer->content_length == transfer->received);
}

/* Who refuses a body may not have read it, and then closes the connection behind the answer,
 * announced or not: the next request would meet that (faults N46). */
void oras_upload_refused(oras_transfer *transfer)
{
    if (oras_upload_is_big(transfer))
        curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
}

void oras_upload_progress(const oras_transfer *transfer, int64_t *done, int64_t *total)
{
    const oras_upload *upload = &transfer->upload;

    *total = upload->size;
    *done = oras_upload_sent(transfer);
    if (!transfer->easy) /* it is over */
        *done = upload->data ? upload->size : upload->given;
    else if (upload->size < 0 && *done > upload->given) /* frames of chunked coding count, too */
        *done = upload->given;
}
