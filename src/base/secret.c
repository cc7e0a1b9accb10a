/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/secret.h"

#include "base/alloc.h"

#include <string.h>

struct oras_secret {
    int n_refs;
    size_t size;
    char *origin;
    oras_signing signing; /* key NULL: it is no such secret */
    char value[];
};

/* With room for that many bytes and a NUL. */
static oras_secret *make(const char *origin, size_t size)
{
    size_t total;
    oras_secret *secret;

    if (!oras_size_add(sizeof *secret + 1, size, &total) || !(secret = oras_alloc(total)))
        return NULL;
    *secret = (oras_secret){.n_refs = 1, .size = size, .origin = oras_strdup(origin)};
    if (secret->origin)
        return secret;
    oras_dealloc(secret);
    return NULL;
}

oras_code oras_secret_new(const char *origin, const char *value, size_t size, oras_secret **out,
                          oras_error *err)
{
    oras_secret *secret = make(origin, size);

    if (!secret)
        return oras_fail_memory(err);
    memcpy(secret->value, value, size);
    secret->value[size] = '\0';
    *out = secret;
    return ORAS_OK;
}

/* Copy with the NUL to *at, which moves on. */
static const char *put(char **at, const char *text)
{
    char *copy = *at;
    size_t size = text ? strlen(text) + 1 : 0;

    if (!text)
        return NULL;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

oras_code oras_secret_new_signing(const char *origin, const oras_signing *signing,
                                  oras_secret **out, oras_error *err)
{
    size_t size = strlen(signing->key) + strlen(signing->key_id) + strlen(signing->scope) + 3 +
                  (signing->session_token ? strlen(signing->session_token) + 1 : 0);
    oras_secret *secret = make(origin, size);
    char *at;

    if (!secret)
        return oras_fail_memory(err);
    at = secret->value;
    secret->signing.key = put(&at, signing->key); /* first: it is the value */
    secret->signing.session_token = put(&at, signing->session_token);
    secret->signing.key_id = put(&at, signing->key_id);
    secret->signing.scope = put(&at, signing->scope);
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

const oras_signing *oras_secret_signing(const oras_secret *secret)
{
    return secret->signing.key ? &secret->signing : NULL;
}

const char *oras_secret_origin(const oras_secret *secret)
{
    return secret->origin;
}
