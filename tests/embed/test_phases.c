/* SPDX-License-Identifier: MIT
 * A call is cancelled in each of its phases, by oras_call_cancel() and by what progress gives:
 * it ends with ORAS_ECANCELED, the server sees its connection end, nothing has the final name.
 * The server is this very thread: it knows how far the call is. The phase of a name being looked
 * up is not here: a resolver that hangs cannot be had without changing the system's. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define MOST_MS 5000 /* promised: 200; timeouts of the library are longer than this */

static const char provider[] =
    "local oras = require 'oras'\n"
    "local Phases = oras.Registry:extend 'Phases'\n"
    "function Phases:new(opts)\n"
    "  return oras.Registry.new(self, { config_path = '/nonexistent', retry = { tries = 1 } })\n"
    "end\n"
    "function Phases:get(url, path)\n"
    "  self:do_request('GET', url, { file = { path = path, resume = false } })\n"
    "end\n"
    "function Phases:put(url) self:do_request('PUT', url, { body = ('x'):rep(20000000) }) end\n"
    "function Phases:ask(url, directory)\n"
    "  local r = oras.Registry:new { config_path = directory .. '/config.json', plain_http = true "
    "}\n"
    "  r:get_tags(url:match '//(.*)/v2' .. '/x')\n"
    "end\n"
    "function Phases:hash(path) return require 'oras.core'.digest.of_file(path) end\n"
    "return Phases\n";

typedef enum phase { CONNECT, HASHING, TLS, HEADERS, BODY, UPLOAD } phase;

static oras_runtime *rt;
static int enough, door, door_port;

static int on_progress(void *ud, const oras_progress *progress)
{
    (void)ud;
    (void)progress;
    return enough;
}

static long clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static void turn(void)
{
    struct pollfd p = {oras_pollfd(rt), POLLIN, 0};
    oras_error err = ORAS_ERROR_INIT;
    int wait = oras_timeout_ms(rt);

    poll(&p, 1, wait < 0 || wait > 5 ? 5 : wait);
    if (oras_step(rt, NULL, &err))
        fail_msg("%s", err.message);
}

/* The next byte from the call, or 0 for the end of its connection. */
static ssize_t next_byte(int fd, const oras_call *call)
{
    char byte;
    ssize_t n;

    while ((n = recv(fd, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN) {
        assert_false(call && oras_call_done(call));
        turn();
    }
    return n > 0 ? byte : 0;
}

/* Go on until the call is in the phase; gives the server's end of the connection, or -1. */
static int reach(phase wanted, const oras_call *call)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nbeginning";
    int fd = -1, n_lines = 0;

    if (wanted == CONNECT || wanted == HASHING) {
        for (int i = 0; i < 20; i++)
            turn();
        return -1;
    }
    while ((fd = accept(door, NULL, NULL)) < 0)
        turn();
    assert_true(next_byte(fd, call) > 0);
    if (wanted == TLS)
        return fd;
    while (n_lines < 2) {
        int byte = (int)next_byte(fd, call);

        assert_true(byte > 0);
        n_lines = byte == '\n' ? n_lines + 1 : byte == '\r' ? n_lines : 0;
    }
    if (wanted == BODY)
        assert_true(send(fd, head, sizeof head - 1, MSG_NOSIGNAL) > 0);
    for (int i = 0; i < 20; i++)
        turn();
    return fd;
}

static void end_call(oras_call *call, int by_progress, const char *what)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;
    long began = clock_ms(), took;

    assert_false(oras_call_done(call));
    enough = by_progress;
    if (!by_progress)
        oras_call_cancel(call);
    while (!oras_call_done(call) && clock_ms() - began < MOST_MS)
        turn();
    took = clock_ms() - began;
    enough = 0;
    assert_true(oras_call_done(call));
    assert_int_equal(oras_call_result(call, &json, &err), ORAS_ECANCELED);
    oras_call_free(call);
    print_message("%s, by %s: %ld ms\n", what, by_progress ? "progress" : "cancel", took);
}

static void cancelled_in(phase wanted, const char *what, const char *method, const char *scheme)
{
    for (int by_progress = 0; by_progress < 2; by_progress++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_call *call = NULL;
        char args[512];
        int fd;

        snprintf(args, sizeof args, "[\"%s://127.0.0.1:%d/v2/x/1\", \"%s\"]", scheme, door_port,
                 in_folder("file"));
        if (oras_call_start(rt, "echo", method, args, &call, &err))
            fail_msg("%s", err.message);
        fd = reach(wanted, call);
        end_call(call, by_progress, what);
        while (fd >= 0 && next_byte(fd, NULL) > 0)
            ;
        if (fd >= 0)
            close(fd);
        assert_int_not_equal(access(in_folder("file"), F_OK), 0);
    }
}

