/* SPDX-License-Identifier: MIT
 * Every allocation of the archive reader fails in turn: a memory error, and nothing leaks. */
#include "archive_help.h"

#include "failing_alloc.h"

#define MAKE(name) oras_buf name = ORAS_BUF_INIT((size_t)1 << 30)

static failing_alloc counter = {-1, false, 0, NULL, false};
static const oras_allocator ours = {failing_resize, &counter};

static oras_code read_all(const oras_buf *bytes, oras_error *err)
{
    oras_archive *archive;
    oras_archive_step step = ORAS_STEP_ENTRY;
    oras_entry entry;
    size_t left = bytes->size;
    oras_code code = oras_archive_new(ORAS_PACKING_ANY, NULL, &archive, err);

    if (code)
        return code;
    while (step != ORAS_STEP_END && step != ORAS_STEP_FAILED) {
        step = oras_archive_next(archive, &entry, err);
        if (step != ORAS_STEP_MORE)
            continue;
        oras_archive_feed(archive, bytes->data, left);
        left = 0;
    }
    oras_archive_free(archive);
    return step == ORAS_STEP_END ? ORAS_OK : err->code;
}

static void fail_each(const oras_buf *bytes, long n_allocations)
{
    long n_alive = counter.n_alive;

    for (long n = 0;; n++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_code code;

        counter.n_before_failure = n;
        code = read_all(bytes, &err);
        counter.n_before_failure = -1;
        assert_int_equal(counter.n_alive, n_alive);
        if (!code) {
            assert_true(n >= n_allocations);
            return;
        }
        assert_int_equal(code, ORAS_ENOMEM);
        assert_string_equal(err.class_name, "memory");
    }
}

static void put_all(oras_buf *tar)
{
    MAKE(records);

    put_pax_record(&records, "path", "a/long/name");
    put_pax_record(&records, "linkpath", "somewhere");
    put_pax(tar, 'x', records.data, records.size);
    put_header(tar, &(tar_fields){.name = "l", .type = '2', .linkname = "x"});
    put_header(tar, &(tar_fields){.name = "L", .type = 'L', .size = 5});
    put_data(tar, "long", 5);
    put_file(tar, "n", "content");
    put_end(tar);
    oras_buf_dispose(&records);
}

static void test_L22_tar(void **state)
{
    static void (*const packers[])(const void *, size_t, oras_buf *) = {pack_gzip, pack_bzip2,
                                                                        pack_zstd};
    MAKE(tar);

    (void)state;
    put_all(&tar);
    fail_each(&tar, 6);
    for (int i = 0; i < 3; i++) {
        MAKE(packed);

        packers[i](tar.data, tar.size, &packed);
        fail_each(&packed, 8);
        oras_buf_dispose(&packed);
    }
    oras_buf_dispose(&tar);
}

/* Without entries: what libarchive allocates is its own. */
static void test_L22_zip(void **state)
{
    MAKE(zip);

    (void)state;
    oras_buf_append(&zip, "PK\5\6", 4);
    put_zeros(&zip, 18);
    fail_each(&zip, 3);
    oras_buf_dispose(&zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L22_tar),
        cmocka_unit_test(test_L22_zip),
    };

    oras_alloc_set(&ours);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
