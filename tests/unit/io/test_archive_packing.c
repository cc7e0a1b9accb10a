/* SPDX-License-Identifier: MIT
 * gzip, zstd and bzip2 around a tar: members, damage, bombs, and what the bytes must be. */
#include "archive_help.h"

#include "base/alloc.h"

#include <isa-l/crc.h>
#include <stdio.h>

#define MAKE(name) oras_buf name = ORAS_BUF_INIT((size_t)1 << 30)

typedef void pack_fn(const void *data, size_t size, oras_buf *out);

static const struct {
    pack_fn *pack;
    oras_packing packing;
    const char *name;
} packers[] = {{pack_gzip, ORAS_PACKING_GZIP, "gzip"},
               {pack_zstd, ORAS_PACKING_ZSTD, "zstd"},
               {pack_bzip2, ORAS_PACKING_BZIP2, "bzip2"}};

#define N_PACKERS (sizeof packers / sizeof packers[0])
#define EXPECTED                                                                                   \
    "f 644 5 1600000000 a = hello\n"                                                               \
    "f 644 11 1600000000 b = hello again\n"

static void put_two(oras_buf *tar)
{
    put_file(tar, "a", "hello");
    put_file(tar, "b", "hello again");
    put_end(tar);
}

/* Members of this many bytes each. */
static void pack_members(pack_fn *pack, const oras_buf *tar, size_t each, oras_buf *out)
{
    for (size_t at = 0; at < tar->size; at += each) {
        size_t left = tar->size - at;

        pack(tar->data + at, left < each ? left : each, out);
    }
}

static void expect_listing(const oras_buf *packed, const list_options *options)
{
    listing list;

    list_bytes(packed->data, packed->size, options, &list);
    if (list.failed)
        fail_msg("%s: %s", list.err.class_name, list.err.message);
    assert_string_equal(list.text.data, EXPECTED);
    listing_dispose(&list);
}

static void test_members_in_any_chunks(void **state)
{
    static const size_t sizes[] = {1, 100, 512, 1000, 1 << 20};

    (void)state;
    for (size_t p = 0; p < N_PACKERS; p++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            MAKE(tar);
            MAKE(packed);

            if (sizes[i] == 1 && packers[p].packing == ORAS_PACKING_BZIP2)
                continue; /* 3,000 streams with 3 MB of tables each: a minute under valgrind */
            put_two(&tar);
            pack_members(packers[p].pack, &tar, sizes[i], &packed);
            for (unsigned seed = 0; seed < 20; seed++)
                expect_listing(&packed, &(list_options){.packing = packers[p].packing,
                                                        .contents = true,
                                                        .seed = seed,
                                                        .chunk = seed % 2 ? 7 : 300});
            expect_listing(&packed, &(list_options){.contents = true, .chunk = 1});
            oras_buf_dispose(&tar);
            oras_buf_dispose(&packed);
        }
    }
}

static void test_C34_C35_cut_anywhere(void **state)
{
    (void)state;
    for (size_t p = 0; p < N_PACKERS; p++) {
        MAKE(tar);
        MAKE(packed);

        put_two(&tar);
        packers[p].pack(tar.data, tar.size, &packed);
        for (size_t size = 0; size < packed.size; size++) {
            list_options options = {.packing = packers[p].packing, .contents = true};
            listing list;

            list_bytes(packed.data, size, &options, &list);
            assert_true(list.failed);
            assert_string_equal(list.err.class_name, "content");
            listing_dispose(&list);
        }
        oras_buf_dispose(&tar);
        oras_buf_dispose(&packed);
    }
}

