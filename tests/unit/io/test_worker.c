/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "io/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct counted {
    oras_job job; /* first */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int n_runs, n_inside, most_inside;
    bool hold; /* stay inside until it is cleared */
} counted;

static void run(oras_job *job)
{
    counted *c = (counted *)job;

    pthread_mutex_lock(&c->lock);
    c->n_inside++;
    if (c->n_inside > c->most_inside)
        c->most_inside = c->n_inside;
    pthread_cond_broadcast(&c->changed);
    while (c->hold)
        pthread_cond_wait(&c->changed, &c->lock);
    c->n_inside--;
    c->n_runs++;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static counted make(void)
{
    return (counted){
        .job.run = run, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

static void await_runs(counted *c, int n)
{
    pthread_mutex_lock(&c->lock);
    while (c->n_runs < n)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

static void await_inside(counted *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->n_inside == 0)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

static void let_go(counted *c)
{
    pthread_mutex_lock(&c->lock);
    c->hold = false;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void test_runs_each_job(void **state)
{
    counted jobs[20];
    oras_pool *pool;

    (void)state;
    assert_int_equal(oras_pool_new(3, &pool, NULL), ORAS_OK);
    for (int i = 0; i < 20; i++) {
        jobs[i] = make();
        assert_int_equal(oras_pool_submit(pool, &jobs[i].job, NULL), ORAS_OK);
    }
    for (int i = 0; i < 20; i++)
        await_runs(&jobs[i], 1);
    oras_pool_free(pool);
}

static void test_one_job_never_runs_twice_at_a_time(void **state)
{
    counted c = make();
    oras_pool *pool;

    (void)state;
    c.hold = true;
    assert_int_equal(oras_pool_new(4, &pool, NULL), ORAS_OK);
    assert_int_equal(oras_pool_submit(pool, &c.job, NULL), ORAS_OK);
    await_inside(&c);
    for (int i = 0; i < 5; i++)
        assert_int_equal(oras_pool_submit(pool, &c.job, NULL), ORAS_OK);
    let_go(&c);
    await_runs(&c, 2);
    oras_pool_settle(pool, &c.job);
    assert_int_equal(c.n_runs, 2);
    assert_int_equal(c.most_inside, 1);
    oras_pool_free(pool);
}

static void test_settle_takes_back_what_only_waits(void **state)
{
    counted busy = make(), waiting = make();
    oras_pool *pool;

    (void)state;
    busy.hold = true;
    assert_int_equal(oras_pool_new(1, &pool, NULL), ORAS_OK);
    assert_int_equal(oras_pool_submit(pool, &busy.job, NULL), ORAS_OK);
    await_inside(&busy);
    assert_int_equal(oras_pool_submit(pool, &waiting.job, NULL), ORAS_OK);
    oras_pool_settle(pool, &waiting.job);
    let_go(&busy);
    oras_pool_settle(pool, &busy.job);
    assert_int_equal(busy.n_runs, 1);
    assert_int_equal(waiting.n_runs, 0);
    oras_pool_free(pool);
}

static void test_free_of_an_unused_pool(void **state)
{
    oras_pool *pool;

    (void)state;
    assert_int_equal(oras_pool_new(0, &pool, NULL), ORAS_OK);
    oras_pool_free(pool);
    oras_pool_free(NULL);
}

typedef struct writing {
    oras_job job; /* first */
    int fd, number;
} writing;

static void write_byte(oras_job *job)
{
    writing *w = (writing *)job;

    w->number = write(w->fd, "x", 1) < 0 ? errno : 0;
}

/* With its default, as here, SIGXFSZ ends the process. */
static void test_a_job_past_the_limit_of_files_sends_the_host_no_signal(void **state)
{
    writing w = {.job.run = write_byte, .fd = memfd_create("limited", MFD_CLOEXEC)};
    struct rlimit old, none;
    oras_pool *pool;

    (void)state;
    assert_int_equal(oras_pool_new(1, &pool, NULL), ORAS_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(oras_pool_submit(pool, &w.job, NULL), ORAS_OK);
    oras_pool_free(pool);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(w.number, EFBIG);
    close(w.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_each_job),
        cmocka_unit_test(test_one_job_never_runs_twice_at_a_time),
        cmocka_unit_test(test_settle_takes_back_what_only_waits),
        cmocka_unit_test(test_free_of_an_unused_pool),
        cmocka_unit_test(test_a_job_past_the_limit_of_files_sends_the_host_no_signal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
