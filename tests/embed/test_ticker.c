/* SPDX-License-Identifier: MIT
 * A host with a ticker of its own: while 200 MB move into files and 50 calls run, no step holds
 * it up. What is judged is the processor time of a step, not the clock of a busy machine. */
#include "server.h"

#include <poll.h>
#include <time.h>

#define N_BLOBS   8
#define N_CALLS   50
#define BLOB_SIZE 25000000
/* of so many zeros */
#define DIGEST  "9d210cdb0e23af9452f20801121ec965824e10988a54a640e622de1671a64229"
#define TICK_MS 10
#define AIM_US  20000
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOST_US 1000000
#else
#define MOST_US 100000 /* a build without optimization on a busy machine */
#endif

static const char provider[] =
    "local oras, core = require 'oras', require 'oras.core'\n"
    "local Ticks = oras.Registry:extend 'Ticks'\n"
    "function Ticks:new(opts)\n"
    "  return oras.Registry.new(self, { config_path = '/nonexistent' })\n"
    "end\n"
    "function Ticks:save(url, path, digest)\n"
    "  self:do_request('GET', url, { file = { path = path, resume = false, digest = digest } })\n"
    "end\n"
    "function Ticks:small(url) return #self:do_request('GET', url).content end\n"
    "return Ticks\n";

static long cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static long clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static long n_steps, n_long, longest, n_ticks;

/* Until all calls are done; the ticker is this loop, which waits for its own time, too. */
static void tick_until_done(oras_runtime *rt, const char *what)
{
    long sum = 0, next = clock_ms();
    oras_error err = ORAS_ERROR_INIT;
    int pending = 1;

    n_steps = n_long = n_ticks = longest = 0;
    while (pending > 0) {
        struct pollfd p = {oras_pollfd(rt), POLLIN, 0};
        long before, took, wait = next - clock_ms();

        if (wait <= 0) {
            n_ticks++;
            next = clock_ms() + TICK_MS;
            wait = TICK_MS;
        }
        poll(&p, 1, oras_timeout_ms(rt) == 0 ? 0 : (int)wait);
        before = cpu_us();
        if (oras_step(rt, &pending, &err))
            fail_msg("%s", err.message);
        took = cpu_us() - before;
        n_steps++;
        sum += took;
        n_long += took > AIM_US;
        longest = took > longest ? took : longest;
    }
    print_message("%s: %ld steps, %ld ticks; processor time of a step: %.2f ms at most, %.3f ms on "
                  "average, %ld above %d ms\n",
                  what, n_steps, n_ticks, (double)longest / 1000,
                  (double)sum / 1000 / (double)n_steps, n_long, AIM_US / 1000);
}

static oras_call *start_call(oras_runtime *rt, const char *method, const char *args)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = NULL;
    long before = cpu_us();

    if (oras_call_start(rt, "echo", method, args, &call, &err))
        fail_msg("%s: %s", method, err.message);
    assert_true(cpu_us() - before < MOST_US);
    return call;
}

static void take(oras_call *call)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    if (oras_call_result(call, &json, &err))
        fail_msg("%s", err.message);
    oras_free(json);
    oras_call_free(call);
}

static void test_no_step_holds_the_ticker_up(void **state)
{
    oras_runtime *rt = new_runtime();
    oras_call *calls[N_BLOBS + N_CALLS];
    char args[512];

    (void)state;
    /* modules are loaded by the first call */
    snprintf(args, sizeof args, "[\"http://127.0.0.1:%d/v2/x/1\"]", port);
    calls[0] = start_call(rt, "small", args);
    tick_until_done(rt, "the first call");
    take(calls[0]);
    assert_true(longest < MOST_US);
    for (int i = 0; i < N_BLOBS; i++) {
        snprintf(args, sizeof args,
                 "[\"http://127.0.0.1:%d/v2/x/%d\", \"%s/blob%d\", \"sha256:" DIGEST "\"]", port,
                 BLOB_SIZE, folder, i);
        calls[i] = start_call(rt, "save", args);
    }
    for (int i = 0; i < N_CALLS; i++) {
        snprintf(args, sizeof args, "[\"http://127.0.0.1:%d/v2/x/%d\"]", port, 1000 + i);
        calls[N_BLOBS + i] = start_call(rt, "small", args);
    }
    tick_until_done(rt, "200 MB and 50 calls");
    for (int i = 0; i < N_BLOBS + N_CALLS; i++) {
        take(calls[i]);
    }
    for (int i = 0; i < N_BLOBS; i++) {
        char name[16];

        snprintf(name, sizeof name, "blob%d", i);
        assert_int_equal(unlink(in_folder(name)), 0);
    }
    oras_runtime_free(rt);
    assert_true(n_ticks > 0);
    assert_true(longest < MOST_US);
}

static int start(void **state)
{
    if (make_folder(state))
        return -1;
    write_script("echo.lua", provider);
    return start_servers();
}

static int stop(void **state)
{
    stop_servers();
    return remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_step_holds_the_ticker_up)};

    return cmocka_run_group_tests(tests, start, stop);
}
