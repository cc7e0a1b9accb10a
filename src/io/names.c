/* SPDX-License-Identifier: MIT
 * Open addressing; the hash is SipHash-1-3 (Aumasson and Bernstein, 2012) over the folded
 * name, the mark thirty bits of another over the name as it is, and two for the kind. */
#define _GNU_SOURCE
#include "io/names.h"

#include "base/alloc.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_ROOM ((size_t)256) /* a power of two, like all that follow */

struct oras_names {
    uint64_t secret[2];
    bool any_case;
    uint64_t *hashes; /* 0: free */
    uint32_t *marks;
    size_t room, n;
};

typedef struct hashed {
    uint64_t folded;
    uint32_t exact; /* the two low bits are 0 */
} hashed;

static uint64_t rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_begin(uint64_t v[4], const uint64_t secret[2])
{
    v[0] = secret[0] ^ UINT64_C(0x736f6d6570736575);
    v[1] = secret[1] ^ UINT64_C(0x646f72616e646f6d);
    v[2] = secret[0] ^ UINT64_C(0x6c7967656e657261);
    v[3] = secret[1] ^ UINT64_C(0x7465646279746573);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

static uint64_t sip_end(uint64_t v[4])
{
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The letters A to Z of eight bytes in lower case: a byte's high bit is set by the first sum
 * from 'A' on, by the second from 'Z' + 1 on. */
static uint64_t fold(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = word & (0x7f * ones);
    uint64_t from_a = low + (0x80 - 'A') * ones;
    uint64_t behind_z = low + (0x80 - 'Z' - 1) * ones;

    return word | ((from_a & ~behind_z & ~word & (0x80 * ones)) >> 2);
}

/* Eight bytes at `at`, fewer at the end, with the size behind them. */
static uint64_t word_at(const char *name, size_t size, size_t at)
{
    uint64_t word = size - at < 8 ? (uint64_t)size << 56 : 0;

    memcpy(&word, name + at, size - at < 8 ? size - at : 8);
    return word;
}

static hashed hash(const oras_names *names, const char *name, size_t size)
{
    uint64_t folded[4], exact[4], value;

    sip_begin(folded, names->secret);
    sip_begin(exact, names->secret);
    for (size_t at = 0; at <= size; at += 8) {
        uint64_t word = word_at(name, size, at);

        sip_word(exact, word);
        sip_word(folded, names->any_case ? word : fold(word));
    }
    value = sip_end(folded);
    return (hashed){.folded = value ? value : 1, .exact = (uint32_t)sip_end(exact) & ~3U};
}

/* The slot that has the hash, or the free one where it belongs. */
static size_t find_slot(const oras_names *names, uint64_t value)
{
    size_t at = (size_t)value & (names->room - 1);

    while (names->hashes[at] && names->hashes[at] != value)
        at = (at + 1) & (names->room - 1);
    return at;
}

static oras_code make_room(oras_names *names, size_t room, oras_error *err)
{
    oras_names next = *names;

    next.room = room;
    next.hashes = oras_alloc_zero(room, sizeof *next.hashes);
    next.marks = oras_alloc_zero(room, sizeof *next.marks);
    if (!next.hashes || !next.marks) {
        oras_dealloc(next.hashes);
        oras_dealloc(next.marks);
        return oras_fail_memory(err);
    }
    for (size_t i = 0; i < names->room; i++) {
        size_t at;

        if (!names->hashes[i])
            continue;
        at = find_slot(&next, names->hashes[i]);
        next.hashes[at] = names->hashes[i];
        next.marks[at] = names->marks[i];
    }
    oras_dealloc(names->hashes);
    oras_dealloc(names->marks);
    *names = next;
    return ORAS_OK;
}

oras_code oras_names_new(bool any_case, oras_names **out, oras_error *err)
{
    oras_names *names = oras_alloc_zero(1, sizeof *names);
    oras_code code = ORAS_OK;

    if (!names)
        return oras_fail_memory(err);
    names->any_case = any_case;
    if (getrandom(names->secret, sizeof names->secret, 0) != sizeof names->secret)
        code = oras_fail_errno(err, errno, "cannot get random bytes");
    if (!code)
        code = make_room(names, FIRST_ROOM, err);
    if (code) {
        oras_names_free(names);
        return code;
    }
    *out = names;
    return ORAS_OK;
}

void oras_names_free(oras_names *names)
{
    if (!names)
        return;
    oras_dealloc(names->hashes);
    oras_dealloc(names->marks);
    oras_dealloc(names);
}

static oras_name_kind kind_at(const oras_names *names, size_t at, const hashed *h)
{
    uint32_t mark = names->marks[at];

    if (!names->hashes[at])
        return ORAS_NAME_FREE;
    return (mark & ~3U) == h->exact ? (oras_name_kind)(mark & 3U) : ORAS_NAME_OTHER_CASE;
}

oras_name_kind oras_names_find(const oras_names *names, const char *name, size_t size)
{
    hashed h = hash(names, name, size);

    return kind_at(names, find_slot(names, h.folded), &h);
}

oras_code oras_names_take(oras_names *names, const char *name, size_t size, oras_name_kind kind,
                          oras_name_kind *before, oras_error *err)
{
    hashed h = hash(names, name, size);
    size_t at;

    if (names->n >= names->room / 4 * 3) {
        oras_code code = make_room(names, names->room * 2, err);

        if (code)
            return code;
    }
    at = find_slot(names, h.folded);
    *before = kind_at(names, at, &h);
    if (*before == ORAS_NAME_FREE) {
        names->hashes[at] = h.folded;
        names->n++;
    } else if (*before != ORAS_NAME_DIRECTORY || kind != ORAS_NAME_LISTED) {
        return ORAS_OK;
    }
    names->marks[at] = h.exact | (uint32_t)kind;
    return ORAS_OK;
}
