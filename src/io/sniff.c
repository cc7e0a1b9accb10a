/* SPDX-License-Identifier: MIT */
#include "io/sniff.h"

#include <string.h>

static const struct {
    const char *magic;
    size_t size;
    oras_sniffed is;
} formats[] = {
    {"\x1f\x8b", 2, {ORAS_PACKING_GZIP, "gzip"}},
    {"\x28\xb5\x2f\xfd", 4, {ORAS_PACKING_ZSTD, "zstd"}},
    {"PK\x03\x04", 4, {ORAS_PACKING_ZIP, "zip"}},
    {"PK\x05\x06", 4, {ORAS_PACKING_ZIP, "zip"}}, /* without entries */
    {"Rar!\x1a\x07", 6, {ORAS_PACKING_NONE, "rar"}},
    {"7z\xbc\xaf\x27\x1c", 6, {ORAS_PACKING_NONE, "7z"}},
    {"\xfd"
     "7zXZ",
     5,
     {ORAS_PACKING_NONE, "xz"}},
    {"LZIP", 4, {ORAS_PACKING_NONE, "lzip"}},
    {"\x04\x22\x4d\x18", 4, {ORAS_PACKING_NONE, "lz4"}},
    {"\x1f\x9d", 2, {ORAS_PACKING_NONE, "compress"}},
    {"070701", 6, {ORAS_PACKING_NONE, "cpio"}},
    {"070702", 6, {ORAS_PACKING_NONE, "cpio"}},
    {"070707", 6, {ORAS_PACKING_NONE, "cpio"}},
    {"\xc7\x71", 2, {ORAS_PACKING_NONE, "cpio"}},
    {"xar!", 4, {ORAS_PACKING_NONE, "xar"}},
    {"!<arch>\n", 8, {ORAS_PACKING_NONE, "ar"}},
    {"#mtree", 6, {ORAS_PACKING_NONE, "mtree"}},
    {"MSCF", 4, {ORAS_PACKING_NONE, "cab"}},
};

static bool is_bzip2(const uint8_t *head, size_t size)
{
    return size >= 10 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9' &&
           (memcmp(head + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
            memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

static bool is_zstd_skippable(const uint8_t *head, size_t size)
{
    return size >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0;
}

oras_sniffed oras_sniff(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (size >= formats[i].size && memcmp(head, formats[i].magic, formats[i].size) == 0)
            return formats[i].is;
    }
    if (is_bzip2(head, size))
        return (oras_sniffed){ORAS_PACKING_BZIP2, "bzip2"};
    if (is_zstd_skippable(head, size))
        return (oras_sniffed){ORAS_PACKING_ZSTD, "zstd"};
    return (oras_sniffed){ORAS_PACKING_NONE, NULL};
}

const char *oras_packing_name(oras_packing packing)
{
    static const char *const names[] = {
        [ORAS_PACKING_ANY] = "an archive", [ORAS_PACKING_NONE] = "a plain tar archive",
        [ORAS_PACKING_GZIP] = "gzip",      [ORAS_PACKING_ZSTD] = "zstd",
        [ORAS_PACKING_BZIP2] = "bzip2",    [ORAS_PACKING_ZIP] = "zip",
    };

    return names[packing];
}
