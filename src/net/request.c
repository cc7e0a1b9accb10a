/* SPDX-License-Identifier: MIT
 * What is set on curl's handle for one exchange. Whatever libcurl would do by itself that
 * could surprise (redirects, .netrc, cookies, proxies, signals) is switched off here. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/sink_taker.h"
#include "net/internal.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SYSTEM_CA_DIR      "/etc/ssl/certs"
#define CONNECT_TIMEOUT_MS 10000
#define BIG_BUFFER         (512L * 1024)
#define TAKER_BUFFER       (64L * 1024) /* what a full taker leaves of it is copied, and kept */

static bool reach_is_judged(const oras_transfer *transfer)
{
    return transfer->has_from && !transfer->proxy &&
           !oras_origin_equal(&transfer->from.origin, &transfer->url.origin);
}

static bool reach_allowed(oras_transfer *transfer, oras_reach reach)
{
    if (!reach_is_judged(transfer) || oras_reach_allowed(transfer->from.reach, reach))
        return true;
    if (!transfer->error.code)
        oras_fail(&transfer->error, ORAS_C_REDIRECT,
                  "'%s' sends us to '%s', whose address is less public than its own",
                  transfer->from.origin.host, transfer->url.origin.host);
    return false;
}

static curl_socket_t on_open_socket(void *ud, curlsocktype purpose, struct curl_sockaddr *address)
{
    oras_transfer *transfer = ud;

    (void)purpose;
    if (!reach_allowed(transfer, oras_reach_of_address(&address->addr)))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static oras_reach reach_of_text(const char *ip)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
        return oras_reach_of_address((const struct sockaddr *)&v4);
    if (inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1)
        return oras_reach_of_address((const struct sockaddr *)&v6);
    return ORAS_REACH_UNKNOWN;
}

/* A kept connection died and curl would send the request once more. It may have arrived, and only
 * its answer be lost: what changes something on the server is sent again by those who know how to
 * ask before, and never behind their backs. */
static bool is_repeated(const oras_transfer *transfer)
{
    bool safe = strcmp(transfer->method, "GET") == 0 || strcmp(transfer->method, "HEAD") == 0;
    long n_sent = 0;

    if (safe || !transfer->connected)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &n_sent);
    return n_sent > 0;
}

/* Just before the request is sent, on reused connections too. */
static int on_connected(void *ud, char *ip, char *local_ip, int port, int local_port)
{
    oras_transfer *transfer = ud;

    (void)local_ip;
    (void)port;
    (void)local_port;
    if (is_repeated(transfer)) {
        oras_failure_unanswered(transfer);
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->connected = true;
    transfer->reach = transfer->proxy ? ORAS_REACH_PUBLIC : reach_of_text(ip);
    return reach_allowed(transfer, transfer->reach) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static void set_method(oras_transfer *transfer)
{
    CURL *easy = transfer->easy;

    if (strcmp(transfer->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (oras_upload_exists(transfer))
        oras_upload_set(transfer);
    if (strcmp(transfer->method, "GET") != 0 || oras_upload_exists(transfer))
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
}

/* A hashed directory is read one certificate at a time; a bundle is parsed whole each time. */
static void set_trust(const oras_client *client, CURL *easy)
{
    struct stat st;

    if (client->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (client->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    } else if (stat(SYSTEM_CA_DIR, &st) == 0 && S_ISDIR(st.st_mode)) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(easy, CURLOPT_CAPATH, SYSTEM_CA_DIR);
    } else {
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void set_identity(const oras_client *client, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_SSLCERT, client->cert);
    if (client->key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, client->key);
}

static const char *choose_proxy(const oras_transfer *transfer)
{
    const oras_client *client = transfer->client;

    if (client->proxy)
        return *client->proxy ? client->proxy : NULL;
    if (oras_url_is_loopback(&transfer->url))
        return NULL;
    return oras_proxy_of_env(&client->env, &transfer->url.origin);
}

/* NOPROXY in both cases: else libcurl would look into the environment once more. */
static void set_proxy(oras_transfer *transfer)
{
    const oras_client *client = transfer->client;
    CURL *easy = transfer->easy;

    transfer->proxy = choose_proxy(transfer);
    curl_easy_setopt(easy, CURLOPT_PROXY, transfer->proxy ? transfer->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, transfer->proxy ? "" : "*");
    if (!transfer->proxy)
        return;
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (client->ca_file)
        curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, client->ca_file);
}

/* Big bodies travel by HTTP/1.1, where a pause reaches the server (HTTP/2 buffers 32 MiB); those
 * that are sent, too: libcurl 7.88 spins while the receiver of an HTTP/2 upload is slow. */
static void set_transport(oras_transfer *transfer)
{
    const oras_expect *expect = transfer->sink ? oras_sink_expected(transfer->sink) : NULL;
    bool big = expect && !oras_sink_is_memory(transfer->sink) &&
               (expect->size < 0 || expect->size >= ORAS_BIG_BODY);
    CURL *easy = transfer->easy;

    if (transfer->allow_http2 && transfer->url.origin.https && !big &&
        !oras_upload_is_big(transfer)) {
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    }
    if (big)
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                         oras_sink_is_taker(transfer->sink) ? TAKER_BUFFER : BIG_BUFFER);
}

static void set_callbacks(oras_transfer *transfer)
{
    CURL *easy = transfer->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer->owner);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, oras_receive_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, oras_receive_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->client->connect_to);
}

static void set_limits(oras_transfer *transfer)
{
    int64_t connect = transfer->timeouts.connect;
    CURL *easy = transfer->easy;

    if (connect == 0)
        connect = CONNECT_TIMEOUT_MS;
    if (connect > 0)
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, transfer->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* never join a resolver on cancel */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, transfer->url.origin.https ? "https" : "http");
}

/* The signature covers the whole body, which libcurl looks for in memory. */
static oras_code check_signing(const oras_transfer *transfer, oras_error *err)
{
    bool whole =
        !oras_upload_exists(transfer) || (transfer->upload.data && !oras_upload_is_big(transfer));

    if (!transfer->secret || !oras_secret_signing(transfer->secret) || whole)
        return ORAS_OK;
    return oras_fail(err, ORAS_C_USAGE,
                     "a request that is signed has a body in memory of at most "
                     "64 KiB, or none");
}

oras_code oras_request_prepare(oras_transfer *transfer, oras_error *err)
{
    const oras_client *client = transfer->client;
    CURL *easy = transfer->easy;
    oras_code code = oras_upload_prepare(transfer, err);

    if (!code)
        code = check_signing(transfer, err);
    if (code)
        return code;
    transfer->text[0] = '\0';
    if (curl_easy_setopt(easy, CURLOPT_URL, transfer->url.text) ||
        !oras_request_set_headers(transfer))
        return oras_fail_memory(err);
    set_callbacks(transfer);
    set_limits(transfer);
    set_method(transfer);
    set_proxy(transfer);
    set_transport(transfer);
    if (transfer->url.origin.https) {
        set_trust(client, easy);
        if (client->cert && client->cert_origin && oras_request_is_bound(transfer) &&
            strcmp(client->cert_origin, transfer->bound) == 0)
            set_identity(client, easy);
    }
    curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    return ORAS_OK;
}