static void test_tls(void **state)
{
    (void)state;
    cancelled_in(TLS, "TLS", "get", "https");
}

static void test_headers(void **state)
{
    (void)state;
    cancelled_in(HEADERS, "headers", "get", "http");
}

static void test_body(void **state)
{
    (void)state;
    cancelled_in(BODY, "body", "get", "http");
}

static void test_upload(void **state)
{
    (void)state;
    cancelled_in(UPLOAD, "upload", "put", "http");
}

/* Nobody accepts, and the queue is full: the kernel answers no further connection. */
static void test_connect(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int old = door, old_port = door_port, fillers[3];

    (void)state;
    door = listen_on(&door_port, 0);
    address.sin_port = htons((uint16_t)door_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 3; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    cancelled_in(CONNECT, "connect", "get", "http");
    for (int i = 0; i < 3; i++)
        close(fillers[i]);
    close(door);
    door = old;
    door_port = old_port;
}

/* A file with a hole of more bytes than are hashed in many timeouts. */
static void test_hashing(void **state)
{
    (void)state;
    assert_int_equal(truncate(write_script("hole", ""), (off_t)64 << 30), 0);
    for (int by_progress = 0; by_progress < 2; by_progress++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_call *call = NULL;
        char args[512];

        snprintf(args, sizeof args, "[\"%s\"]", in_folder("hole"));
        if (oras_call_start(rt, "echo", "hash", args, &call, &err))
            fail_msg("%s", err.message);
        reach(HASHING, call);
        end_call(call, by_progress, "hashing");
    }
    unlink(in_folder("hole"));
}

/* The helper says who it is, and nothing more. */
static long helper_pid(const oras_call *call)
{
    static const char answer[] =
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
        "Content-Length: 0\r\nConnection: close\r\n\r\n";
    long pid = 0;

    while (pid == 0) {
        int fd = accept(door, NULL, NULL);
        FILE *file = fopen(in_folder("pid"), "r");

        if (oras_call_done(call)) {
            oras_error err = ORAS_ERROR_INIT;

            oras_call_result((oras_call *)call, &(char *){NULL}, &err);
            fail_msg("%s", err.message);
        }
        if (fd >= 0) {
            assert_true(next_byte(fd, call) > 0);
            assert_true(send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0);
            while (next_byte(fd, call) > 0)
                ;
            close(fd);
        }
        if (file && fscanf(file, "%ld\n", &pid) != 1)
            pid = 0;
        if (file)
            fclose(file);
        turn();
    }
    unlink(in_folder("pid"));
    return pid;
}

static void test_helper(void **state)
{
    char text[512];

    (void)state;
    snprintf(text, sizeof text, "#!/bin/sh\necho $$ > %s\nexec sleep 3600\n", in_folder("pid"));
    assert_int_equal(chmod(write_script("docker-credential-hang", text), 0700), 0);
    snprintf(text, sizeof text, "{\"credHelpers\":{\"127.0.0.1:%d\":\"hang\"}}", door_port);
    write_script("config.json", text);
    snprintf(text, sizeof text, "%s:%s", folder, getenv("PATH"));
    setenv("PATH", text, 1);
    for (int by_progress = 0; by_progress < 2; by_progress++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_call *call = NULL;
        pid_t pid;

        snprintf(text, sizeof text, "[\"http://127.0.0.1:%d/v2/x/1\", \"%s\"]", door_port, folder);
        if (oras_call_start(rt, "echo", "ask", text, &call, &err))
            fail_msg("%s", err.message);
        pid = (pid_t)helper_pid(call);
        end_call(call, by_progress, "helper");
        for (long began = clock_ms(); kill(pid, 0) == 0 && clock_ms() - began < MOST_MS;)
            turn();
        assert_int_equal(kill(pid, 0), -1); /* ended, and waited for */
    }
    unlink(in_folder("docker-credential-hang"));
    unlink(in_folder("config.json"));
}

static int start(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;

    if (make_folder(state))
        return -1;
    write_script("echo.lua", provider);
    opts.provider_path = folder;
    opts.progress = on_progress;
    door = listen_on(&door_port, 16);
    if (door < 0 || fcntl(door, F_SETFL, O_NONBLOCK))
        return -1;
    return oras_runtime_new(&opts, &rt, NULL) ? -1 : 0;
}

static int stop(void **state)
{
    oras_runtime_free(rt);
    close(door);
    return remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect), cmocka_unit_test(test_tls),
        cmocka_unit_test(test_headers), cmocka_unit_test(test_body),
        cmocka_unit_test(test_upload),  cmocka_unit_test(test_helper),
        cmocka_unit_test(test_hashing),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
