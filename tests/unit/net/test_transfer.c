/* SPDX-License-Identifier: MIT */
#include "cmocka_c11.h"
#include "io/sink_internal.h"
#include "net/client.h"
#include "net/global.h"
#include "net/transfer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A sink that has news when the transfer ends, as a worker may. */
static void late_abort(oras_sink *sink)
{
    oras_sink_tell(sink);
}

static const oras_sink_ops late_ops = {.abort = late_abort};

static int n_done;

static void on_event(void *ud, oras_event event)
{
    (void)ud;
    n_done += event == ORAS_EVENT_DONE;
}

/* A socket that takes connections and never answers; its URL into `url`. */
static int listen_in_silence(char *url, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(url, size, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return fd;
}

/* A notification that came while the transfer ended stayed in the loop and was delivered to
 * freed memory: a full disk crashed now and then. */
static void test_news_after_the_end_reach_nobody(void **state)
{
    oras_client_options options = {0};
    oras_timeouts timeouts = {.first_byte = 1};
    oras_sink late = {0};
    oras_error err = ORAS_ERROR_INIT;
    oras_loop *loop;
    oras_client *client;
    oras_transfer *transfer;
    char url[64];
    int fd = listen_in_silence(url, sizeof url);

    (void)state;
    assert_int_equal(oras_net_init(NULL), ORAS_OK);
    assert_int_equal(oras_loop_new(&loop, NULL), ORAS_OK);
    assert_int_equal(oras_client_new(loop, &options, &client, NULL), ORAS_OK);
    assert_int_equal(oras_sink_init(&late, &late_ops, NULL, NULL), ORAS_OK);
    assert_int_equal(oras_transfer_new(client, "GET", url, &transfer, NULL), ORAS_OK);
    oras_transfer_set_timeouts(transfer, &timeouts);
    assert_int_equal(oras_transfer_start(transfer, &late, on_event, NULL, NULL), ORAS_OK);
    while (!n_done)
        assert_int_equal(oras_loop_wait(loop, -1, NULL), ORAS_OK);
    assert_class(oras_transfer_result(transfer, &err), ORAS_C_TIMEOUT);
    oras_transfer_free(transfer);
    assert_int_equal(oras_loop_step(loop, NULL), ORAS_OK);
    oras_client_unref(client);
    oras_loop_free(loop);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_news_after_the_end_reach_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
