/* SPDX-License-Identifier: MIT
 * What befalls a pack on its way: files that change, readers that stall or go, no memory. */
#define _GNU_SOURCE
#include "pack_help.h"

#include "failing_alloc.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was promised after the first time must come, or the end must not. */
static void test_L06_a_tree_that_changed_since_it_was_packed(void **state)
{
    static const char *const texts[] = {"other", "longer than before, by far and away", ""};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        packing p;
        oras_buf bytes = ORAS_BUF_INIT(1 << 20);
        size_t size;

        put("t/a", "first");
        p = start("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP});
        assert_int_equal(read_all(&p, &bytes), ORAS_SOURCE_END);
        size = bytes.size;
        oras_buf_clear(&bytes);
        put("t/a", texts[i]);
        assert_int_equal(oras_source_seek(p.source, 0, NULL), ORAS_OK);
        assert_int_equal(read_all(&p, &bytes), ORAS_SOURCE_FAILED);
        assert_string_equal(p.err.class_name, "content");
        assert_string_equal(p.err.message, "'t' changed since it was packed before");
        assert_true(bytes.size < size); /* nobody took it for whole */
        oras_buf_dispose(&bytes);
        end(&p);
    }
}

static size_t in_memory(const oras_pack *pack)
{
    size_t size = 0;

    for (int i = 0; i < ORAS_PACK_MAX_BLOCKS; i++)
        size += (pack->blocks[i].tar ? ORAS_PACK_BLOCK : 0) +
                (pack->blocks[i].packed ? ORAS_PACK_BLOCK : 0);
    return size;
}

static void await_idle(oras_pack *pack)
{
    for (bool busy = true; busy; sched_yield()) {
        pthread_mutex_lock(&pack->lock);
        busy = false;
        for (int i = 0; i < pack->n_workers; i++)
            busy = busy || pack->workers[i].busy;
        pthread_mutex_unlock(&pack->lock);
    }
}

static void run_other(oras_job *job)
{
    (void)job;
    ring(&the_bell);
}

static void test_nobody_waits_for_a_reader_that_does_not_read(void **state)
{
    packing p;
    oras_pack *pack;
    oras_job other = {.run = run_other};
    MAKE(bytes);

    (void)state;
    put_text("t/text", MANY);
    p = start("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_NONE});
    pack = (oras_pack *)p.source;
    assert_int_equal(read_some(&p, 1, &bytes), ORAS_SOURCE_DATA);
    await_idle(pack);
    assert_int_equal(pack->n_filled, pack->n_blocks);
    assert_true(in_memory(pack) <= (size_t)16 << 20);
    the_bell.n = 0;
    assert_int_equal(oras_pool_submit(p.pool, &other, NULL), ORAS_OK);
    await_bell(&the_bell);
    oras_pool_settle(p.pool, &other);
    assert_int_equal(read_all(&p, &bytes), ORAS_SOURCE_END);
    assert_true(bytes.size > MANY);
    assert_int_equal(in_memory(pack), 0);
    oras_buf_dispose(&bytes);
    end(&p);
}

static void test_freed_at_any_point(void **state)
{
    (void)state;
    put_tree();
    for (size_t n = 0; n < 9000000; n = n * 3 + 1) {
        packing p = start("t", 4, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP});
        MAKE(bytes);

        read_some(&p, n, &bytes);
        end(&p);
        oras_buf_dispose(&bytes);
    }
}

static void test_two_share_a_pool(void **state)
{
    packing a, b;
    MAKE(first);
    MAKE(second);
    oras_pack_options options = {.compression = ORAS_COMPRESSION_ZSTD};

    (void)state;
    put_tree();
    a = start("t", 2, options);
    b = (packing){.pool = a.pool};
    assert_int_equal(oras_pack_new(a.pool, "t", &options, &b.source, NULL), ORAS_OK);
    oras_source_set_notify(b.source, (oras_notify){ring, &the_bell});
    for (oras_source_step step = ORAS_SOURCE_DATA; step == ORAS_SOURCE_DATA;) {
        step = read_some(&a, 100000, &first);
        read_some(&b, 100000, &second);
    }
    assert_int_equal(read_all(&b, &second), ORAS_SOURCE_END);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    oras_source_free(b.source);
    end(&a);
    oras_buf_dispose(&first);
    oras_buf_dispose(&second);
}

static void test_L07_a_fifo_is_named_and_not_waited_for(void **state)
{
    packing p;

    (void)state;
    put("t/a", "a");
    put_fifo("t/fifo");
    p = start("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP});
    expect_failed(&p, ORAS_C_PATH, "'t/fifo' is a FIFO");
    expect_failed(&p, ORAS_C_PATH, "'t/fifo' is a FIFO");
    put_away("t/fifo");
    assert_int_equal(oras_source_seek(p.source, 0, NULL), ORAS_OK);
    end(&p);
}

static void test_L07_a_file_of_proc_is_not_taken_for_empty(void **state)
{
    packing p = start("/proc/self/status", 1, (oras_pack_options){0});

    (void)state;
    expect_failed(&p, ORAS_C_CONTENT, "more bytes than its size says");
    end(&p);
}

static void test_L07_a_sparse_file_is_read_as_zeros(void **state)
{
    MAKE(bytes);
    int fd = open("sparse", O_WRONLY | O_CREAT, 0644);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, MANY), 0);
    close(fd);
    pack_all("sparse", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP}, &bytes);
    assert_true(bytes.size < 100000);
    oras_buf_dispose(&bytes);
}

