/* SPDX-License-Identifier: MIT
 * Where a host is, as the caller says and no name server is asked. */
#ifndef ORAS_NET_CONNECT_TO_H
#define ORAS_NET_CONNECT_TO_H

#include "base/error.h"

struct curl_slist;

/**
 * Add "host:port:address[:port]" to a list for CURLOPT_CONNECT_TO. The address is one of IPv4, or
 * of IPv6 in brackets; without a port of its own it is that of the host. Only where the connection
 * goes changes: not the name in the certificate and the request, and not what a server may send us
 * to.
 *
 * @return class usage
 */
oras_code oras_connect_to_add(const char *text, struct curl_slist **list, oras_error *err);

#endif
