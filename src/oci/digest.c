/* SPDX-License-Identifier: MIT
 * OpenSSL's functions for one algorithm each, although they are marked as old: the new ones
 * (EVP) look the algorithm up by name, which costs a process 3 million instructions the first
 * time, an eighth of what it takes to start and fetch a manifest; and they allocate. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "oci/digest.h"

#include "base/alloc.h"

#include <openssl/sha.h>
#include <string.h>

/* indexed by oras_algorithm */
static const struct {
    const char *name;
    size_t n_digits;
} algorithms[] = {{"sha256", 64}, {"sha512", 128}};

#define N_ALGORITHMS (sizeof algorithms / sizeof algorithms[0])

/* Longest piece of a refused digest that a message shows. */
#define SHOWN 80

const char *oras_algorithm_name(oras_algorithm algorithm)
{
    return algorithms[algorithm].name;
}

static bool find(const char *name, size_t size, oras_algorithm *out)
{
    for (size_t i = 0; i < N_ALGORITHMS; i++) {
        if (strlen(algorithms[i].name) == size && memcmp(algorithms[i].name, name, size) == 0) {
            *out = (oras_algorithm)i;
            return true;
        }
    }
    return false;
}

bool oras_algorithm_find(const char *name, oras_algorithm *out)
{
    return find(name, strlen(name), out);
}

static bool is_hex(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    }
    return true;
}

static oras_code refuse(const char *text, size_t size, const char *expected, oras_error *err)
{
    return oras_fail(err, ORAS_C_CONTENT, "digest '%.*s'%s, expected %s",
                     (int)(size < SHOWN ? size : SHOWN), text, size > SHOWN ? "..." : "", expected);
}

/* image-spec, descriptor.md, "Digests". Other algorithms fit the grammar too, but what cannot
 * be verified must not be used. */
oras_code oras_digest_parse(const char *text, size_t size, oras_digest *out, oras_error *err)
{
    const char *colon = memchr(text, ':', size);
    oras_algorithm algorithm;
    size_t name_size;

    if (!colon)
        return refuse(text, size, "'algorithm:hex'", err);
    name_size = (size_t)(colon - text);
    if (!find(text, name_size, &algorithm))
        return refuse(text, size, "the algorithm sha256 or sha512", err);
    if (size - name_size - 1 != algorithms[algorithm].n_digits ||
        !is_hex(colon + 1, size - name_size - 1))
        return refuse(text, size,
                      algorithm == ORAS_SHA256 ? "64 lower-case hex digits"
                                               : "128 lower-case hex digits",
                      err);
    out->algorithm = algorithm;
    memcpy(out->text, text, size);
    out->text[size] = '\0';
    return ORAS_OK;
}

bool oras_digest_equal(const oras_digest *a, const oras_digest *b)
{
    return strcmp(a->text, b->text) == 0;
}

const char *oras_digest_encoded(const oras_digest *digest)
{
    return digest->text + strlen(algorithms[digest->algorithm].name) + 1;
}

struct oras_hasher {
    oras_algorithm algorithm;
    union {
        SHA256_CTX sha256;
        SHA512_CTX sha512;
    } context;
};

static oras_code check(const oras_hasher *hasher, int ok, oras_error *err)
{
    if (ok)
        return ORAS_OK;
    return oras_fail(err, ORAS_C_UNSUPPORTED, "the crypto library does not compute %s",
                     algorithms[hasher->algorithm].name);
}

oras_code oras_hasher_reset(oras_hasher *hasher, oras_error *err)
{
    int ok = hasher->algorithm == ORAS_SHA512 ? SHA512_Init(&hasher->context.sha512)
                                              : SHA256_Init(&hasher->context.sha256);

    return check(hasher, ok, err);
}

oras_code oras_hasher_update(oras_hasher *hasher, const void *data, size_t size, oras_error *err)
{
    int ok = hasher->algorithm == ORAS_SHA512 ? SHA512_Update(&hasher->context.sha512, data, size)
                                              : SHA256_Update(&hasher->context.sha256, data, size);

    return check(hasher, ok, err);
}

oras_code oras_hasher_new(oras_algorithm algorithm, oras_hasher **out, oras_error *err)
{
    oras_hasher *hasher = oras_alloc(sizeof *hasher);
    oras_code code;

    if (!hasher)
        return oras_fail_memory(err);
    hasher->algorithm = algorithm;
    code = oras_hasher_reset(hasher, err);
    if (code)
        oras_dealloc(hasher);
    else
        *out = hasher;
    return code;
}

void oras_hasher_free(oras_hasher *hasher)
{
    oras_dealloc(hasher);
}

static void print_hex(const unsigned char *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static void print(oras_algorithm algorithm, const unsigned char *bytes, oras_digest *out)
{
    size_t name_size = strlen(algorithms[algorithm].name);

    out->algorithm = algorithm;
    memcpy(out->text, algorithms[algorithm].name, name_size);
    out->text[name_size] = ':';
    print_hex(bytes, algorithms[algorithm].n_digits / 2, out->text + name_size + 1);
}

oras_code oras_hasher_final(oras_hasher *hasher, oras_digest *out, oras_error *err)
{
    unsigned char bytes[SHA512_DIGEST_LENGTH];
    int ok = hasher->algorithm == ORAS_SHA512 ? SHA512_Final(bytes, &hasher->context.sha512)
                                              : SHA256_Final(bytes, &hasher->context.sha256);

    if (ok)
        print(hasher->algorithm, bytes, out);
    return check(hasher, ok, err);
}

oras_code oras_digest_of(oras_algorithm algorithm, const void *data, size_t size, oras_digest *out,
                         oras_error *err)
{
    oras_hasher hasher = {.algorithm = algorithm};
    oras_code code = oras_hasher_reset(&hasher, err);

    if (!code && size > 0)
        code = oras_hasher_update(&hasher, data, size, err);
    return code ? code : oras_hasher_final(&hasher, out, err);
}
