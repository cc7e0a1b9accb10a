/* SPDX-License-Identifier: MIT */
#include "cmocka_c11.h"
#include "io/source.h"
#include "net/client.h"
#include "net/global.h"
#include "net/transfer.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY   ((size_t)1000 * 1000)      /* either way */
#define HUGE   ((size_t)64 * 1024 * 1024) /* more than sockets hold */
#define QUEUE  ((size_t)64 * 1024)
#define FEW    25 /* turns of the loop in three of its ticks */
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"

typedef struct fixture {
    oras_loop *loop;
    oras_client *client;
    oras_transfer *transfer;
    int fd; /* of the server */
    char url[64];
    char *bytes;
    int n_ticks, n_data;
    bool done;
} fixture;

static void on_event(void *ud, oras_event event)
{
    fixture *f = ud;

    f->n_ticks += event == ORAS_EVENT_PROGRESS;
    f->n_data += event == ORAS_EVENT_DATA;
    f->done = f->done || event == ORAS_EVENT_DONE;
}

static void listen_on_loopback(fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    f->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(f->fd, 8), 0);
    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&address, &length), 0);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
}

static int set_up(void **state)
{
    oras_client_options options = {0};
    fixture *f = calloc(1, sizeof *f);

    f->bytes = calloc(1, HUGE);
    listen_on_loopback(f);
    assert_int_equal(oras_net_init(NULL), ORAS_OK);
    assert_int_equal(oras_loop_new(&f->loop, NULL), ORAS_OK);
    assert_int_equal(oras_client_new(f->loop, &options, &f->client, NULL), ORAS_OK);
    assert_int_equal(oras_transfer_new(f->client, "PUT", f->url, &f->transfer, NULL), ORAS_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;

    oras_transfer_free(f->transfer);
    oras_client_unref(f->client);
    oras_loop_free(f->loop);
    close(f->fd);
    free(f->bytes);
    free(f);
    return 0;
}

/* Turns that the loop makes until there were three ticks (or the transfer is over). */
static int count_turns(fixture *f)
{
    int until = f->n_ticks + 3, n = 0;

    while (f->n_ticks < until && !f->done) {
        assert_int_equal(oras_loop_wait(f->loop, -1, NULL), ORAS_OK);
        n++;
    }
    return n;
}

static void start(fixture *f, oras_source *source, oras_sink *sink)
{
    oras_timeouts timeouts = {.first_byte = -1, .stall = -1};

    oras_transfer_set_source(f->transfer, source, 0, -1);
    oras_transfer_set_timeouts(f->transfer, &timeouts);
    assert_int_equal(oras_transfer_start(f->transfer, sink, on_event, f, NULL), ORAS_OK);
}

static void test_waiting_for_a_source_costs_nothing(void **state)
{
    fixture *f = *state;
    oras_source *source;

    assert_int_equal(oras_source_stream(QUEUE, -1, ORAS_SHA256, &source, NULL), ORAS_OK);
    start(f, source, NULL);
    count_turns(f); /* it connects */
    assert_in_range(count_turns(f), 1, FEW);
    oras_transfer_cancel(f->transfer);
    oras_source_free(source);
}

static void test_waiting_for_a_server_costs_nothing(void **state)
{
    fixture *f = *state;
    oras_source *source;

    assert_int_equal(oras_source_memory(f->bytes, HUGE, &source, NULL), ORAS_OK);
    start(f, source, NULL);
    count_turns(f); /* sockets are filled */
    assert_in_range(count_turns(f), 1, FEW);
    oras_transfer_cancel(f->transfer);
    oras_source_free(source);
}

/* Answers while the body has not come, and gives how many bytes of it came in the end. */
static void *answer_early(void *ud)
{
    static char block[65536];
    fixture *f = ud;
    int fd = accept(f->fd, NULL, NULL);
    ssize_t n, total = 0, size = (ssize_t)recv(fd, block, sizeof block - 1, 0);
    const char *end;

    assert_true(size > 0);
    block[size] = '\0';
    end = strstr(block, "\r\n\r\n");
    assert_non_null(end);
    total = size - (end + 4 - block);
    assert_int_equal(send(fd, ANSWER, strlen(ANSWER), 0), strlen(ANSWER));
    for (size_t sent = 0; sent < BODY; sent += (size_t)n)
        n = send(fd, f->bytes + sent, BODY - sent, MSG_NOSIGNAL);
    while (total < (ssize_t)BODY && (n = recv(fd, block, sizeof block, 0)) > 0)
        total += n;
    close(fd);
    return (void *)total;
}

/* Everything that the sink has. */
static size_t take(oras_sink *sink)
{
    size_t total = 0, size;
    const void *data;
    bool ended;

    do {
        assert_int_equal(oras_sink_read(sink, &data, &size, &ended, NULL), ORAS_OK);
        total += size;
    } while (size > 0);
    return total;
}

static void feed(oras_source *source, const char *bytes, size_t *given)
{
    size_t n = BODY - *given < QUEUE / 4 ? BODY - *given : QUEUE / 4;

    if (n > 0 && oras_source_put(source, bytes, n, NULL) == ORAS_FLOW_OK)
        *given += n;
    if (*given == BODY)
        assert_int_equal(oras_source_end(source, NULL), ORAS_OK);
}

/* Full sink, empty source: nothing moves and nothing turns; each goes on for itself. */
static void test_both_directions_pause(void **state)
{
    fixture *f = *state;
    size_t given = 0, taken = 0;
    oras_source *source;
    oras_sink *sink;
    pthread_t server;
    void *got;

    assert_int_equal(oras_source_stream(QUEUE, BODY, ORAS_SHA256, &source, NULL), ORAS_OK);
    assert_int_equal(oras_sink_stream(QUEUE, NULL, &sink, NULL), ORAS_OK);
    assert_int_equal(pthread_create(&server, NULL, answer_early, f), 0);
    start(f, source, sink);
    while (f->n_data == 0)
        assert_int_equal(oras_loop_wait(f->loop, -1, NULL), ORAS_OK);
    count_turns(f); /* the sink is filled */
    assert_in_range(count_turns(f), 1, FEW);
    while (taken < BODY / 2) { /* receiving alone */
        assert_int_equal(oras_loop_wait(f->loop, 100, NULL), ORAS_OK);
        taken += take(sink);
    }
    while (given < BODY / 2) { /* sending alone */
        feed(source, f->bytes, &given);
        assert_int_equal(oras_loop_wait(f->loop, 100, NULL), ORAS_OK);
    }
    assert_false(f->done);
    while (!f->done) {
        feed(source, f->bytes, &given);
        taken += take(sink);
        assert_int_equal(oras_loop_wait(f->loop, 100, NULL), ORAS_OK);
    }
    taken += take(sink);
    pthread_join(server, &got);
    assert_int_equal(oras_transfer_result(f->transfer, NULL), ORAS_OK);
    assert_int_equal(taken, BODY);
    assert_int_equal((intptr_t)got, BODY);
    oras_source_free(source);
    oras_sink_free(sink);
}

/* A source that is gone says nothing to a transfer that was. */
static void test_news_of_a_source_after_the_end_reach_nobody(void **state)
{
    fixture *f = *state;
    oras_source *source;

    assert_int_equal(oras_source_stream(QUEUE, -1, ORAS_SHA256, &source, NULL), ORAS_OK);
    start(f, source, NULL);
    count_turns(f);
    assert_int_equal(oras_source_put(source, "x", 1, NULL), ORAS_FLOW_OK); /* it is posted */
    oras_transfer_cancel(f->transfer);
    assert_int_equal(oras_source_end(source, NULL), ORAS_OK);
    oras_transfer_free(f->transfer);
    f->transfer = NULL;
    assert_int_equal(oras_loop_step(f->loop, NULL), ORAS_OK);
    oras_source_free(source);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_waiting_for_a_source_costs_nothing),
        TEST(test_waiting_for_a_server_costs_nothing),
        TEST(test_both_directions_pause),
        TEST(test_news_of_a_source_after_the_end_reach_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
