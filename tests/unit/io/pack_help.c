/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "pack_help.h"

#include <stdio.h>
#include <stdlib.h>

bell the_bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

void ring(void *ud)
{
    bell *b = ud;

    pthread_mutex_lock(&b->lock);
    b->n++;
    pthread_cond_broadcast(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

void await_bell(bell *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->n == 0)
        pthread_cond_wait(&b->rung, &b->lock);
    b->n = 0;
    pthread_mutex_unlock(&b->lock);
}

packing start(const char *path, int n_threads, oras_pack_options options)
{
    packing p = {.err = ORAS_ERROR_INIT};

    assert_int_equal(oras_pool_new(n_threads, &p.pool, &p.err), ORAS_OK);
    if (oras_pack_new(p.pool, path, &options, &p.source, &p.err))
        fail_msg("%s", p.err.message);
    oras_source_set_notify(p.source, (oras_notify){ring, &the_bell});
    return p;
}

void end(packing *p)
{
    oras_source_free(p->source);
    oras_pool_free(p->pool);
}

/* Read at most `most` bytes in chunks of odd sizes. */
oras_source_step read_some(packing *p, size_t most, oras_buf *out)
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

oras_source_step read_all(packing *p, oras_buf *out)
{
    return read_some(p, SIZE_MAX, out);
}

void expect_failed(packing *p, oras_class class, const char *words)
{
    MAKE(bytes);

    assert_int_equal(read_all(p, &bytes), ORAS_SOURCE_FAILED);
    assert_string_equal(p->err.class_name, oras_class_name(class));
    if (!strstr(p->err.message, words))
        fail_msg("'%s' is not in: %s", words, p->err.message);
    oras_buf_dispose(&bytes);
}

void pack_all(const char *path, int n_threads, oras_pack_options options, oras_buf *out)
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

void put_random(const char *path, size_t size)
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

void put_text(const char *path, size_t size)
{
    char *data = malloc(size);

    for (size_t i = 0; i < size; i++)
        data[i] = (char)('a' + (i * i / 7 + i / 1000) % 26);
    put_bytes(path, data, size);
    free(data);
}

void put_tree(void)
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
