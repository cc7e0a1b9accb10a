/* SPDX-License-Identifier: MIT */
#include "oci/utf8.h"

#include <stdint.h>
#include <string.h>

/* Leading bytes that are ASCII, eight at a time. */
static size_t skip_ascii(const unsigned char *text, size_t size)
{
    size_t at = 0;
    uint64_t block;

    for (; size - at >= sizeof block; at += sizeof block) {
        memcpy(&block, text + at, sizeof block);
        if (block & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < size && text[at] < 0x80)
        at++;
    return at;
}

/* Length of the sequence that `lead` begins, 0 for none; the range of its second byte. */
static size_t sequence(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

bool oras_utf8_is_valid(const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    unsigned char low, high;

    while ((at += skip_ascii(at, (size_t)(end - at))) < end) {
        size_t n = sequence(*at, &low, &high);

        if (n == 0 || (size_t)(end - at) < n || at[1] < low || at[1] > high)
            return false;
        for (size_t i = 2; i < n; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return false;
        }
        at += n;
    }
    return true;
}
