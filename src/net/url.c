/* SPDX-License-Identifier: MIT
 * A thin wrapper around curl_url, which accepts more than is safe: see check_text(). */
#include "net/url.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void free_handle(CURLU **handle)
{
    curl_url_cleanup(*handle);
}

static void free_text(char **text)
{
    curl_free(*text);
}

/* What curl would quietly repair: "http:/x", "http:///x", a backslash before the host. */
static const char *check_text(const char *text)
{
    size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const char *host = text + scheme + 3;

    if (strlen(text) > ORAS_URL_MAX)
        return "is too long";
    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
        return "has no scheme, expected http:// or https://";
    if (!((scheme == 5 && strncasecmp(text, "https", 5) == 0) ||
          (scheme == 4 && strncasecmp(text, "http", 4) == 0)))
        return "is neither http nor https";
    if (*host == '/' || *host == '\0' || *host == '?' || *host == '#')
        return "has no host";
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7f)
            return "has a blank or a control character";
        if (*at == '\\')
            return "has a backslash";
    }
    return NULL;
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("-._", c));
}

static bool is_host(const char *host)
{
    if (*host == '[')
        return strspn(host + 1, "0123456789abcdef:.") == strlen(host) - 2;
    for (const char *at = host; *at; at++) {
        if (!is_host_byte(*at))
            return false;
    }
    return *host != '\0' && *host != '.' && host[strlen(host) - 1] != '.' && !strstr(host, "..");
}

/* "127.1." is a name to curl and an address to others: its last label is a number. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *label = dot ? dot + 1 : host;

    return *label >= '0' && *label <= '9';
}

static bool take_host(char *host, oras_origin *origin)
{
    size_t size = strlen(host);

    for (char *at = host; *at; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
    if (size > 1 && host[size - 1] == '.') {
        host[--size] = '\0';
        if (ends_in_number(host))
            return false;
    }
    if (size > ORAS_HOST_MAX || !is_host(host))
        return false;
    memcpy(origin->host, host, size + 1);
    return true;
}

static const char no_memory[] = "needs memory";

static const char *read_origin(CURLU *handle, oras_origin *origin)
{
    CURLUcode rc;

    _cleanup_(free_text) char *scheme = NULL;
    _cleanup_(free_text) char *host = NULL;
    _cleanup_(free_text) char *port = NULL;
    _cleanup_(free_text) char *zone = NULL;

    if (curl_url_get(handle, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK)
        return "has an address with a zone";
    rc = curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0);
    if (!rc)
        rc = curl_url_get(handle, CURLUPART_HOST, &host, 0);
    if (!rc)
        rc = curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (rc)
        return rc == CURLUE_OUT_OF_MEMORY ? no_memory : "is not a complete URL";
    origin->https = strcmp(scheme, "https") == 0;
    origin->port = (int)strtol(port, NULL, 10);
    if (!take_host(host, origin))
        return "has a host that is neither a name nor an address";
    return origin->port > 0 ? NULL : "has a port that is not one";
}

/* Copies into our own memory: curl_free is not for other rooms. */
static char *part(CURLU *handle, CURLUPart which, bool *failed)
{
    _cleanup_(free_text) char *text = NULL;
    char *copy;

    if (curl_url_get(handle, which, &text, 0))
        return NULL;
    copy = oras_strdup(text);
    if (!copy)
        *failed = true;
    return copy;
}

static oras_code take_parts(CURLU *handle, oras_url *url, oras_error *err)
{
    bool failed = false;

    url->text = part(handle, CURLUPART_URL, &failed);
    url->path = part(handle, CURLUPART_PATH, &failed);
    url->query = part(handle, CURLUPART_QUERY, &failed);
    if (!failed && url->text && url->path)
        return ORAS_OK;
    oras_url_dispose(url);
    return oras_fail_memory(err);
}

/* The message shows scheme and host at most: the rest may hold a password or a signature. */
static oras_code refuse(oras_class class, const char *text, const char *why, oras_error *err)
{
    size_t authority = strcspn(text, "?#");
    const char *slash = strstr(text, "://");
    const char *user;

    if (slash)
        authority = (size_t)(slash - text) + 3 + strcspn(slash + 3, "/?#");
    if (authority > 200)
        authority = 200;
    user = memchr(text, '@', authority);
    if (user)
        return oras_fail(err, class, "URL with user information before '%.*s' %s",
                         (int)(authority - (size_t)(user + 1 - text)), user + 1, why);
    return oras_fail(err, class, "URL '%.*s' %s", (int)authority, text, why);
}

