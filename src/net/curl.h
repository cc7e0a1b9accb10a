/* SPDX-License-Identifier: MIT
 * What the files of this room share about curl; nobody else includes it. */
#ifndef ORAS_NET_CURL_H
#define ORAS_NET_CURL_H

#include "net/loop.h"

#include <curl/curl.h>

/** What CURLOPT_PRIVATE of every handle in the multi points to. */
typedef struct oras_curl_owner {
    void (*done)(struct oras_curl_owner *owner, CURLcode result);
    curl_socket_t fd; /* that curl watches for it; CURL_SOCKET_BAD: none */
} oras_curl_owner;

/** Add to the multi; take out again (also in mid-transfer). Never from a callback of curl. */
oras_code oras_loop_add(oras_loop *loop, CURL *easy, oras_error *err);
void oras_loop_remove(oras_loop *loop, CURL *easy);

#endif
