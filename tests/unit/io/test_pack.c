/* SPDX-License-Identifier: MIT
 * Trees as sources: the same bytes from any number of threads, in bounded memory, and what
 * befalls them on the way. */
#define _GNU_SOURCE
#include "archive_help.h"
#include "tree_help.h"

#include "io/pack_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAKE(name) oras_buf name = ORAS_BUF_INIT((size_t)1 << 30)
#define MANY       ((size_t)40 << 20) /* bytes: more than the ring of blocks holds */

/* --- reading as the loop does: when there is nothing, after the notification ---------------- */

typedef struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    int n;
} bell;

static bell the_bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void ring(void *ud)
{
    bell *b = ud;

    pthread_mutex_lock(&b->lock);
    b->n++;
    pthread_cond_broadcast(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

static void await_bell(bell *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->n == 0)
        pthread_cond_wait(&b->rung, &b->lock);
    b->n = 0;
    pthread_mutex_unlock(&b->lock);
}

typedef struct packing {
    oras_pool *pool;
    oras_source *source;
    oras_error err;
} packing;

static packing start(const char *path, int n_threads, oras_pack_options options)
{
    packing p = {.err = ORAS_ERROR_INIT};

    assert_int_equal(oras_pool_new(n_threads, &p.pool, &p.err), ORAS_OK);
    if (oras_pack_new(p.pool, path, &options, &p.source, &p.err))
        fail_msg("%s", p.err.message);
    oras_source_set_notify(p.source, (oras_notify){ring, &the_bell});
    return p;
}

static void end(packing *p)
{
    oras_source_free(p->source);
    oras_pool_free(p->pool);
}

/* Read at most `most` bytes in chunks of odd sizes. */
static oras_source_step read_some(packing *p, size_t most, oras_buf *out)
{
    static char chunk[77777];
    oras_source_step step = ORAS_SOURCE_DATA;

    for (size_t done = 0; done < most;) {
        size_t n, room = most - done < sizeof chunk ? most - done : sizeof chunk;

        step = oras_source_read(p->source, chunk, room, &n, &p->err);
        if (step == ORAS_SOURCE_WAIT)
            await_bell(&the_bell);
        else if (step != ORAS_SOURCE_DATA)
            return step;
        done += n;
        assert_true(oras_buf_append(out, chunk, n));
    }
    return step;
}

static oras_source_step read_all(packing *p, oras_buf *out)
{
    return read_some(p, SIZE_MAX, out);
}

static void expect_failed(packing *p, oras_class class, const char *words)
{
    MAKE(bytes);

    assert_int_equal(read_all(p, &bytes), ORAS_SOURCE_FAILED);
    assert_string_equal(p->err.class_name, oras_class_name(class));
    if (!strstr(p->err.message, words))
        fail_msg("'%s' is not in: %s", words, p->err.message);
    oras_buf_dispose(&bytes);
}

static void pack_all(const char *path, int n_threads, oras_pack_options options, oras_buf *out)
{
    packing p = start(path, n_threads, options);
    oras_digest digest, real;
    int64_t size;

    assert_false(oras_source_digest(p.source, &digest, &size));
    assert_int_equal(read_all(&p, out), ORAS_SOURCE_END);
    assert_true(oras_source_digest(p.source, &digest, &size));
    assert_int_equal(size, out->size);
    assert_int_equal(oras_digest_of(ORAS_SHA256, out->data, out->size, &real, NULL), ORAS_OK);
    assert_true(oras_digest_equal(&digest, &real));
    end(&p);
}

/* --- trees ---------------------------------------------------------------------------------- */

static void put_random(const char *path, size_t size)
{
    char *data = malloc(size);
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (char)x;
    }
    put_bytes(path, data, size);
    free(data);
}

static void put_text(const char *path, size_t size)
{
    char *data = malloc(size);

    for (size_t i = 0; i < size; i++)
        data[i] = (char)('a' + (i * i / 7 + i / 1000) % 26);
    put_bytes(path, data, size);
    free(data);
}