/* One bit turned anywhere: an error, or (header bytes that carry no meaning) the same. */
static void test_C34_C35_one_bit(void **state)
{
    (void)state;
    for (size_t p = 0; p < N_PACKERS; p++) {
        MAKE(tar);
        MAKE(packed);

        put_two(&tar);
        packers[p].pack(tar.data, tar.size, &packed);
        for (size_t bit = 0; bit < packed.size * 8; bit++) {
            list_options options = {.packing = packers[p].packing, .contents = true};
            listing list;

            packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
            list_bytes(packed.data, packed.size, &options, &list);
            packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ 1 << bit % 8);
            if (!list.failed)
                assert_string_equal(list.text.data, EXPECTED);
            listing_dispose(&list);
        }
        oras_buf_dispose(&tar);
        oras_buf_dispose(&packed);
    }
}

static void test_C34_C35_something_behind(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } behind[] = {{"\0", 1},          {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20},
                  {"junk", 4},        {"\x1f", 1},
                  {"\x28", 1},        {"B", 1},
                  {"\x1f\x8b\x08", 3}};

    (void)state;
    for (size_t p = 0; p < N_PACKERS; p++) {
        for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
            list_options options = {.packing = packers[p].packing, .contents = true};
            MAKE(tar);
            MAKE(packed);

            put_two(&tar);
            packers[p].pack(tar.data, tar.size, &packed);
            oras_buf_append(&packed, behind[i].bytes, behind[i].size);
            expect_failure_with(&packed, &options, "content", "");
            options.chunk = 1;
            expect_failure_with(&packed, &options, "content", "");
            oras_buf_dispose(&tar);
            oras_buf_dispose(&packed);
        }
    }
}

/* --- gzip ---------------------------------------------------------------------------------- */

static void test_C34_gzip_trailer(void **state)
{
    MAKE(tar);
    MAKE(packed);

    (void)state;
    put_two(&tar);
    pack_gzip(tar.data, tar.size, &packed);
    packed.data[packed.size - 8] ^= 1;
    expect_failure(&packed, "content", "wrong checksum or size");
    packed.data[packed.size - 8] ^= 1;
    packed.data[packed.size - 1] ^= 1;
    expect_failure(&packed, "content", "wrong checksum or size");
    oras_buf_dispose(&tar);
    oras_buf_dispose(&packed);
}

typedef struct gzip_fields {
    size_t n_extra, n_name, n_comment; /* 0: not there */
    bool has_crc, wrong_crc;
    unsigned reserved;
} gzip_fields;

static void put_many(oras_buf *out, char byte, size_t size)
{
    assert_true(oras_buf_reserve(out, size));
    memset(out->data + out->size, byte, size);
    out->size += size;
}

/* The same member under another header. */
static void put_gzip(oras_buf *out, const oras_buf *tar, const gzip_fields *f)
{
    MAKE(plain);
    char head[10] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";

    head[3] = (char)((f->has_crc ? 2 : 0) | (f->n_extra ? 4 : 0) | (f->n_name ? 8 : 0) |
                     (f->n_comment ? 16 : 0) | f->reserved);
    oras_buf_append(out, head, sizeof head);
    if (f->n_extra) {
        char size[2] = {(char)(f->n_extra & 0xff), (char)(f->n_extra >> 8)};

        oras_buf_append(out, size, 2);
        put_many(out, 'e', f->n_extra);
    }
    for (int i = 0; i < 2; i++) {
        size_t n = i ? f->n_comment : f->n_name;

        if (n) {
            put_many(out, 'n', n - 1);
            oras_buf_append(out, "", 1);
        }
    }
    if (f->has_crc) {
        uint32_t crc = crc32_gzip_refl(0, (const unsigned char *)out->data, out->size);
        char two[2] = {(char)crc, (char)((crc >> 8) ^ f->wrong_crc)};

        oras_buf_append(out, two, 2);
    }
    pack_gzip(tar->data, tar->size, &plain);
    oras_buf_append(out, plain.data + 10, plain.size - 10);
    oras_buf_dispose(&plain);
}

