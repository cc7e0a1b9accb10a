/* SPDX-License-Identifier: MIT
 * A host whose memory runs out: the n-th allocation fails, or all from the n-th on, for every n
 * (or for a sample). Each run is a process of its own, so that setting the library up is part
 * of it. It may end as it does with enough memory, or with ORAS_ENOMEM, or with another error
 * that is allowed by --allow; the runtime must work afterwards and leave nothing behind.
 *
 *     torture [--runs K] [--only N] [--allow CLASS] call PROVIDER METHOD ARGS
 *     torture [...] run SCRIPT ARG...
 *     torture [...] new                                                                     */
#define _GNU_SOURCE
#include <oras.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ALLOWED 8
#define RESULT_SIZE (64 * 1024)

/* What a run came to; shared with the parent process. */
typedef struct outcome {
    oras_code code;
    char class_name[32], message[512], result[RESULT_SIZE];
} outcome;

typedef struct shared {
    outcome wanted;            /* with enough memory */
    outcome got;               /* in the run at hand */
    long n_allocations;        /* of the first half of a run: start, and the call */
    long n_alive, n_alive_now; /* after a whole run, with enough memory and at hand */
    bool memory_ran_out;
    char complaint[1024];
} shared;

static shared *page;

static struct {
    long n_runs, only;
    const char *allowed[MAX_ALLOWED];
    int n_allowed;
    char **words; /* what to do */
    int n_words;
} options = {.only = -1};

/* --- the allocator; workers allocate too ------------------------------------------------- */

typedef union head {
    size_t size;
    max_align_t align;
} head;

static struct {
    long count, alive;
    long first, last; /* numbers of the allocations that fail; -1: none */
} memory = {0, 0, -1, -1};

static bool fails(void)
{
    long n = __atomic_fetch_add(&memory.count, 1, __ATOMIC_RELAXED);
    long first = __atomic_load_n(&memory.first, __ATOMIC_RELAXED);

    if (first < 0 || n < first || n > __atomic_load_n(&memory.last, __ATOMIC_RELAXED))
        return false;
    page->memory_ran_out = true;
    return true;
}

static void *resize(void *ud, void *ptr, size_t size)
{
    head *old = ptr ? (head *)ptr - 1 : NULL, *block;

    (void)ud;
    if (size > 0 && fails())
        return NULL;
    block = size > 0 ? malloc(sizeof *block + size) : NULL; /* always moves */
    if (size > 0 && !block)
        return NULL;
    if (block) {
        __atomic_fetch_add(&memory.alive, 1, __ATOMIC_RELAXED);
        block->size = size;
    }
    if (old) {
        if (block)
            memcpy(block + 1, old + 1, old->size < size ? old->size : size);
        __atomic_fetch_sub(&memory.alive, 1, __ATOMIC_RELAXED);
        free(old);
    }
    return block ? block + 1 : NULL;
}

static void fail_from(long first, long last)
{
    __atomic_store_n(&memory.last, last, __ATOMIC_RELAXED);
    __atomic_store_n(&memory.first, first, __ATOMIC_RELAXED);
}

/* --- one run ----------------------------------------------------------------------------- */

static oras_code call(oras_runtime *rt, outcome *out, oras_error *err)
{
    char *json = NULL;
    oras_code code =
        oras_call_json(rt, options.words[1], options.words[2], options.words[3], &json, err);

    if (!code)
        snprintf(out->result, sizeof out->result, "%s", json);
    oras_free(json);
    return code;
}

static oras_code act(oras_runtime *rt, outcome *out, oras_error *err)
{
    if (strcmp(options.words[0], "call") == 0)
        return call(rt, out, err);
    if (strcmp(options.words[0], "run") == 0)
        return oras_run_file(rt, options.words[1], options.n_words - 2, options.words + 2, err);
    return ORAS_OK;
}

static void note(outcome *out, oras_code code, const oras_error *err)
{
    out->code = code;
    if (!code)
        return;
    if (code != err->code)
        snprintf(page->complaint, sizeof page->complaint, "code %d, but the error says %d",
                 (int)code, (int)err->code);
    snprintf(out->class_name, sizeof out->class_name, "%s", err->class_name);
    snprintf(out->message, sizeof out->message, "%s", err->message);
}

/* Start if need be, and act. */
static void attempt(oras_runtime **rt, outcome *out)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_code code = ORAS_OK;

    memset(out, 0, sizeof *out);
    if (!*rt)
        code = oras_runtime_new(NULL, rt, &err);
    if (!code)
        code = act(*rt, out, &err);
    note(out, code, &err);
}

