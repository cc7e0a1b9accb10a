/* SPDX-License-Identifier: MIT
 * A server in threads for the tests: blobs of one byte repeated, "/SIZE" of the path says how
 * many. */
#ifndef TESTS_EMBED_SERVER_H
#define TESTS_EMBED_SERVER_H

#include "host.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#define N_SERVERS 4

static int listener, port;
static pthread_t servers[N_SERVERS];

/* A socket that listens on a free port of loopback, which goes to *number. */
static inline int listen_on(int *number, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, backlog) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        return -1;
    *number = ntohs(address.sin_port);
    return fd;
}

/* The size at the path's end, once the head of a request is there; -1: the client went. */
static inline long read_request(int fd)
{
    char request[4096] = "";
    size_t got = 0;
    const char *end;

    while (!strstr(request, "\r\n\r\n") && got < sizeof request - 1) {
        ssize_t n = recv(fd, request + got, sizeof request - 1 - got, 0);

        if (n <= 0)
            return -1;
        got += (size_t)n;
        request[got] = '\0';
    }
    end = strstr(request, " HTTP");
    while (end && end > request && end[-1] != '/')
        end--;
    return end ? strtol(end, NULL, 10) : -1;
}

static inline void *serve(void *unused)
{
    static char block[65536];
    char head[128];
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        long left = read_request(fd);

        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", left);
        if (left >= 0 && send(fd, head, strlen(head), MSG_NOSIGNAL) < 0)
            left = 0;
        while (left > 0) {
            size_t part = left < (long)sizeof block ? (size_t)left : sizeof block;
            ssize_t n = send(fd, block, part, MSG_NOSIGNAL);

            left = n > 0 ? left - n : 0;
        }
        close(fd);
    }
    return unused;
}

static inline int start_servers(void)
{
    listener = listen_on(&port, 128);
    for (int i = 0; i < N_SERVERS; i++) {
        if (listener < 0 || pthread_create(&servers[i], NULL, serve, NULL))
            return -1;
    }
    return 0;
}

static inline void stop_servers(void)
{
    shutdown(listener, SHUT_RDWR);
    for (int i = 0; i < N_SERVERS; i++)
        pthread_join(servers[i], NULL);
    close(listener);
}

#endif
