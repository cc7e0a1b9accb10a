/* SPDX-License-Identifier: MIT
 * oras_options.progress: what a host is told, and that it can end a call. A thread serves blobs
 * of one byte repeated: "/SIZE" of the path says how many; what ends in "9" stalls half-way. */
#include "host.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

typedef struct host_state {
    int calls, enough; /* non-zero from that call on */
    int64_t done, total, blobs_done, blobs_total;
    int fell, was_null;
    char phases[64], digest[160], title[64];
} host_state;

static int listener, port;
static pthread_t servers[4];
static host_state seen;

static int on_progress(void *ud, const oras_progress *p)
{
    host_state *host = ud;

    host->calls++;
    if (!p->digest || !p->phase || !p->title) {
        host->was_null = 1;
        return 1;
    }
    host->fell |= p->done < host->done || (p->total >= 0 && p->done > p->total);
    host->done = p->done;
    host->total = p->total;
    host->blobs_done = p->blobs_done;
    host->blobs_total = p->blobs_total;
    if (*p->phase && !strstr(host->phases, p->phase)) {
        size_t size = strlen(host->phases);

        snprintf(host->phases + size, sizeof host->phases - size, "%s ", p->phase);
    }
    snprintf(host->digest, sizeof host->digest, "%s", p->digest);
    snprintf(host->title, sizeof host->title, "%s", p->title);
    return host->enough && host->calls >= host->enough;
}

static void send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        data += n;
        size -= (size_t)n;
    }
}

/* One request a connection; the path ends in the size of the body. */
static void answer(int fd)
{
    static char block[4096];
    char request[4096] = "", head[128];
    size_t got = 0, size, left;
    const char *end;

    while (!strstr(request, "\r\n\r\n") && got < sizeof request - 1) {
        ssize_t n = recv(fd, request + got, sizeof request - 1 - got, 0);

        if (n <= 0)
            return;
        got += (size_t)n;
        request[got] = '\0';
    }
    end = strstr(request, " HTTP");
    while (end > request && end[-1] != '/')
        end--;
    left = size = (size_t)strtoul(end, NULL, 10);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    send_all(fd, head, strlen(head));
    memset(block, 'x', sizeof block);
    while (left > 0 && !(size % 10 == 9 && left <= size / 2)) {
        size_t part = left < sizeof block ? left : sizeof block;

        send_all(fd, block, part);
        left -= part;
    }
    if (left > 0)
        (void)!recv(fd, request, 1, 0); /* until the client goes */
}

static void *serve(void *unused)
{
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        answer(fd);
        close(fd);
    }
    return unused;
}

static oras_runtime *new_host(int enough)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;

    seen = (host_state){.enough = enough};
    opts.progress = on_progress;
    opts.ud = &seen;
    assert_int_equal(oras_runtime_new(&opts, &rt, &err), ORAS_OK);
    return rt;
}

static oras_code run(oras_runtime *rt, const char *text, oras_error *err)
{
    char script[2048];

    snprintf(script, sizeof script,
             "local oras, core = require 'oras', require 'oras.core'\n"
             "local registry = oras.Registry:new { config_path = '/nonexistent' }\n"
             "local function get(n, opts) return registry:do_request('GET',\n"
             "  'http://127.0.0.1:%d/v2/x/' .. n, opts) end\n%s",
             port, text);
    write_script("script.lua", script);
    return oras_run_file(rt, in_folder("script.lua"), 0, NULL, err);
}

static void tells_sums_that_never_fall(void **state)
{
    oras_runtime *rt = new_host(0);
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    if (run(rt, "get(300000) get(200) get(0)", &err))
        fail_msg("%s", err.message);
    assert_false(seen.fell || seen.was_null);
    assert_int_equal(seen.done, 300200);
    assert_int_equal(seen.total, 300200);
    assert_int_equal(seen.blobs_total, -1);
    assert_string_equal(seen.phases, "download ");
    /* a new call begins at 0 */
    seen.done = 0;
    if (run(rt, "get(500)", &err))
        fail_msg("%s", err.message);
    assert_int_equal(seen.done, 500);
    oras_runtime_free(rt);
}

static void tells_what_lua_tells(void **state)
{
    oras_runtime *rt = new_host(0);
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    if (run(rt,
            "local report = registry:_progress { phase = 'hash', title = ('t'):rep(300), total = "
            "10 }\n"
            "report(4) report(2)\n"
            "get(5, { progress = { phase = 'upload', digest = 'sha256:' .. ('d'):rep(300) } })",
            &err))
        fail_msg("%s", err.message);
    assert_false(seen.fell);
    assert_int_equal(seen.done, 9);
    assert_int_equal(seen.total, 15);
    assert_string_equal(seen.phases, "hash upload ");
    assert_int_equal(strlen(seen.digest), 159);
    oras_runtime_free(rt);
}

static void is_called_while_a_call_waits(void **state)
{
    static const char *const waits[] = {
        "core.clock.sleep(3600)",
        "oras.gather(function() core.clock.sleep(3600) end)",
        "pcall(core.clock.sleep, 3600) core.clock.sleep(3600)",
        "get(100009)",
        "oras.gather(function() get(100009) end, function() get(200009) end)",
        "coroutine.wrap(function() get(100009) end)()",
    };
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        oras_runtime *rt = new_host(5);

        assert_int_equal(run(rt, waits[i], &err), ORAS_ECANCELED);
        assert_string_equal(err.class_name, "cancelled");
        assert_false(seen.fell || seen.was_null);
        assert_int_equal(seen.calls, 5);
        /* the next call runs, until it is enough again */
        seen = (host_state){0};
        assert_int_equal(run(rt, "get(10)", &err), ORAS_OK);
        assert_int_equal(seen.done, 10);
        oras_runtime_free(rt);
    }
}

static void a_cancelled_download_leaves_no_file(void **state)
{
    oras_runtime *rt = new_host(4);
    oras_error err = ORAS_ERROR_INIT;
    char text[512];

    (void)state;
    snprintf(text, sizeof text,
             "get(100009, { file = { path = '%s', resume = false, digest = "
             "core.digest.of(('x'):rep(100009)) } })",
             in_folder("file"));
    assert_int_equal(run(rt, text, &err), ORAS_ECANCELED);
    assert_int_not_equal(access(in_folder("file"), F_OK), 0);
    oras_runtime_free(rt);
}

static void nothing_past_the_size_of_the_options_is_read(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;

    (void)state;
    seen = (host_state){.enough = 1};
    opts.size = offsetof(oras_options, progress);
    opts.progress = on_progress;
    opts.ud = &seen;
    assert_int_equal(oras_runtime_new(&opts, &rt, &err), ORAS_OK);
    assert_int_equal(run(rt, "core.clock.sleep(0.2) get(10)", &err), ORAS_OK);
    assert_int_equal(seen.calls, 0);
    oras_runtime_free(rt);
}

static int start(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 16) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        return -1;
    port = ntohs(address.sin_port);
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&servers[i], NULL, serve, NULL))
            return -1;
    }
    return make_folder(state);
}

static int stop(void **state)
{
    shutdown(listener, SHUT_RDWR);
    for (int i = 0; i < 4; i++)
        pthread_join(servers[i], NULL);
    close(listener);
    return remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_sums_that_never_fall),
        cmocka_unit_test(tells_what_lua_tells),
        cmocka_unit_test(is_called_while_a_call_waits),
        cmocka_unit_test(a_cancelled_download_leaves_no_file),
        cmocka_unit_test(nothing_past_the_size_of_the_options_is_read),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