static void put_tree(void)
{
    put("t/a/hello", "hello");
    put("t/a/empty", "");
    put_link("t/a/link", "../b");
    put("t/b", "bye");
    put_dir("t/dir");
    put_random("t/random", (3 << 20) + 5);
    put_text("t/text", (5 << 20) - 512);
    put("t/z\xc3\xa9", "z");
}

static const char LISTED[] = "d 755 0 0 t\n"
                             "d 755 0 0 t/a\n"
                             "f 644 0 0 t/a/empty\n"
                             "f 644 5 0 t/a/hello\n"
                             "l 777 0 0 t/a/link -> ../b\n"
                             "f 644 3 0 t/b\n"
                             "d 755 0 0 t/dir\n"
                             "f 644 3145733 0 t/random\n"
                             "f 644 5242368 0 t/text\n"
                             "f 644 1 0 t/z\xc3\xa9\n";

static void expect_listed(const oras_buf *bytes, oras_packing packed)
{
    listing list;

    list_bytes(bytes->data, bytes->size, &(list_options){.packing = packed}, &list);
    assert_false(list.failed);
    assert_string_equal(oras_buf_text(&list.text), LISTED);
    listing_dispose(&list);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void test_every_compression_is_read_back(void **state)
{
    static const oras_packing packings[] = {ORAS_PACKING_NONE, ORAS_PACKING_GZIP,
                                            ORAS_PACKING_ZSTD};

    (void)state;
    put_tree();
    for (int i = 0; i < 3; i++) {
        MAKE(bytes);

        pack_all("t", 2, (oras_pack_options){.compression = (oras_compression)i}, &bytes);
        expect_listed(&bytes, packings[i]);
        oras_buf_dispose(&bytes);
    }
}

static void test_same_bytes_from_any_number_of_threads(void **state)
{
    static const int n_threads[] = {1, 2, 3, 4, 4, 2, 1};

    (void)state;
    put_tree();
    for (int i = 0; i < 3; i++) {
        oras_pack_options options = {.compression = (oras_compression)i};
        MAKE(first);

        pack_all("t", 1, options, &first);
        for (size_t n = 0; n < sizeof n_threads / sizeof n_threads[0]; n++) {
            MAKE(other);

            pack_all("t", n_threads[n], options, &other);
            assert_int_equal(other.size, first.size);
            assert_memory_equal(other.data, first.data, first.size);
            oras_buf_dispose(&other);
        }
        oras_buf_dispose(&first);
    }
}

static void test_times_are_the_given_one_or_the_files_own(void **state)
{
    oras_pack_options options = {.compression = ORAS_COMPRESSION_NONE, .mtime = 12345};
    struct timespec half[2] = {{100, 500000000}, {100, 500000000}};
    MAKE(given);
    MAKE(own);

    (void)state;
    put("t/a", "a");
    put("t/b", "b");
    assert_int_equal(utimensat(AT_FDCWD, "t/b", half, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, "t", half, 0), 0);
    pack_all("t", 1, options, &given);
    expect_text(&given, "d 755 0 12345 t = \nf 644 1 12345 t/a = a\nf 644 1 12345 t/b = b\n");
    options.mtime = -1;
    pack_all("t", 1, options, &own);
    expect_text(&own, "d 755 0 101 t = \nf 644 1 1600000000 t/a = a\nf 644 1 101 t/b = b\n");
    oras_buf_dispose(&given);
    oras_buf_dispose(&own);
}

static void test_a_file_alone(void **state)
{
    MAKE(bytes);

    (void)state;
    put("t/a/hello", "hello");
    pack_all("t/a/hello", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP}, &bytes);
    expect_text(&bytes, "f 644 5 0 hello = hello\n");
    oras_buf_dispose(&bytes);
}

