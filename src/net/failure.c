/* SPDX-License-Identifier: MIT
 * What a code of curl's means to us: class, words, whether another try may help. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "net/internal.h"

#include <stdio.h>
#include <string.h>

#define NO_ANSWER "the connection broke before an answer came"

static bool says(const oras_transfer *transfer, const char *words)
{
    return strcasestr(transfer->text, words) != NULL;
}

static oras_class class_of_tls(const oras_transfer *transfer, bool *retryable)
{
    if (says(transfer, "reset by peer") || says(transfer, "SSL_ERROR_SYSCALL") ||
        says(transfer, "unexpected eof")) {
        *retryable = true;
        return ORAS_C_NETWORK;
    }
    return ORAS_C_TLS;
}

static oras_class class_of(const oras_transfer *transfer, CURLcode result, bool *retryable)
{
    *retryable = false;
    if (oras_alloc_refusals() != transfer->n_refusals)
        return ORAS_C_MEMORY; /* curl has many names for what follows */
    switch (result) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_HTTP2:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND: /* see upload.c: nothing is sent twice by curl itself */
    case CURLE_HTTP2_STREAM:
    case CURLE_PROXY:
        *retryable = true;
        return ORAS_C_NETWORK;
    case CURLE_RECV_ERROR:
        if (says(transfer, "alert")) /* TLS 1.3: the server judges us after the handshake */
            return ORAS_C_TLS;
        if (says(transfer, "header") || says(transfer, "chunk"))
            return ORAS_C_PROTOCOL;
        if (strstr(transfer->text, "CONNECT")) /* in capitals: "Connection reset" is none */
            return says(transfer, "407") ? ORAS_C_AUTH : ORAS_C_NETWORK;
        *retryable = true;
        return ORAS_C_NETWORK;
    case CURLE_OPERATION_TIMEDOUT:
        *retryable = true;
        return ORAS_C_TIMEOUT;
    case CURLE_GOT_NOTHING:
        *retryable = true;
        return ORAS_C_PROTOCOL;
    case CURLE_OUT_OF_MEMORY: /* so curl says when a header is too long for it */
        return ORAS_C_PROTOCOL;
    case CURLE_SSL_CONNECT_ERROR:
        return class_of_tls(transfer, retryable);
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return ORAS_C_TLS;
    default:
        return ORAS_C_PROTOCOL;
    }
}

/* The other of http and https is a mistake that the other side cannot name (N19). */
static const char *hint_of(const oras_transfer *transfer, oras_class class)
{
    if (class == ORAS_C_TLS && says(transfer, "wrong version number"))
        return " (does the server speak plain http? then plain_http = true, --plain-http)";
    if ((class == ORAS_C_PROTOCOL || class == ORAS_C_NETWORK) && !transfer->url.origin.https &&
        transfer->connected && transfer->n_header_bytes == 0 && !oras_upload_is_big(transfer))
        return " (does the server expect https? then plain_http = false)";
    return "";
}

/* Which proxy may be the culprit. */
static void name_proxy(oras_transfer *transfer)
{
    char text[ORAS_ORIGIN_TEXT_MAX];
    size_t size = strlen(transfer->error.message);

    if (!transfer->proxy)
        return;
    oras_proxy_print(transfer->proxy, text, sizeof text);
    snprintf(transfer->error.message + size, sizeof transfer->error.message - size,
             " (through proxy '%s')", text);
}

/* curl says that it could not connect, the system says why. */
static const char *reason_of(const oras_transfer *transfer, CURLcode result, char *buf, size_t size)
{
    long number = 0;

    if (result == CURLE_COULDNT_CONNECT)
        curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
    if (number > 0)
        return oras_errno_text((int)number, buf, size);
    if (result == CURLE_OUT_OF_MEMORY)
        return "a response header is too long";
    if (result == CURLE_SEND_FAIL_REWIND)
        return NO_ANSWER;
    return transfer->text[0] ? transfer->text : curl_easy_strerror(result);
}

void oras_failure_unanswered(oras_transfer *transfer)
{
    if (transfer->error.code)
        return;
    oras_fail(&transfer->error, ORAS_C_NETWORK, "'%s:%d': %s", transfer->url.origin.host,
              transfer->url.origin.port, NO_ANSWER);
    name_proxy(transfer);
    transfer->retryable = true;
}

void oras_failure_explain(oras_transfer *transfer, CURLcode result)
{
    char buf[128];
    const char *text = reason_of(transfer, result, buf, sizeof buf);
    bool retryable;
    oras_class class = class_of(transfer, result, &retryable);

    if (transfer->error.code)
        return;
    if (class == ORAS_C_MEMORY)
        oras_fail_memory(&transfer->error);
    else
        oras_fail(&transfer->error, class, "'%s:%d': %s%s", transfer->url.origin.host,
                  transfer->url.origin.port, text, hint_of(transfer, class));
    name_proxy(transfer);
    transfer->error.native = (int)result;
    transfer->retryable = retryable;
}

/* Bytes are hashed as they were sent: what a coding did to them looks like damage (N15). */
void oras_failure_name_coding(oras_transfer *transfer)
{
    const char *coding = oras_headers_get(&transfer->response, "Content-Encoding");
    oras_error *err = &transfer->error;
    size_t size = strlen(err->message);

    if (coding && oras_field_is_name(coding) && err->code == oras_class_code(ORAS_C_INTEGRITY))
        snprintf(err->message + size, sizeof err->message - size, ", sent with Content-Encoding %s",
                 coding);
}
