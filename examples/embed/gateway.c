/* SPDX-License-Identifier: MIT
 * An HTTP gateway that serves files out of registries, in one loop and one thread:
 * cc gateway.c $(pkg-config --cflags --libs oras libmicrohttpd)
 *
 *     ./gateway 8080 gateway.lua ghcr.io localhost:5000
 *     curl http://127.0.0.1:8080/v1/ghcr.io/team/tool:1.0/tool.tar.gz
 *
 * Each client has one call with one stream. Between them lie 512 KiB: a client that is slow fills
 * them, and its blob waits; one that leaves ends its call. */
#include <microhttpd.h>
#include <oras.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM 524288

typedef struct request {
    struct request *next, **at; /* of those whose call runs */
    struct MHD_Connection *connection;
    oras_stream *stream;
    oras_call *call;
    oras_error err; /* how it ended */
    int is_waiting; /* the connection is suspended */
    int is_full;    /* the registry waits */
    long long size; /* of the file; -1: nothing is known of it yet */
    char type[128];
    size_t start, used;
    char bytes[ROOM];
} request;

static oras_runtime *runtime;
static request *running;
static char *const *registries;
static const char *provider;
static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    stopped = number;
}

/* --- from the registry ---------------------------------------------------------------------- */

static void go_on(request *r)
{
    if (r->is_waiting)
        MHD_resume_connection(r->connection);
    r->is_waiting = 0;
}

/* What gateway.lua says of the file: [size, type] */
static int on_begin(void *ud, const char *head, oras_error *err)
{
    request *r = ud;

    if (sscanf(head, "[%lld,\"%127[^\"\\]\"]", &r->size, r->type) != 2)
        return oras_error_set(err, "content", "no size and type: %s", head), 1;
    go_on(r);
    return 0;
}

static int64_t on_write(void *ud, const void *data, size_t size, oras_error *err)
{
    request *r = ud;
    size_t n = ROOM - r->used < size ? ROOM - r->used : size;
    size_t end = (r->start + r->used) % ROOM;
    size_t first = ROOM - end < n ? ROOM - end : n;

    (void)err;
    memcpy(r->bytes + end, data, first);
    memcpy(r->bytes, (const char *)data + first, n - first);
    r->used += n;
    r->is_full = n < size;
    go_on(r);
    return (int64_t)n;
}

static void unlist(request *r)
{
    *r->at = r->next;
    if (r->next)
        r->next->at = r->at;
}

/* Calls that are done have something to say to their clients. */
static void take_ended(void)
{
    for (request *r = running, *next; r; r = next) {
        char *json = NULL;

        next = r->next;
        if (!oras_call_done(r->call))
            continue;
        oras_call_result(r->call, &json, &r->err);
        oras_free(json);
        oras_call_free(r->call);
        r->call = NULL;
        unlist(r);
        go_on(r);
    }
}

/* --- to the client -------------------------------------------------------------------------- */

static void wait_for_more(request *r)
{
    r->is_waiting = 1;
    MHD_suspend_connection(r->connection);
}

/* The last byte is here only when all of them are right: a client whose file is not gets fewer
 * bytes than it was promised. */