static void test_what_does_not_shrink_is_stored(void **state)
{
    MAKE(bytes);

    (void)state;
    put_random("random", 4 << 20);
    pack_all("random", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP}, &bytes);
    assert_true(bytes.size > 4 << 20);
    assert_true(bytes.size < (4 << 20) + 8192);
    oras_buf_dispose(&bytes);
}

static void test_levels(void **state)
{
    MAKE(fast);
    MAKE(small);
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source;

    (void)state;
    put_text("text", 2 << 20);
    pack_all("text", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP, .level = 1},
             &fast);
    pack_all("text", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP, .level = 9},
             &small);
    assert_true(small.size < fast.size);
    for (int i = 0; i < 3; i++) {
        oras_pack_options options = {.compression = (oras_compression)i, .level = 20};

        assert_class(oras_pack_new(NULL, "text", &options, &source, &err), ORAS_C_USAGE);
    }
    oras_buf_dispose(&fast);
    oras_buf_dispose(&small);
}

static void test_the_tar_has_a_digest_of_its_own(void **state)
{
    packing p;
    oras_digest content, expected;
    int64_t size;
    MAKE(tar);
    MAKE(bytes);

    (void)state;
    put_tree();
    pack_all("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_NONE}, &tar);
    assert_int_equal(oras_digest_of(ORAS_SHA256, tar.data, tar.size, &expected, NULL), ORAS_OK);
    p = start("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP});
    assert_false(oras_pack_content(p.source, &content, &size));
    assert_int_equal(read_all(&p, &bytes), ORAS_SOURCE_END);
    assert_true(oras_pack_content(p.source, &content, &size));
    assert_true(oras_digest_equal(&content, &expected));
    assert_int_equal(size, tar.size);
    end(&p);
    oras_buf_dispose(&tar);
    oras_buf_dispose(&bytes);
}

static void test_other_sources_have_no_content(void **state)
{
    oras_source *source;
    oras_digest digest;
    int64_t size;

    (void)state;
    assert_int_equal(oras_source_memory("x", 1, &source, NULL), ORAS_OK);
    assert_false(oras_pack_content(source, &digest, &size));
    oras_source_free(source);
}

static void test_packs_again_from_byte_0(void **state)
{
    packing p;
    oras_error err = ORAS_ERROR_INIT;
    MAKE(first);
    MAKE(second);
    MAKE(part);

    (void)state;
    put_tree();
    p = start("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP});
    assert_true(oras_source_can_seek(p.source));
    assert_int_equal(oras_source_seek(p.source, 0, &err), ORAS_OK);
    assert_int_equal(oras_source_size(p.source), -1);
    assert_int_equal(read_some(&p, 2000000, &part), ORAS_SOURCE_DATA);
    assert_class(oras_source_seek(p.source, 5, &err), ORAS_C_UNSUPPORTED);
    assert_int_equal(oras_source_seek(p.source, 0, &err), ORAS_OK);
    assert_int_equal(read_all(&p, &first), ORAS_SOURCE_END);
    assert_int_equal(oras_source_size(p.source), first.size);
    assert_int_equal(oras_source_seek(p.source, 0, &err), ORAS_OK);
    assert_int_equal(read_all(&p, &second), ORAS_SOURCE_END);
    assert_int_equal(read_all(&p, &second), ORAS_SOURCE_END);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    assert_memory_equal(first.data, part.data, part.size);
    end(&p);
    oras_buf_dispose(&first);
    oras_buf_dispose(&second);
    oras_buf_dispose(&part);
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_compression_is_read_back),
        TEST(test_same_bytes_from_any_number_of_threads),
        TEST(test_times_are_the_given_one_or_the_files_own),
        TEST(test_a_file_alone),
        TEST(test_what_does_not_shrink_is_stored),
        TEST(test_levels),
        TEST(test_the_tar_has_a_digest_of_its_own),
        TEST(test_other_sources_have_no_content),
        TEST(test_packs_again_from_byte_0),
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
