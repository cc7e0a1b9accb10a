/* SPDX-License-Identifier: MIT
 * Headers of a tar that is written: whatever a tree holds is read back as it was. The first
 * bytes say kind, mode, size and time; the rest is the name and, behind a NUL, a link's target. */
#include "fuzz.h"
#include "io/archive.h"
#include "io/tar_write.h"

#define HEAD      19
#define MAX_NAME  65
#define COMPONENT 255
#define MAX_BYTES (((int64_t)1 << 62))

/* Names as a walk gives them: no empty component, none of dots, none too long. */
static bool is_name(const char *name)
{
    int depth = 0;

    for (;; name++) {
        size_t size = strcspn(name, "/");

        if (size == 0 || size > COMPONENT || ++depth >= MAX_NAME ||
            (size <= 2 && strspn(name, ".") >= size))
            return false;
        name += size;
        if (!*name)
            return true;
    }
}

static int64_t number(const uint8_t *data)
{
    int64_t value;

    memcpy(&value, data, sizeof value);
    return value;
}

static void check_blocks(const oras_buf *tar)
{
    const uint8_t *first = (const uint8_t *)tar->data;

    REQUIRE(tar->size >= ORAS_TAR_BLOCK && tar->size % ORAS_TAR_BLOCK == 0);
    REQUIRE(oras_tar_checksum_is_right(first));
    REQUIRE(oras_tar_checksum_is_right(first + tar->size - ORAS_TAR_BLOCK));
    REQUIRE(tar->size == ORAS_TAR_BLOCK || first[156] == 'x');
}

static void check_entry(const oras_tar_member *member, const oras_entry *entry)
{
    oras_entry_type type = member->type == '0'   ? ORAS_ENTRY_FILE
                           : member->type == '5' ? ORAS_ENTRY_DIRECTORY
                                                 : ORAS_ENTRY_SYMLINK;

    REQUIRE(entry->type == type && entry->size == member->size && entry->mode == member->mode);
    REQUIRE(entry->mtime == member->mtime);
    REQUIRE(strcmp(entry->path, member->name) == 0);
    REQUIRE(type != ORAS_ENTRY_SYMLINK || strcmp(entry->linkname, member->linkname) == 0);
}

/* Only the header is there: the reader gives the entry, and then wants more. */
static void check_read(const oras_tar_member *member, const oras_buf *tar)
{
    oras_archive_limits limits = {.max_bytes = MAX_BYTES};
    oras_archive_step step = ORAS_STEP_MORE;
    oras_error err = ORAS_ERROR_INIT;
    oras_archive *archive;
    oras_entry entry;

    REQUIRE(!oras_archive_new(ORAS_PACKING_NONE, &limits, &archive, &err));
    while (step == ORAS_STEP_MORE) {
        step = oras_archive_next(archive, &entry, &err);
        if (step == ORAS_STEP_MORE)
            oras_archive_feed(archive, tar->data, tar->size);
    }
    REQUIRE(step == ORAS_STEP_ENTRY);
    check_entry(member, &entry);
    oras_archive_free(archive);
}

static void check(oras_tar_member *member, const uint8_t *data)
{
    oras_buf tar = ORAS_BUF_INIT((size_t)1 << 20);
    oras_error err = ORAS_ERROR_INIT;

    member->mode = (unsigned)(data[1] | data[2] << 8) & 07777;
    member->size =
        member->type == '0' ? (int64_t)((uint64_t)number(data + 3) >> (2 + data[0] % 62)) : 0;
    member->mtime = number(data + 11) >> data[0] % 64;
    REQUIRE(!oras_tar_write_header(member, &tar, &err));
    check_blocks(&tar);
    check_read(member, &tar);
    oras_buf_dispose(&tar);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name, *link;

    if (size <= HEAD || size > 20000)
        return 0;
    name = fuzz_text(data + HEAD, size - HEAD);
    link = strlen(name) < size - HEAD ? name + strlen(name) + 1 : NULL;
    if (is_name(name) && (!link || *link)) {
        oras_tar_member member = {.type = link          ? '2'
                                          : data[0] & 1 ? '5'
                                                        : '0',
                                  .name = name,
                                  .linkname = link ? link : ""};

        check(&member, data);
    }
    free(name);
    return 0;
}