/* Let it begin, then change the file that is being read: the ring is too small for it. */
static packing start_at_big(oras_buf *bytes)
{
    packing p;

    put_text("t/big", MANY);
    p = start("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_NONE});
    assert_int_equal(read_some(&p, 1, bytes), ORAS_SOURCE_DATA);
    await_idle((oras_pack *)p.source);
    return p;
}

static void test_L06_a_file_that_becomes_shorter(void **state)
{
    MAKE(bytes);
    packing p = start_at_big(&bytes);

    (void)state;
    assert_int_equal(truncate("t/big", 20 << 20), 0);
    expect_failed(&p, ORAS_C_CONTENT, "'t/big' became shorter");
    end(&p);
    oras_buf_dispose(&bytes);
}

static void test_L06_a_file_that_becomes_longer(void **state)
{
    MAKE(bytes);
    packing p = start_at_big(&bytes);

    (void)state;
    assert_int_equal(truncate("t/big", MANY + 1), 0);
    expect_failed(&p, ORAS_C_CONTENT, "'t/big' changed");
    end(&p);
    oras_buf_dispose(&bytes);
}

static void test_L06_a_file_that_is_rewritten(void **state)
{
    MAKE(bytes);
    packing p = start_at_big(&bytes);
    int fd = open("t/big", O_WRONLY);

    (void)state;
    assert_int_equal(write(fd, "other", 5), 5);
    close(fd);
    expect_failed(&p, ORAS_C_CONTENT, "'t/big' changed");
    end(&p);
    oras_buf_dispose(&bytes);
}

static void test_L06_a_file_that_is_replaced(void **state)
{
    MAKE(bytes);
    packing p = start_at_big(&bytes);

    (void)state;
    put("u", "new");
    assert_int_equal(rename("u", "t/big"), 0);
    expect_failed(&p, ORAS_C_CONTENT, "changed");
    end(&p);
    oras_buf_dispose(&bytes);
}

/* --- no memory ------------------------------------------------------------------------------- */

static failing_alloc counter = {-1, false, 0, NULL, false};
static pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;

/* Workers allocate, too. */
static void *locked_resize(void *ud, void *ptr, size_t size)
{
    void *result;

    pthread_mutex_lock(&counter_lock);
    result = failing_resize(ud, ptr, size);
    pthread_mutex_unlock(&counter_lock);
    return result;
}

static void set_counter(long n)
{
    pthread_mutex_lock(&counter_lock);
    counter.n_before_failure = n;
    pthread_mutex_unlock(&counter_lock);
}

static oras_code pack_once(oras_pool *pool, oras_error *err)
{
    static char chunk[77777];
    oras_pack_options options = {.compression = ORAS_COMPRESSION_GZIP};
    oras_source_step step = ORAS_SOURCE_DATA;
    oras_source *source;
    size_t n;
    oras_code code = oras_pack_new(pool, "t", &options, &source, err);

    if (code)
        return code;
    oras_source_set_notify(source, (oras_notify){ring, &the_bell});
    while (step == ORAS_SOURCE_DATA || step == ORAS_SOURCE_WAIT) {
        step = oras_source_read(source, chunk, sizeof chunk, &n, err);
        if (step == ORAS_SOURCE_WAIT)
            await_bell(&the_bell);
    }
    oras_source_free(source);
    return step == ORAS_SOURCE_END ? ORAS_OK : err->code;
}

static void test_every_allocation_may_fail(void **state)
{
    oras_pool *pool;
    oras_code code = ORAS_ENOMEM;
    long n_alive;

    (void)state;
    put_tree();
    assert_int_equal(oras_pool_new(2, &pool, NULL), ORAS_OK);
    n_alive = counter.n_alive;
    for (long n = 0; code; n++) {
        oras_error err = ORAS_ERROR_INIT;

        set_counter(n);
        code = pack_once(pool, &err);
        set_counter(-1);
        assert_int_equal(counter.n_alive, n_alive);
        if (code)
            assert_string_equal(err.class_name, "memory");
        else
            assert_true(n > 20);
    }
    oras_pool_free(pool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_L06_a_tree_that_changed_since_it_was_packed),
        TEST(test_nobody_waits_for_a_reader_that_does_not_read),
        TEST(test_freed_at_any_point),
        TEST(test_two_share_a_pool),
        TEST(test_L07_a_fifo_is_named_and_not_waited_for),
        TEST(test_L07_a_file_of_proc_is_not_taken_for_empty),
        TEST(test_L07_a_sparse_file_is_read_as_zeros),
        TEST(test_L06_a_file_that_becomes_shorter),
        TEST(test_L06_a_file_that_becomes_longer),
        TEST(test_L06_a_file_that_is_rewritten),
        TEST(test_L06_a_file_that_is_replaced),
        TEST(test_every_allocation_may_fail),
    };

    assert_true(oras_alloc_set(&(oras_allocator){locked_resize, &counter}));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
