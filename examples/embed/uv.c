/* SPDX-License-Identifier: MIT
 * A loop of libuv watches the one descriptor of a runtime: ./uv REFERENCE...
 * cc uv.c $(pkg-config --cflags --libs oras libuv) */
#include <oras.h>
#include <stdio.h>
#include <uv.h>

typedef struct source {
    oras_runtime *rt;
    uv_poll_t poll;
    uv_timer_t timer;
    int failed;
} source;

static void turn(source *s);

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    turn(poll->data);
}

static void on_timeout(uv_timer_t *timer)
{
    turn(timer->data);
}

/* A step, and then when to come again; nothing is watched when no call is left. */
static void turn(source *s)
{
    oras_error err = ORAS_ERROR_INIT;
    int pending = 0, timeout;

    s->failed |= oras_step(s->rt, &pending, &err) != ORAS_OK;
    timeout = oras_timeout_ms(s->rt);
    uv_timer_stop(&s->timer);
    if (pending == 0 || s->failed)
        uv_poll_stop(&s->poll);
    else if (timeout >= 0)
        uv_timer_start(&s->timer, on_timeout, (uint64_t)timeout, 0);
}

static int watch(source *s, uv_loop_t *loop)
{
    s->poll.data = s->timer.data = s;
    if (uv_timer_init(loop, &s->timer) || uv_poll_init(loop, &s->poll, oras_pollfd(s->rt)))
        return -1;
    return uv_poll_start(&s->poll, UV_READABLE, on_readable) ||
           uv_timer_start(&s->timer, on_timeout, 0, 0);
}

static int print_result(oras_call *call)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    if (oras_call_result(call, &json, &err))
        fprintf(stderr, "%s: %s\n", err.class_name, err.message);
    else
        puts(json);
    oras_free(json);
    oras_call_free(call);
    return err.code;
}

int main(int argc, char **argv)
{
    source s = {.failed = 0};
    oras_error err = ORAS_ERROR_INIT;
    oras_call *calls[16] = {NULL};
    char args[1024];
    int n = 0;

    if (oras_runtime_new(NULL, &s.rt, &err))
        return fprintf(stderr, "%s\n", err.message), 1;
    for (int i = 1; i < argc && n < 16; i++) {
        snprintf(args, sizeof args, "[\"%s\"]", argv[i]);
        if (!oras_call_start(s.rt, "conda", "inspect", args, &calls[n], &err))
            n++;
    }
    if (watch(&s, uv_default_loop()))
        s.failed = 1;
    else
        uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    for (int i = 0; i < n; i++)
        s.failed |= print_result(calls[i]) != ORAS_OK;
    uv_close((uv_handle_t *)&s.poll, NULL);
    uv_close((uv_handle_t *)&s.timer, NULL);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    uv_loop_close(uv_default_loop());
    oras_runtime_free(s.rt); /* after the loop has let go of the descriptor */
    return s.failed || err.code;
}