static void test_gzip_header_fields(void **state)
{
    static const gzip_fields fields[] = {
        {.has_crc = true},
        {.n_extra = 1},
        {.n_name = 1},
        {.n_comment = 5},
        {.n_extra = 300, .n_name = 300, .n_comment = 300, .has_crc = true},
        {.n_extra = 65000, .n_name = 500},
        {.n_name = 65526},
    };

    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        MAKE(tar);
        MAKE(packed);

        put_two(&tar);
        put_gzip(&packed, &tar, &fields[i]);
        for (size_t chunk = 0; chunk < 12; chunk++)
            expect_listing(&packed, &(list_options){.contents = true, .chunk = chunk});
        oras_buf_dispose(&tar);
        oras_buf_dispose(&packed);
    }
}

static void test_C34_gzip_header(void **state)
{
    static const struct {
        gzip_fields fields;
        const char *words;
    } cases[] = {
        {{.n_extra = 65535}, "longer than 65536"},
        {{.n_name = 65527}, "longer than 65536"},
        {{.n_name = 20 << 20}, "longer than 65536"},
        {{.n_comment = 70000}, "longer than 65536"},
        {{.has_crc = true, .wrong_crc = true}, "wrong checksum"},
        {{.reserved = 0x20}, "reserved"},
        {{.reserved = 0x80}, "reserved"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        MAKE(tar);
        MAKE(packed);

        put_two(&tar);
        put_gzip(&packed, &tar, &cases[i].fields);
        expect_failure(&packed, "content", cases[i].words);
        oras_buf_dispose(&tar);
        oras_buf_dispose(&packed);
    }
}

static void test_C33_many_empty_members(void **state)
{
    MAKE(tar);
    MAKE(packed);

    (void)state;
    put_two(&tar);
    for (int i = 0; i < 1000; i++)
        pack_gzip("", 0, &packed);
    pack_gzip(tar.data, tar.size, &packed);
    expect_listing(&packed, &(list_options){.contents = true, .chunk = 1000});
    oras_buf_dispose(&tar);
    oras_buf_dispose(&packed);
}

/* --- bombs --------------------------------------------------------------------------------- */

/* A tar with one file of `size` zeros in it, packed in members of 1 MiB. */
static void put_bomb(pack_fn *pack, size_t size, oras_buf *packed)
{
    MAKE(tar);
    MAKE(member);

    put_header(&tar, &(tar_fields){.name = "zeros", .size = (int64_t)size});
    pack(tar.data, tar.size, packed);
    oras_buf_clear(&tar);
    put_zeros(&tar, 1 << 20);
    pack(tar.data, tar.size, &member);
    for (size_t i = 0; i < size >> 20; i++)
        oras_buf_append(packed, member.data, member.size);
    pack(tar.data, 1024, packed);
    oras_buf_dispose(&tar);
    oras_buf_dispose(&member);
}

static void test_C33_ratio(void **state)
{
    (void)state;
    for (size_t p = 0; p < N_PACKERS; p++) {
        /* ISA-L's fastest level, which these tests pack with, gets no 200:1 */
        int ratio = packers[p].packing == ORAS_PACKING_GZIP ? 20 : 0;
        list_options narrow = {.limits = {.max_ratio = ratio}, .chunk = 4096};
        list_options wide = {.limits = {.max_ratio = 1 << 30}};
        listing list;
        MAKE(packed);

        put_bomb(packers[p].pack, 66 << 20, &packed);
        expect_failure_with(&packed, &narrow, "limit", ratio ? "20 times" : "200 times");
        list_bytes(packed.data, packed.size, &wide, &list);
        assert_false(list.failed);
        assert_int_equal(list.n_entries, 1);
        listing_dispose(&list);
        oras_buf_clear(&packed);
        put_bomb(packers[p].pack, 63 << 20, &packed); /* small ones may be as they like */
        list_bytes(packed.data, packed.size, &narrow, &list);
        assert_false(list.failed);
        listing_dispose(&list);
        oras_buf_dispose(&packed);
    }
}

static void test_C33_bytes(void **state)
{
    (void)state;
    for (size_t p = 0; p < N_PACKERS; p++) {
        list_options options = {.limits = {.max_bytes = 1 << 20}};
        MAKE(tar);
        MAKE(packed);

        for (int i = 0; i < 4096; i++)
            put_file(&tar, "n", "x");
        put_end(&tar);
        packers[p].pack(tar.data, tar.size, &packed);
        expect_failure_with(&packed, &options, "limit", "more than 1048576 bytes");
        oras_buf_dispose(&tar);
        oras_buf_dispose(&packed);
    }
}

/* --- zstd ---------------------------------------------------------------------------------- */

static void test_C35_zstd_window(void **state)
{
    /* a frame header by hand: no single segment, window descriptor, one raw last block */
    uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0, 0x01, 0, 0};
    oras_buf bytes = {(char *)frame, sizeof frame, sizeof frame, sizeof frame, ORAS_BUF_OK};

    (void)state;
    frame[5] = (27 - 10) << 3; /* 128 MiB */
    expect_failure(&bytes, "content", "empty");
    frame[5] = (27 - 10) << 3 | 1; /* an eighth more */
    expect_failure(&bytes, "limit", "128 MiB");
    frame[5] = (41 - 10) << 3; /* 2 TiB */
    expect_failure(&bytes, "limit", "128 MiB");
}

