/* SPDX-License-Identifier: MIT
 * What parses is written as it was read; hashing in pieces gives the hash of the whole. */
#include "fuzz.h"
#include "oci/digest.h"

static void check_parse(const char *text, size_t size)
{
    oras_digest digest, again;
    oras_algorithm algorithm;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_digest_parse(text, size, &digest, &err)) {
        REQUIRE_ERROR(err, "content");
        return;
    }
    REQUIRE(strlen(digest.text) == size && memcmp(digest.text, text, size) == 0);
    REQUIRE(!oras_digest_parse(digest.text, size, &again, &err));
    REQUIRE(oras_digest_equal(&digest, &again));
    REQUIRE(oras_algorithm_find(oras_algorithm_name(digest.algorithm), &algorithm));
    REQUIRE(algorithm == digest.algorithm);
    /* it becomes a path component of a layout */
    REQUIRE(strspn(oras_digest_encoded(&digest), "0123456789abcdef") ==
            (algorithm == ORAS_SHA256 ? 64 : 128));
}

static void check_hash(oras_algorithm algorithm, const uint8_t *data, size_t size)
{
    size_t cut = size ? data[0] % size : 0;
    oras_hasher *hasher;
    oras_digest whole, pieces;
    oras_error err = ORAS_ERROR_INIT;

    REQUIRE(!oras_digest_of(algorithm, data, size, &whole, &err));
    REQUIRE(!oras_hasher_new(algorithm, &hasher, &err));
    REQUIRE(!oras_hasher_update(hasher, data, cut, &err));
    REQUIRE(!oras_hasher_update(hasher, data + cut, size - cut, &err));
    REQUIRE(!oras_hasher_final(hasher, &pieces, &err));
    REQUIRE(oras_digest_equal(&whole, &pieces));
    oras_hasher_free(hasher);
    check_parse(whole.text, strlen(whole.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_parse((const char *)data, size);
    check_hash(ORAS_SHA256, data, size);
    check_hash(ORAS_SHA512, data, size);
    return 0;
}