static oras_code finish(CURLU *handle, const char *text, oras_class class, oras_url *out,
                        oras_error *err)
{
    oras_url url = {0};
    const char *why;
    oras_code code;

    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    why = read_origin(handle, &url.origin);
    if (why == no_memory)
        return oras_fail_memory(err);
    if (why)
        return refuse(class, text, why, err);
    code = take_parts(handle, &url, err);
    if (code)
        return code;
    *out = url;
    return ORAS_OK;
}

oras_code oras_url_parse(const char *text, oras_class class, oras_url *out, oras_error *err)
{
    _cleanup_(free_handle) CURLU *handle = NULL;
    const char *why = check_text(text);
    CURLUcode rc;

    if (why)
        return refuse(class, text, why, err);
    handle = curl_url();
    if (!handle)
        return oras_fail_memory(err);
    rc = curl_url_set(handle, CURLUPART_URL, text, CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);
    if (rc == CURLUE_OUT_OF_MEMORY)
        return oras_fail_memory(err);
    if (rc == CURLUE_USER_NOT_ALLOWED)
        return refuse(class, text, "names a user, which is not allowed", err);
    if (rc)
        return refuse(class, text, "is malformed", err);
    return finish(handle, text, class, out, err);
}

static bool is_absolute(const char *text)
{
    size_t scheme = strcspn(text, ":/?#");

    return scheme > 0 && text[scheme] == ':';
}

static bool has_bad_byte(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text <= 0x20 || *text == 0x7f || *text == '\\')
            return true;
    }
    return false;
}

oras_code oras_url_resolve(const char *base, const char *reference, oras_url *out, oras_error *err)
{
    _cleanup_(free_handle) CURLU *handle = NULL;
    _cleanup_(oras_url_dispose) oras_url from = {0};
    oras_code code;
    CURLUcode rc;

    if (is_absolute(reference))
        return oras_url_parse(reference, ORAS_C_REDIRECT, out, err);
    if (strlen(reference) > ORAS_URL_MAX || has_bad_byte(reference))
        return oras_fail(
            err, ORAS_C_REDIRECT,
            "relative URL from the server is too long or has a blank, a backslash or a "
            "control character");
    code = oras_url_parse(base, ORAS_C_USAGE, &from, err);
    if (code)
        return code;
    /* curl takes "" and "#f" for the parent directory; they mean the base itself */
    if (*reference == '\0' || *reference == '#')
        return oras_url_parse(from.text, ORAS_C_REDIRECT, out, err);
    if (reference[0] == '/' && reference[1] == '/' && (reference[2] == '/' || reference[2] == '\0'))
        return oras_fail(err, ORAS_C_REDIRECT, "relative URL from the server has no host");
    handle = curl_url();
    if (!handle ||
        curl_url_set(handle, CURLUPART_URL, from.text, CURLU_PATH_AS_IS) == CURLUE_OUT_OF_MEMORY)
        return oras_fail_memory(err);
    rc = curl_url_set(handle, CURLUPART_URL, reference, CURLU_DISALLOW_USER);
    if (rc == CURLUE_OUT_OF_MEMORY)
        return oras_fail_memory(err);
    if (rc)
        return oras_fail(err, ORAS_C_REDIRECT, "relative URL from the server is malformed");
    return finish(handle, from.text, ORAS_C_REDIRECT, out, err);
}

void oras_url_dispose(oras_url *url)
{
    oras_dealloc(url->text);
    oras_dealloc(url->path);
    oras_dealloc(url->query);
    *url = (oras_url){0};
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~:/,", c));
}

oras_code oras_url_append_query(const char *url, const char *key, const char *value, oras_buf *out,
                                oras_error *err)
{
    size_t size = strcspn(url, "#");
    bool has_query = memchr(url, '?', size) != NULL;

    oras_buf_append(out, url, size);
    oras_buf_printf(out, "%c%s=", has_query ? '&' : '?', key);
    for (; *value; value++) {
        if (is_unreserved((unsigned char)*value))
            oras_buf_append(out, value, 1);
        else
            oras_buf_printf(out, "%%%02X", (unsigned char)*value);
    }
    return oras_buf_check(out, "URL", err);
}

bool oras_url_is_loopback(const oras_url *url)
{
    return oras_reach_of_host(url->origin.host) == ORAS_REACH_LOOPBACK;
}