static void test_C35_zstd_dictionary(void **state)
{
    uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x58, 42, 0x01, 0, 0};
    oras_buf bytes = {(char *)frame, sizeof frame, sizeof frame, sizeof frame, ORAS_BUF_OK};

    (void)state;
    expect_failure(&bytes, "content", "dictionary");
}

static void test_C35_zstd_skippable(void **state)
{
    MAKE(tar);
    MAKE(packed);

    (void)state;
    put_two(&tar);
    oras_buf_append(&packed, "\x50\x2a\x4d\x18\3\0\0\0abc", 11);
    pack_zstd(tar.data, tar.size, &packed);
    oras_buf_append(&packed, "\x5f\x2a\x4d\x18\0\0\0\0", 8);
    for (size_t chunk = 0; chunk < 12; chunk++)
        expect_listing(&packed, &(list_options){.contents = true, .chunk = chunk});
    oras_buf_append(&packed, "\x5f\x2a\x4d\x18\xff\xff\xff\xff..", 10); /* claims 4 GiB */
    expect_failure(&packed, "content", "cut off");
    oras_buf_dispose(&tar);
    oras_buf_dispose(&packed);
}

/* formats from before RFC 8878, which the library may still read */
static void test_C35_zstd_legacy(void **state)
{
    MAKE(packed);

    (void)state;
    for (int version = 0x22; version < 0x28; version++) {
        oras_buf_clear(&packed);
        pack_zstd("", 0, &packed);
        oras_buf_append(&packed, &(char){(char)version}, 1);
        oras_buf_append(&packed, "\xb5\x2f\xfd\0\0\0\0\0\0", 9);
        expect_failure_with(&packed, &(list_options){.packing = ORAS_PACKING_ZSTD}, "content",
                            "not zstd: there are other bytes behind it");
    }
    oras_buf_dispose(&packed);
}

/* --- what the bytes must be ---------------------------------------------------------------- */

static void test_C36_media_type_and_bytes(void **state)
{
    (void)state;
    for (size_t p = 0; p < N_PACKERS; p++) {
        MAKE(tar);
        MAKE(packed);

        put_two(&tar);
        packers[p].pack(tar.data, tar.size, &packed);
        for (int wanted = ORAS_PACKING_NONE; wanted <= ORAS_PACKING_ZIP; wanted++) {
            list_options options = {.packing = (oras_packing)wanted, .contents = true};

            if (packers[p].packing == options.packing)
                continue;
            expect_failure_with(&packed, &options, "content", "not ");
            expect_failure_with(&packed, &options, "content", packers[p].name);
            expect_failure_with(&tar, &(list_options){.packing = packers[p].packing}, "content",
                                packers[p].name);
        }
        oras_buf_dispose(&tar);
        oras_buf_dispose(&packed);
    }
}

