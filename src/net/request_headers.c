/* SPDX-License-Identifier: MIT
 * The header fields of a request: what the caller adds, and what goes with it. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "net/internal.h"

#include <string.h>
#include <strings.h>

bool oras_field_is_name(const char *name)
{
    size_t size = strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return size > 0 && name[size] == '\0';
}

static bool is_field_value(const char *value)
{
    for (; *value; value++) {
        if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return false;
    }
    return true;
}

oras_code oras_transfer_add_header(oras_transfer *transfer, const char *name, const char *value,
                                   bool bound, oras_error *err)
{
    struct curl_slist **list = bound ? &transfer->bound_headers : &transfer->headers;
    oras_buf line = ORAS_BUF_INIT(ORAS_HEADERS_MAX);
    struct curl_slist *longer;
    oras_code code;

    if (!oras_field_is_name(name))
        return oras_fail(err, ORAS_C_USAGE, "header name '%s' has a byte that is not allowed",
                         name);
    if (!is_field_value(value))
        return oras_fail(err, ORAS_C_USAGE, "value of header '%s' has a control character", name);
    /* curl sends a field without a value only if it is written with a semicolon */
    oras_buf_printf(&line, *value ? "%s: %s" : "%s;%s", name, value);
    code = oras_buf_check(&line, "header", err);
    if (!code) {
        longer = curl_slist_append(*list, line.data);
        if (longer)
            *list = longer;
        else
            code = oras_fail_memory(err);
    }
    oras_buf_dispose(&line);
    return code;
}

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool add_all(struct curl_slist **list, const struct curl_slist *from)
{
    for (; from; from = from->next) {
        if (!add_header(list, from->data))
            return false;
    }
    return true;
}

static bool has_header(const struct curl_slist *list, const char *name)
{
    size_t size = strlen(name);

    for (; list; list = list->next) {
        if (strncasecmp(list->data, name, size) == 0 && list->data[size] == ':')
            return true;
    }
    return false;
}

static bool add_range(oras_transfer *transfer)
{
    char line[80];

    if (transfer->offset > 0)
        snprintf(line, sizeof line, "Range: bytes=%lld-", (long long)transfer->offset);
    else if (transfer->range_first >= 0)
        snprintf(line, sizeof line, "Range: bytes=%lld-%lld", (long long)transfer->range_first,
                 (long long)transfer->range_last);
    else
        return true;
    return add_header(&transfer->sent_headers, line);
}

static bool add_secret_field(oras_transfer *transfer, const char *name, const char *value)
{
    oras_buf line = ORAS_BUF_INIT(ORAS_HEADERS_MAX);
    bool added = oras_buf_printf(&line, "%s: %s", name, value) &&
                 add_header(&transfer->sent_headers, line.data);

    oras_buf_wipe(&line);
    oras_buf_dispose(&line);
    return added;
}

/* libcurl signs with its user and password, and with them the fields that are sent. */
static bool sign(oras_transfer *transfer, const oras_signing *signing)
{
    CURL *easy = transfer->easy;

    if (curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, signing->scope) ||
        curl_easy_setopt(easy, CURLOPT_USERNAME, signing->key_id) ||
        curl_easy_setopt(easy, CURLOPT_PASSWORD, signing->key))
        return false;
    return !signing->session_token ||
           add_secret_field(transfer, "X-Amz-Security-Token", signing->session_token);
}

static bool add_secret(oras_transfer *transfer)
{
    const oras_secret *secret = transfer->secret;

    if (!secret || strcmp(oras_secret_origin(secret), transfer->bound) != 0)
        return true;
    if (oras_secret_signing(secret))
        return sign(transfer, oras_secret_signing(secret));
    return add_secret_field(transfer, "Authorization", oras_secret_reveal(secret));
}

/* Fields that libcurl adds to a body unless they are taken out. One that is taken out it signs all
 * the same (7.88), though it is not there; it adds none to a body as small as is signed. */
static bool take_out(oras_transfer *transfer)
{
    if (!oras_upload_exists(transfer) ||
        (transfer->secret && oras_secret_signing(transfer->secret)))
        return true;
    return (has_header(transfer->sent_headers, "Content-Type") ||
            add_header(&transfer->sent_headers, "Content-Type:")) &&
           add_header(&transfer->sent_headers, "Expect:");
}

/* Is the URL's origin the one that secret, bound headers and certificate are for? */
bool oras_request_is_bound(const oras_transfer *transfer)
{
    char origin[ORAS_ORIGIN_TEXT_MAX];

    oras_origin_print(&transfer->url.origin, origin);
    return strcmp(origin, transfer->bound) == 0;
}

bool oras_request_set_headers(oras_transfer *transfer)
{
    bool ok = add_all(&transfer->sent_headers, transfer->headers) && add_range(transfer);

    if (ok && oras_request_is_bound(transfer))
        ok = add_all(&transfer->sent_headers, transfer->bound_headers) && add_secret(transfer);
    if (ok)
        ok = take_out(transfer);
    if (ok)
        curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->sent_headers);
    return ok;
}
