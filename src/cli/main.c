/* SPDX-License-Identifier: MIT
 * oras-lua: the process around lua/oras/cli.lua. Signals, standard streams, exit codes. */
#define _GNU_SOURCE
#include <oras.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_BY_SIGNAL = 128 };

static oras_runtime *interrupted_by_signal;
static volatile sig_atomic_t caught = SIGINT;
static pthread_t main_thread;

/* The state's own thread stops best; a second signal ends the process (SA_RESETHAND). */
static void on_interrupt(int number)
{
    int kept = errno;

    caught = number;
    if (pthread_equal(pthread_self(), main_thread))
        oras_interrupt(interrupted_by_signal);
    else
        pthread_kill(main_thread, number);
    errno = kept;
}

static void handle(int number)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;

    /* "nohup" and "&" of some shells have it ignored: leave it so */
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void handle_interrupts(oras_runtime *rt)
{
    interrupted_by_signal = rt;
    main_thread = pthread_self();
    handle(SIGINT);
    handle(SIGTERM);
}

/* A closed standard stream would give its number to the next file that is opened, and what
 * is printed would go into that file. Reading from and writing to these fails. */
static void keep_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
}

/* A limit on the size of files (RLIMIT_FSIZE) is an error of the write: the file's name is told. */
static void survive_size_limit(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(&ignore.sa_mask);
    sigaction(SIGXFSZ, &ignore, NULL);
}

/* Whoever started us may ignore the end of children, and that is inherited: nobody could tell how
 * a credential helper ended. */
static void want_children(void)
{
    struct sigaction as_usual = {.sa_handler = SIG_DFL};

    sigemptyset(&as_usual.sa_mask);
    sigaction(SIGCHLD, &as_usual, NULL);
}

static void print_log(void *ud, oras_level level, const char *line)
{
    static const char *const words[] = {"error: ", "warning: ", "", ""};

    (void)ud;
    fprintf(stderr, "oras-lua: %s%s\n", words[level], line);
}

static int report(const oras_error *err)
{
    if (err->exit_status)
        return err->exit_status & 0xff;
    fprintf(stderr, "oras-lua: %s\n", err->message);
    return err->code == ORAS_ECANCELED ? EXIT_BY_SIGNAL + (int)caught : EXIT_REFUSED;
}

/* Output that did not arrive is a failure, whatever the script says. */
static int finish_output(int status)
{
    int number;

    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    number = errno;
    fprintf(stderr, "oras-lua: cannot write to standard output%s%s\n", number ? ": " : "",
            number ? strerrordesc_np(number) : "");
    return status == EXIT_DONE ? EXIT_REFUSED : status;
}

int main(int argc, char **argv)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    int status = EXIT_DONE;

    keep_standard_streams();
    survive_size_limit();
    want_children();
    opts.log = print_log;
    if (oras_runtime_new(&opts, &rt, &err) == ORAS_OK) {
        handle_interrupts(rt);
        oras_run_file(rt, "oras:cli", argc, argv, &err);
    }
    if (err.code)
        status = report(&err);
    status = finish_output(status);
    oras_runtime_free(rt);
    return status;
}