static void test_C36_other_formats(void **state)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *name;
    } formats[] = {{"Rar!\x1a\x07\0", 7, "rar"},
                   {"7z\xbc\xaf\x27\x1c", 6, "7z"},
                   {"\xfd"
                    "7zXZ\0",
                    6, "xz"},
                   {"070701", 6, "cpio"},
                   {"070707", 6, "cpio"},
                   {"\xc7\x71", 2, "cpio"},
                   {"xar!", 4, "xar"},
                   {"!<arch>\n", 8, "ar"},
                   {"#mtree\n", 7, "mtree"},
                   {"MSCF", 4, "cab"},
                   {"LZIP", 4, "lzip"},
                   {"{\"schemaVersion\":2}", 19, "not a tar archive"}};

    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        for (size_t size = 0; size < 2000; size += 1990) {
            MAKE(bytes);

            oras_buf_append(&bytes, formats[i].magic, formats[i].size);
            put_many(&bytes, 'x', size);
            expect_failure(&bytes, "content", formats[i].name);
            expect_failure_with(&bytes, &(list_options){.packing = ORAS_PACKING_NONE}, "content",
                                formats[i].name);
            expect_failure_with(&bytes, &(list_options){.packing = ORAS_PACKING_GZIP}, "content",
                                "not gzip");
            oras_buf_dispose(&bytes);
        }
    }
}

/* A tar's first name may look like anything, where the media type says that it is a tar. */
static void test_tar_that_looks_like_something_else(void **state)
{
    static const char *const names[] = {"#mtree", "070701", "PK\x03\x04", "BZh91AY&SY", "LZIP"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        list_options options = {.packing = ORAS_PACKING_NONE};
        listing list;
        MAKE(tar);

        put_file(&tar, names[i], "");
        put_end(&tar);
        list_bytes(tar.data, tar.size, &options, &list);
        assert_false(list.failed);
        assert_int_equal(list.n_entries, 1);
        listing_dispose(&list);
        oras_buf_dispose(&tar);
    }
}

static void test_empty_input(void **state)
{
    (void)state;
    for (int wanted = ORAS_PACKING_ANY; wanted <= ORAS_PACKING_ZIP; wanted++) {
        list_options options = {.packing = (oras_packing)wanted};
        listing list;

        list_bytes(NULL, 0, &options, &list);
        assert_true(list.failed);
        assert_string_equal(list.err.class_name, "content");
        assert_non_null(strstr(list.err.message, "empty"));
        listing_dispose(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_in_any_chunks),
        cmocka_unit_test(test_C34_C35_cut_anywhere),
        cmocka_unit_test(test_C34_C35_one_bit),
        cmocka_unit_test(test_C34_C35_something_behind),
        cmocka_unit_test(test_C34_gzip_trailer),
        cmocka_unit_test(test_gzip_header_fields),
        cmocka_unit_test(test_C34_gzip_header),
        cmocka_unit_test(test_C33_many_empty_members),
        cmocka_unit_test(test_C33_ratio),
        cmocka_unit_test(test_C33_bytes),
        cmocka_unit_test(test_C35_zstd_window),
        cmocka_unit_test(test_C35_zstd_dictionary),
        cmocka_unit_test(test_C35_zstd_skippable),
        cmocka_unit_test(test_C35_zstd_legacy),
        cmocka_unit_test(test_C36_media_type_and_bytes),
        cmocka_unit_test(test_C36_other_formats),
        cmocka_unit_test(test_tar_that_looks_like_something_else),
        cmocka_unit_test(test_empty_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
