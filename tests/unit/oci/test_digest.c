/* SPDX-License-Identifier: MIT */
#include "oci/digest.h"

#include "cmocka_c11.h"

#include <string.h>

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX128 HEX64 HEX64

static void test_C04_good_digests_parse(void **state)
{
    oras_digest digest;

    (void)state;
    assert_int_equal(oras_digest_parse("sha256:" HEX64 "rest", 71, &digest, NULL), ORAS_OK);
    assert_string_equal(digest.text, "sha256:" HEX64);
    assert_string_equal(oras_digest_encoded(&digest), HEX64);
    assert_string_equal(oras_algorithm_name(digest.algorithm), "sha256");
    assert_int_equal(oras_digest_parse("sha512:" HEX128, 135, &digest, NULL), ORAS_OK);
    assert_int_equal(digest.algorithm, ORAS_SHA512);
    assert_string_equal(oras_digest_encoded(&digest), HEX128);
}

static const char *const malformed[] = {
    "",
    "sha256",
    "sha256:",
    ":",
    ":" HEX64,
    HEX64,
    "sha256:../../etc/passwd",
    "sha256:" HEX64 "0",
    "sha256:" HEX128,
    "sha512:" HEX64,
    "sha256: " HEX64,
    " sha256:" HEX64,
    "SHA256:" HEX64,
    "sha384:" HEX64,
    "md5:d41d8cd98f00b204e9800998ecf8427e",
    "blake3:" HEX64,
    "sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
    "sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "sha256:"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n",
    "sha256:sha256:" HEX64,
    "sha256+b64:" HEX64,
};

static void test_C04_CVE_2024_3727_malformed_digests_are_content_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        oras_digest digest;
        oras_error err = ORAS_ERROR_INIT;

        memset(&digest, 'x', sizeof digest);
        assert_class(oras_digest_parse(malformed[i], strlen(malformed[i]), &digest, &err),
                     ORAS_C_CONTENT);
        assert_int_equal(digest.text[0], 'x');
    }
}

static void test_C04_nul_and_ten_kilobytes_are_refused(void **state)
{
    char text[10240];
    oras_digest digest;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_class(oras_digest_parse("sha256:0123456789abcdef0123456789abcdef\0"
                                   "123456789abcdef0123456789abcdef",
                                   71, &digest, &err),
                 ORAS_C_CONTENT);
    memset(text, 'a', sizeof text);
    memcpy(text, "sha256:", 7);
    assert_class(oras_digest_parse(text, sizeof text, &digest, &err), ORAS_C_CONTENT);
    assert_true(strlen(err.message) < 200);
}

/* FIPS 180-4 examples. */
static void test_known_digests(void **state)
{
    oras_digest digest;

    (void)state;
    oras_digest_of(ORAS_SHA256, "", 0, &digest, NULL);
    assert_string_equal(digest.text,
                        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    oras_digest_of(ORAS_SHA256, "abc", 3, &digest, NULL);
    assert_string_equal(digest.text,
                        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    oras_digest_of(ORAS_SHA512, "abc", 3, &digest, NULL);
    assert_string_equal(digest.text,
                        "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void test_streaming_gives_the_same(void **state)
{
    static const oras_algorithm algorithms[] = {ORAS_SHA256, ORAS_SHA512};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        oras_hasher *hasher;
        oras_digest streamed, whole;

        assert_int_equal(oras_hasher_new(algorithms[i], &hasher, NULL), ORAS_OK);
        oras_hasher_update(hasher, "dropped", 7, NULL);
        oras_hasher_reset(hasher, NULL);
        oras_hasher_update(hasher, "", 0, NULL);
        for (const char *at = "streamed"; *at; at++)
            oras_hasher_update(hasher, at, 1, NULL);
        assert_int_equal(oras_hasher_final(hasher, &streamed, NULL), ORAS_OK);
        oras_digest_of(algorithms[i], "streamed", 8, &whole, NULL);
        assert_true(oras_digest_equal(&streamed, &whole));
        oras_hasher_reset(hasher, NULL);
        assert_int_equal(oras_hasher_final(hasher, &streamed, NULL), ORAS_OK);
        assert_false(oras_digest_equal(&streamed, &whole));
        oras_hasher_free(hasher);
    }
    oras_hasher_free(NULL);
}

static void test_algorithms_have_exact_names(void **state)
{
    oras_algorithm found = ORAS_SHA512;

    (void)state;
    assert_true(oras_algorithm_find("sha256", &found));
    assert_int_equal(found, ORAS_SHA256);
    assert_false(oras_algorithm_find("sha25", &found));
    assert_false(oras_algorithm_find("sha2567", &found));
    assert_false(oras_algorithm_find("", &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C04_good_digests_parse),
        cmocka_unit_test(test_C04_CVE_2024_3727_malformed_digests_are_content_errors),
        cmocka_unit_test(test_C04_nul_and_ten_kilobytes_are_refused),
        cmocka_unit_test(test_known_digests),
        cmocka_unit_test(test_streaming_gives_the_same),
        cmocka_unit_test(test_algorithms_have_exact_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