static bool is_same(const outcome *a, const outcome *b)
{
    return a->code == b->code && strcmp(a->class_name, b->class_name) == 0 &&
           strcmp(a->result, b->result) == 0;
}

/* In the child: with little memory, then with enough. */
static void run_once(long first, long last)
{
    const oras_allocator allocator = {resize, NULL};
    oras_runtime *rt = NULL;
    outcome again;

    if (oras_global_init(&allocator, NULL))
        _exit(2);
    fail_from(first, last);
    attempt(&rt, &page->got);
    fail_from(-1, -1);
    if (first < 0)
        page->n_allocations = memory.count;
    attempt(&rt, &again);
    if (first >= 0 && !is_same(&again, &page->wanted) && !*page->complaint)
        snprintf(page->complaint, sizeof page->complaint, "afterwards: %s: %.400s",
                 again.class_name, again.message);
    oras_runtime_free(rt);
    page->n_alive_now = memory.alive;
}

/* Gives how the child ended: 0, or a text in page->complaint. */
static bool run_child(long first, long last)
{
    pid_t child;
    int status = 0;

    *page->complaint = '\0';
    page->memory_ran_out = false;
    fflush(NULL);
    child = fork();
    if (child == 0) {
        run_once(first, last);
        exit(0); /* where a sanitizer looks for leaks */
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    if (WIFSIGNALED(status))
        snprintf(page->complaint, sizeof page->complaint, "killed by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        snprintf(page->complaint, sizeof page->complaint, "exit status %d", WEXITSTATUS(status));
    return !*page->complaint;
}

static bool is_allowed(const outcome *got)
{
    if (is_same(got, &page->wanted) || got->code == ORAS_ENOMEM)
        return true;
    for (int i = 0; got->code && i < options.n_allowed; i++) {
        if (strcmp(options.allowed[i], got->class_name) == 0)
            return true;
    }
    snprintf(page->complaint, sizeof page->complaint, "%s: %.400s",
             got->code ? got->class_name : "wrong result", got->message);
    return false;
}

static bool try_at(long n, bool once)
{
    bool good = run_child(n, once ? n : __LONG_MAX__) && is_allowed(&page->got);

    if (good && page->n_alive_now > page->n_alive) {
        snprintf(page->complaint, sizeof page->complaint,
                 "%ld blocks are left, %ld without failure", page->n_alive_now, page->n_alive);
        good = false;
    }
    if (!good)
        printf("%s %ld: %s\n", once ? "allocation" : "from allocation", n, page->complaint);
    return good;
}

static bool measure(void)
{
    if (!run_child(-1, -1)) {
        printf("with enough memory: %s\n", page->complaint);
        return false;
    }
    page->wanted = page->got;
    page->n_alive = page->n_alive_now;
    return true;
}

static int sweep(void)
{
    long n_bad = 0, n_done = 0, step = 1;

    if (options.only >= 0)
        return try_at(options.only, true) && try_at(options.only, false) ? 0 : 1;
    if (options.n_runs > 0 && page->n_allocations > options.n_runs)
        step = page->n_allocations / options.n_runs;
    for (long n = 0; n < page->n_allocations; n += step) {
        n_bad += !try_at(n, true);
        n_bad += !try_at(n, false);
        n_done += 2;
    }
    printf("%s: %ld allocations, %ld runs, %ld bad\n", options.words[0], page->n_allocations,
           n_done, n_bad);
    return n_bad ? 1 : 0;
}

static void read_options(int argc, char **argv)
{
    int i = 1;

    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--runs") == 0)
            options.n_runs = strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0)
            options.only = strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--allow") == 0 && options.n_allowed < MAX_ALLOWED)
            options.allowed[options.n_allowed++] = argv[i + 1];
    }
    options.words = argv + i;
    options.n_words = argc - i;
}

static bool is_understood(void)
{
    const char *verb = options.n_words ? options.words[0] : "";

    return strcmp(verb, "new") == 0 || (strcmp(verb, "run") == 0 && options.n_words > 1) ||
           (strcmp(verb, "call") == 0 && options.n_words == 4);
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    if (!is_understood()) {
        fprintf(stderr, "usage: torture [--runs K] [--only N] [--allow CLASS] "
                        "new | call PROVIDER METHOD ARGS | run SCRIPT ARG...\n");
        return 2;
    }
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 2;
    return measure() ? sweep() : 1;
}