static ssize_t give(void *ud, uint64_t at, char *out, size_t most)
{
    request *r = ud;
    size_t n = r->used < most ? r->used : most;

    (void)at;
    if (r->used == 0 && !r->call)
        return r->err.code ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    if (r->used == 0)
        return wait_for_more(r), 0;
    if (n > ROOM - r->start)
        n = ROOM - r->start;
    memcpy(out, r->bytes + r->start, n);
    r->start = (r->start + n) % ROOM;
    r->used -= n;
    if (r->is_full && r->used <= ROOM / 2) {
        r->is_full = 0;
        oras_stream_resume(r->stream);
    }
    return (ssize_t)n;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status, char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_error(request *r)
{
    char text[sizeof r->err.message + 64];
    unsigned status = r->err.code == ORAS_ENOTFOUND  ? 404
                      : r->err.code == ORAS_EINVALID ? 400
                      : r->err.code == ORAS_ENOMEM   ? 503
                                                     : 502;

    snprintf(text, sizeof text, "%s: %s\n", r->err.class_name, r->err.message);
    return send_text(r->connection, status, text);
}

static enum MHD_Result send_file(request *r)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback((uint64_t)r->size, ROOM / 2, give, r, NULL);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", r->type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    result = MHD_queue_response(r->connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

/* --- requests ------------------------------------------------------------------------------- */

/* [text] as JSON; 0 where there is no room. */
static int quote(const char *text, char *out, size_t size)
{
    size_t n = 0;

    out[n++] = '[';
    out[n++] = '"';
    for (; *text; text++) {
        if (n + 10 > size)
            return 0;
        if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\')
            n += (size_t)snprintf(out + n, size - n, "\\u%04x", (unsigned)*text);
        else
            out[n++] = *text;
    }
    memcpy(out + n, "\"]", 3);
    return 1;
}

/* Only registries that were named: this is no open proxy. */
static int is_allowed(const char *path)
{
    for (char *const *at = registries; *at; at++) {
        size_t n = strlen(*at);

        if (strncmp(path, *at, n) == 0 && path[n] == '/')
            return 1;
    }
    return 0;
}

static void start(request *r, const char *path)
{
    oras_stream_functions functions = ORAS_STREAM_INIT;
    char args[2048];

    functions.ud = r;
    functions.begin = on_begin;
    functions.write = on_write;
    if (!is_allowed(path) || !quote(path, args, sizeof args)) {
        oras_error_set(&r->err, "not_found", "nothing is served from there");
        return;
    }
    if (oras_stream_new(runtime, &functions, &r->stream, &r->err) ||
        oras_stream_start(r->stream, provider, "serve", args, &r->call, &r->err))
        return;
    r->next = running;
    r->at = &running;
    if (r->next)
        r->next->at = &r->next;
    running = r;
    wait_for_more(r);
}

static enum MHD_Result on_request(void *ud, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    request *r = *state;

    (void)ud;
    (void)version;
    (void)upload;
    if (*upload_size > 0)
        return MHD_NO;
    if (!r) {
        if (strcmp(method, "GET") != 0 || strncmp(url, "/v1/", 4) != 0)
            return send_text(connection, 404, "GET /v1/REFERENCE/FILE\n");
        *state = r = calloc(1, sizeof *r);
        if (!r)
            return MHD_NO;
        r->connection = connection;
        r->size = -1;
        start(r, url + 4);
        if (r->call)
            return MHD_YES;
    }
    return r->size >= 0 ? send_file(r) : send_error(r);
}

/* It is served, or its client has left. */
static void on_end(void *ud, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode how)
{
    request *r = *state;

    (void)ud;
    (void)connection;
    (void)how;
    if (!r)
        return;
    if (r->call) {
        oras_call_free(r->call);
        unlist(r);
    }
    oras_stream_free(r->stream);
    free(r);
    *state = NULL;
}

/* --- the loop ------------------------------------------------------------------------------- */

static int timeout_ms(struct MHD_Daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG ms;
    int timeout = oras_timeout_ms(runtime);

    if (MHD_get_timeout(daemon, &ms) == MHD_YES && (timeout < 0 || ms < (unsigned)timeout))
        timeout = (int)ms;
    return timeout;
}

static int serve(struct MHD_Daemon *daemon, oras_error *err)
{
    int fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    oras_code code = ORAS_OK;

    while (!stopped && !code) {
        struct pollfd fds[] = {{fd, POLLIN, 0}, {oras_pollfd(runtime), POLLIN, 0}};

        poll(fds, 2, timeout_ms(daemon));
        if (MHD_run(daemon) != MHD_YES)
            return oras_error_set(err, "io", "the server failed");
        code = oras_step(runtime, NULL, err);
        take_ended();
    }
    return code;
}

static void resume_all(void)
{
    while (running) { /* MHD stops only when nobody is suspended */
        request *r = running;

        oras_call_free(r->call);
        r->call = NULL;
        oras_error_set(&r->err, "cancelled", "the gateway stops");
        unlist(r);
        go_on(r);
    }
}

static struct MHD_Daemon *listen_on(const char *port)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, (uint16_t)atoi(port), NULL,
                            NULL, on_request, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
                            MHD_OPTION_CONNECTION_TIMEOUT, 60U, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
    oras_options options = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    struct MHD_Daemon *daemon;

    if (argc < 4)
        return fprintf(stderr, "usage: %s PORT gateway.lua REGISTRY...\n", argv[0]), 2;
    provider = argv[2];
    registries = argv + 3;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    options.never_block = 1;
    if (oras_runtime_new(&options, &runtime, &err))
        return fprintf(stderr, "%s\n", err.message), 1;
    daemon = listen_on(argv[1]);
    if (!daemon)
        return fprintf(stderr, "cannot listen on port %s\n", argv[1]), oras_runtime_free(runtime),
               1;
    printf("serving on port %d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    if (serve(daemon, &err))
        fprintf(stderr, "%s\n", err.message);
    resume_all();
    MHD_stop_daemon(daemon);
    oras_runtime_free(runtime);
    return err.code;
}
