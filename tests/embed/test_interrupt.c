/* SPDX-License-Identifier: MIT
 * oras_interrupt from another thread and from a signal handler. The script says when it runs
 * by creating a file; nothing waits for time. */
#include "host.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

static oras_runtime *runtime;
static pthread_t script_thread;
static int by_signal;

/* A FIFO opens when both ends are there: the script's end says that it runs. */
static const char *fifo(void)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/fifo", folder);
    return path;
}

static void on_signal(int number)
{
    (void)number;
    oras_interrupt(runtime);
}

static void *interrupt_once_running(void *unused)
{
    FILE *ready = fopen(fifo(), "r");

    (void)unused;
    if (!ready)
        return NULL;
    fgetc(ready);
    fclose(ready);
    if (by_signal)
        pthread_kill(script_thread, SIGUSR1);
    else
        oras_interrupt(runtime);
    return runtime;
}

static void stops(const char *body)
{
    char text[1024];
    oras_error err = ORAS_ERROR_INIT;
    pthread_t thread;
    void *done = NULL;

    snprintf(text, sizeof text, "local f = io.open('%s', 'w') f:write 'x' f:close()\n%s", fifo(),
             body);
    write_script("script.lua", text);
    script_thread = pthread_self();
    assert_int_equal(pthread_create(&thread, NULL, interrupt_once_running, NULL), 0);
    assert_int_equal(oras_run_file(runtime, in_folder("script.lua"), 0, NULL, &err),
                     ORAS_ECANCELED);
    assert_string_equal(err.class_name, "cancelled");
    pthread_join(thread, &done);
    assert_ptr_equal(done, runtime);
    write_script("script.lua", "for i = 1, 100000 do end");
    assert_int_equal(oras_run_file(runtime, in_folder("script.lua"), 0, NULL, &err), ORAS_OK);
}

static void computing_and_waiting(void)
{
    stops("while true do end");
    stops("while true do pcall(function() while true do end end) end");
    stops("coroutine.wrap(function() while true do end end)()");
    stops(
        "local function spin() while true do pcall(function() for _ = 1, 1e9 do end end) end end\n"
        "while true do pcall(coroutine.resume, coroutine.create(function()\n"
        "  coroutine.wrap(spin)() end)) end");
    stops("table.sort({1, 2, 3, 4}, function() while true do end end)");
    stops("require 'oras.core'.clock.sleep(3600)");
    stops("while true do pcall(require 'oras.core'.clock.sleep, 3600) end");
    stops("require 'oras'.gather(function() require 'oras.core'.clock.sleep(3600) end)");
    stops("require 'oras'.gather(function() while true do pcall(error) end end)");
}

static void test_from_another_thread(void **state)
{
    (void)state;
    by_signal = 0;
    computing_and_waiting();
}

static void test_from_a_signal_handler(void **state)
{
    struct sigaction action = {.sa_handler = on_signal};

    (void)state;
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    by_signal = 1;
    computing_and_waiting();
}

/* The last of three tasks says that all wait; what they held is gone with them. */
static void test_tasks_of_what_was_stopped_are_gone(void **state)
{
    char text[1024];
    oras_error err = ORAS_ERROR_INIT;
    pthread_t thread;

    (void)state;
    by_signal = 0;
    snprintf(text, sizeof text,
             "local oras, sleep = require 'oras', require 'oras.core'.clock.sleep\n"
             "left, n = {}, 0\n"
             "for i = 1, 3 do\n"
             "  left[i] = oras.spawn(function(held)\n"
             "    if i == 3 then local f = io.open('%s', 'w') f:write 'x' f:close() end\n"
             "    pcall(sleep, 3600) ran = held\n"
             "  end, setmetatable({}, {__gc = function() n = n + 1 end}))\n"
             "end\n"
             "left[1]:wait()",
             fifo());
    write_script("script.lua", text);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_once_running, NULL), 0);
    assert_int_equal(oras_run_file(runtime, in_folder("script.lua"), 0, NULL, &err),
                     ORAS_ECANCELED);
    pthread_join(thread, NULL);
    write_script("script.lua", "require 'oras'.spawn(function() end):wait()\n"
                               "assert(not ran, 'it ran on')\n"
                               "assert(n == 3, n .. ' collected')\n"
                               "assert(left[2]:status() == 'cancelled')\n"
                               "assert(not pcall(left[3].wait, left[3]))");
    if (oras_run_file(runtime, in_folder("script.lua"), 0, NULL, &err))
        fail_msg("%s", err.message);
}

static void test_an_idle_runtime_is_left_alone(void **state)
{
    (void)state;
    oras_interrupt(runtime);
    oras_interrupt(NULL);
    write_script("script.lua", "x = 1");
    assert_int_equal(oras_run_file(runtime, in_folder("script.lua"), 0, NULL, NULL), ORAS_OK);
}

static int start(void **state)
{
    if (make_folder(state) || mkfifo(fifo(), 0600))
        return -1;
    runtime = new_runtime();
    return 0;
}

static int stop(void **state)
{
    oras_runtime_free(runtime);
    unlink(fifo());
    return remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_idle_runtime_is_left_alone),
        cmocka_unit_test(test_from_another_thread),
        cmocka_unit_test(test_from_a_signal_handler),
        cmocka_unit_test(test_tasks_of_what_was_stopped_are_gone),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
