/* SPDX-License-Identifier: MIT
 * The host's allocator serves all that is ours: malloc is replaced by one that knows who calls
 * it, and no call may come out of liboras, Lua, libcurl or jansson. Libraries below them
 * (OpenSSL, the resolver, compression, which are opened when they are needed) have their own. */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <link.h>

#define MAX_RANGES 32

static struct {
    uintptr_t from, to;
    const char *name;
} ranges[MAX_RANGES];
static int n_ranges, n_libraries;
static long live, taken;
static unsigned long strangers, watched;
static const char *stranger;

/* The allocator of this host: a heap that free() must never see. */
typedef union head {
    size_t size;
    max_align_t align;
} head;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void __libc_free(void *ptr);

static void *resize(void *ud, void *ptr, size_t size)
{
    head *old = ptr ? (head *)ptr - 1 : NULL;
    head *block = size ? __libc_malloc(sizeof *block + size) : NULL;

    (void)ud;
    if (size && !block)
        return NULL;
    if (block) {
        block->size = size;
        __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
    }
    if (old) {
        if (block)
            memcpy(block + 1, old + 1, old->size < size ? old->size : size);
        __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
        __libc_free(old);
    }
    return block ? block + 1 : NULL;
}

static void judge(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;

    for (int i = 0; i < n_ranges; i++) {
        if (at >= ranges[i].from && at < ranges[i].to) {
            stranger = ranges[i].name;
            __atomic_fetch_add(&strangers, 1, __ATOMIC_RELAXED);
        }
    }
    __atomic_fetch_add(&watched, 1, __ATOMIC_RELAXED);
}

ORAS_API void *malloc(size_t size)
{
    judge(__builtin_return_address(0));
    return __libc_malloc(size);
}

ORAS_API void *calloc(size_t count, size_t size)
{
    judge(__builtin_return_address(0));
    return __libc_calloc(count, size);
}

ORAS_API void *realloc(void *ptr, size_t size)
{
    judge(__builtin_return_address(0));
    return __libc_realloc(ptr, size);
}

static int note(struct dl_phdr_info *info, size_t size, void *ud)
{
    static const char *const names[] = {"/liboras.so", "/liblua5.4.so", "/libcurl", "/libjansson"};
    const char *file = strrchr(info->dlpi_name, '/');

    (void)size;
    (void)ud;
    for (int i = 0; file && i < 4; i++) {
        if (strncmp(file, names[i], strlen(names[i])) != 0)
            continue;
        n_libraries++;
        for (int k = 0; k < info->dlpi_phnum && n_ranges < MAX_RANGES; k++) {
            if (info->dlpi_phdr[k].p_type != PT_LOAD || !(info->dlpi_phdr[k].p_flags & PF_X))
                continue;
            ranges[n_ranges].from = info->dlpi_addr + info->dlpi_phdr[k].p_vaddr;
            ranges[n_ranges].to = ranges[n_ranges].from + info->dlpi_phdr[k].p_memsz;
            ranges[n_ranges++].name = names[i];
        }
    }
    return 0;
}

static void inspect(void)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = new_runtime();
    char *json = NULL;

    if (oras_call_json(rt, "conda", "inspect", "[\"oci:examples/layout:1.0.0-0\"]", &json, &err))
        fail_msg("%s", err.message);
    oras_free(json);
    write_script(
        "script.lua", /* nobody listens there; JSON both ways; a file; an error */
        "local oras, core = require 'oras', require 'oras.core'\n"
        "local r = oras.Registry:new { config_path = '/nonexistent', retry = { tries = 1 } }\n"
        "assert(not pcall(r.get_tags, r, 'http://localhost:1/x/y'))\n"
        "assert(not pcall(r.get_tags, r, 'https://127.0.0.1:1/x/y'))\n"
        "assert(core.json.decode(core.json.encode { a = { 1, 'x', true } }).a[3])\n"
        "assert(not core.json.decode('{\"a\": [1, {\"b\"'))\n"
        "local ref = 'oci:examples/layout:1.0.0-0'\n"
        "for _, layer in ipairs(r:get_manifest(ref).layers) do\n"
        "  assert(#r:get_blob(ref, layer).content == layer.size)\n"
        "end\n");
    if (oras_run_file(rt, in_folder("script.lua"), 0, NULL, &err))
        fail_msg("%s", err.message);
    oras_runtime_free(rt);
}

static void test_nothing_of_ours_passes_it_by(void **state)
{
    const oras_allocator allocator = {resize, NULL};
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    dl_iterate_phdr(note, NULL);
    assert_int_equal(n_libraries, 4);
    assert_int_equal(oras_global_init(&allocator, &err), ORAS_OK);
    assert_int_equal(oras_global_init(&allocator, &err), ORAS_OK);
    inspect();
    if (strangers)
        fail_msg("%lu times, last by %s", strangers, stranger);
    assert_true(taken > 1000 && watched > 0);
    inspect();
    assert_int_equal(strangers, 0);
    assert_int_equal(live, 0); /* all was given back */
    print_message("%ld allocations, %lu by libraries below\n", taken, watched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_of_ours_passes_it_by)};

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
