/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/secret.h"

#include "base/alloc.h"

#include <string.h>

struct oras_secret {
    int n_refs;
    size_t size;
    char *origin;
    char value[];
};

oras_code oras_secret_new(const char *origin, const char *value, size_t size, oras_secret **out,
                          oras_error *err)
{
    size_t total;
    oras_secret *secret;

    if (!oras_size_add(sizeof *secret + 1, size, &total) || !(secret = oras_alloc(total)))
        return oras_fail_memory(err);
    secret->origin = oras_strdup(origin);
    if (!secret->origin) {
        oras_dealloc(secret);
        return oras_fail_memory(err);
    }
    secret->n_refs = 1;
    secret->size = size;
    memcpy(secret->value, value, size);
    secret->value[size] = '\0';
    *out = secret;
    return ORAS_OK;
}

oras_secret *oras_secret_ref(oras_secret *secret)
{
    if (secret)
        secret->n_refs++;
    return secret;
}

void oras_secret_unref(oras_secret *secret)
{
    if (!secret || --secret->n_refs > 0)
        return;
    explicit_bzero(secret->value, secret->size);
    oras_dealloc(secret->origin);
    oras_dealloc(secret);
}

const char *oras_secret_reveal(const oras_secret *secret)
{
    return secret->value;
}

const char *oras_secret_origin(const oras_secret *secret)
{
    return secret->origin;
}
