/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *libc_resize(void *ud, void *ptr, size_t size)
{
    (void)ud;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

static oras_allocator current = {libc_resize, NULL};
static bool used;
static unsigned long n_refusals;

bool oras_alloc_set(const oras_allocator *alloc)
{
    if (!alloc)
        return true;
    if (used)
        return alloc->resize == current.resize && alloc->ud == current.ud;
    current = *alloc;
    return true;
}

void *oras_realloc(void *ptr, size_t size)
{
    if (!__atomic_load_n(&used, __ATOMIC_RELAXED))
        __atomic_store_n(&used, true, __ATOMIC_RELAXED);
    ptr = current.resize(current.ud, ptr, size ? size : 1);
    if (!ptr)
        __atomic_fetch_add(&n_refusals, 1, __ATOMIC_RELAXED);
    return ptr;
}

unsigned long oras_alloc_refusals(void)
{
    return __atomic_load_n(&n_refusals, __ATOMIC_RELAXED);
}

void *oras_alloc(size_t size)
{
    return oras_realloc(NULL, size);
}

void *oras_alloc_zero(size_t count, size_t size)
{
    size_t total;
    void *ptr;

    if (!oras_size_mul(count, size, &total))
        return NULL;
    ptr = oras_alloc(total);
    return ptr ? memset(ptr, 0, total) : NULL;
}

void oras_dealloc(void *ptr)
{
    if (ptr)
        current.resize(current.ud, ptr, 0);
}

char *oras_strndup(const char *text, size_t size)
{
    size_t total;
    char *copy;

    if (!oras_size_add(size, 1, &total) || !(copy = oras_alloc(total)))
        return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

char *oras_strdup(const char *text)
{
    return oras_strndup(text, strlen(text));
}

bool oras_size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

bool oras_size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
