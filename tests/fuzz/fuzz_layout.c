/* SPDX-License-Identifier: MIT
 * A tar as a layout: whatever is found in it lies in it, and the same blobs are found by who
 * reads the tar from its beginning to its end. The first byte says whether the checksums of the
 * headers are made right. */
#define _GNU_SOURCE
#include "base/buf.h"
#include "fuzz.h"
#include "io/layout_tar.h"
#include "io/tar.h"

#include <sys/mman.h>
#include <unistd.h>

#define BLOCK 512

static void fix_checksums(uint8_t *data, size_t size)
{
    for (; size >= BLOCK; data += BLOCK, size -= BLOCK) {
        unsigned sum = 0;

        if (data[0] == 0)
            continue;
        memset(data + 148, ' ', 8);
        for (int i = 0; i < BLOCK; i++)
            sum += data[i];
        snprintf((char *)data + 148, 8, "%06o", sum);
    }
}

static int to_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("tar", MFD_CLOEXEC);

    REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    return fd;
}

/* "blobs/ALG/HEX" of a digest's text */
static void name_of(const char *digest, char *name, size_t size)
{
    char *colon;

    snprintf(name, size, "blobs/%s", digest);
    colon = strchr(name, ':');
    REQUIRE(colon);
    *colon = '/';
}

static void check_blobs(const oras_layout_tar *tar, size_t size, int *n_blobs)
{
    oras_buf list = ORAS_BUF_INIT(1 << 24);
    oras_error err = ORAS_ERROR_INIT;
    char *rest = NULL;

    REQUIRE(oras_layout_tar_blobs(tar, &list, &err) == ORAS_OK);
    oras_buf_append(&list, "", 1);
    for (char *line = strtok_r(list.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char name[256];
        oras_extent extent;

        name_of(line, name, sizeof name);
        REQUIRE(oras_layout_tar_find(tar, name, &extent, &err) == ORAS_OK);
        REQUIRE(extent.offset > 0 && extent.offset % BLOCK == 0 && extent.size >= 0);
        REQUIRE((uint64_t)extent.offset + (uint64_t)extent.size <= size);
        close(extent.fd);
        ++*n_blobs;
    }
    oras_buf_dispose(&list);
}

/* The same table made by reading everything. */
static void check_stream(const oras_layout_tar *tar, const uint8_t *data, size_t size, int n_blobs)
{
    oras_archive_limits limits = {.max_bytes = INT64_MAX};
    oras_error err = ORAS_ERROR_INIT;
    oras_archive_step step;
    oras_meter meter;
    oras_tar *stream = NULL;
    oras_entry entry;

    oras_meter_init(&meter, &limits);
    REQUIRE(oras_tar_new(&meter, &stream, &err) == ORAS_OK);
    oras_tar_feed(stream, data, size);
    while ((step = oras_tar_next(stream, &entry, &err)) != ORAS_STEP_END) {
        oras_extent extent;

        if (step == ORAS_STEP_MORE) {
            oras_tar_feed(stream, data, 0);
            continue;
        }
        REQUIRE(step == ORAS_STEP_ENTRY);
        if (strncmp(entry.path, "blobs/", 6) == 0 &&
            oras_layout_tar_find(tar, entry.path, &extent, NULL) == ORAS_OK) {
            REQUIRE(entry.type == ORAS_ENTRY_FILE && entry.size == extent.size);
            close(extent.fd);
            n_blobs--;
        }
    }
    REQUIRE(n_blobs == 0);
    oras_tar_free(stream);
}

static void check(const uint8_t *data, size_t size)
{
    oras_layout_tar *tar = NULL;
    oras_error err = ORAS_ERROR_INIT;
    int n_blobs = 0;

    if (oras_layout_tar_open(to_file(data, size), &tar, &err)) {
        REQUIRE(err.message[0] && !tar);
        return;
    }
    check_blobs(tar, size, &n_blobs);
    check_stream(tar, data, size, n_blobs);
    oras_layout_tar_free(tar);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    if (size < 2)
        return 0;
    copy = malloc(size - 1);
    REQUIRE(copy);
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1)
        fix_checksums(copy, size - 1);
    check(copy, size - 1);
    free(copy);
    return 0;
}
