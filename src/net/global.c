/* SPDX-License-Identifier: MIT */
#include "net/global.h"

#include "base/alloc.h"

#include <curl/curl.h>

static void *counted_alloc(size_t count, size_t size)
{
    return oras_alloc_zero(count, size);
}

/* libcurl 7.88 uses a hash of sockets that it destroyed for want of memory: it asks for 0
 * slots and then divides by their number, unless that fails. */
static void *alloc_some(size_t size)
{
    return size ? oras_alloc(size) : NULL;
}

oras_code oras_net_init(oras_error *err)
{
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, alloc_some, oras_dealloc, oras_realloc,
                             oras_strdup, counted_alloc) != CURLE_OK)
        return oras_fail_memory(err);
    return ORAS_OK;
}
