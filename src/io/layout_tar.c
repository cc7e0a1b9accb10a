/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/layout_tar.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/layout_internal.h"
#include "io/sniff.h"
#include "io/tar.h"
#include "io/tar_header.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES_MAX ((size_t)512 * 1024 * 1024) /* a million names, as long as they get */
#define BLOBS_DIR ORAS_LAYOUT_BLOBS "/"

typedef struct tar_file {
    const char *name; /* set when all names are in */
    size_t name_at;   /* in names */
    int64_t offset, size;
} tar_file;

struct oras_layout_tar {
    int fd;
    int64_t size;   /* of the file */
    oras_buf names; /* each with its NUL */
    tar_file *files;
    size_t n_files, capacity;
};

/* --- reading the headers ------------------------------------------------------------------ */

/* "blobs/sha256/<hex>" as a digest; false for any other name. */
static bool parse_blob(const char *name, oras_digest *out)
{
    char text[ORAS_DIGEST_TEXT_MAX];
    size_t size = strlen(name);
    char *slash;

    if (strncmp(name, BLOBS_DIR, strlen(BLOBS_DIR)) != 0 || size >= sizeof text)
        return false;
    memcpy(text, name + strlen(BLOBS_DIR), size - strlen(BLOBS_DIR) + 1);
    slash = strchr(text, '/');
    if (!slash)
        return false;
    *slash = ':';
    return oras_digest_parse(text, strlen(text), out, NULL) == ORAS_OK;
}

static bool is_of_layout(const char *name)
{
    oras_digest digest;

    return strcmp(name, ORAS_LAYOUT_MARKER) == 0 || strcmp(name, ORAS_LAYOUT_INDEX) == 0 ||
           parse_blob(name, &digest);
}

static bool make_room(oras_layout_tar *tar)
{
    size_t capacity = tar->capacity ? 2 * tar->capacity : 64;
    tar_file *files;

    if (tar->n_files < tar->capacity)
        return true;
    files = oras_realloc(tar->files, capacity * sizeof *files);
    if (!files)
        return false;
    tar->files = files;
    tar->capacity = capacity;
    return true;
}

static oras_code add(oras_layout_tar *tar, const oras_entry *entry, int64_t offset, oras_error *err)
{
    size_t at = tar->names.size;

    if (!is_of_layout(entry->path))
        return ORAS_OK;
    if (entry->type != ORAS_ENTRY_FILE)
        return oras_fail(err, ORAS_C_PATH, "'%s' is no regular file", entry->path);
    if (!make_room(tar))
        return oras_fail_memory(err);
    oras_buf_append(&tar->names, entry->path, strlen(entry->path) + 1);
    tar->files[tar->n_files++] = (tar_file){.name_at = at, .offset = offset, .size = entry->size};
    return oras_buf_check(&tar->names, "the names of a tar", err);
}

typedef struct walk {
    oras_layout_tar *out;
    oras_tar *tar;
    int64_t position;
    int n_zero; /* zero blocks in a row */
    uint8_t block[ORAS_TAR_BLOCK];
} walk;

static oras_code feed_block(walk *w, oras_error *err)
{
    size_t n = 0;

    while (n < ORAS_TAR_BLOCK) {
        ssize_t got =
            pread(w->out->fd, w->block + n, ORAS_TAR_BLOCK - n, (off_t)(w->position + (int64_t)n));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return oras_fail_errno(err, errno, "read of a tar");
        if (got == 0)
            break;
        n += (size_t)got;
    }
    w->position += (int64_t)n;
    w->n_zero = n == ORAS_TAR_BLOCK && oras_tar_block_is_zero(w->block) ? w->n_zero + 1 : 0;
    oras_tar_feed(w->tar, w->block, n);
    return ORAS_OK;
}

static oras_code take_entry(walk *w, const oras_entry *entry, oras_error *err)
{
    oras_code code = add(w->out, entry, w->position, err);
    int64_t left = w->out->size - w->position;
    int64_t n = oras_tar_skip(w->tar);

    if (code)
        return code;
    if (entry->size > left)
        return oras_fail(err, ORAS_C_CONTENT, "the tar archive is cut off inside '%s'",
                         entry->path);
    w->position += n < left ? n : left;
    w->n_zero = 0;
    return ORAS_OK;
}

/* What stands behind the end blocks, padding mostly, is not looked at. */
static oras_code walk_on(walk *w, oras_error *err)
{
    for (;;) {
        oras_entry entry;
        oras_code code = ORAS_OK;

        switch (oras_tar_next(w->tar, &entry, err)) {
        case ORAS_STEP_ENTRY:
            code = take_entry(w, &entry, err);
            break;
        case ORAS_STEP_MORE:
            if (w->n_zero == 2)
                oras_tar_feed(w->tar, w->block, 0);
            else
                code = feed_block(w, err);
            break;
        case ORAS_STEP_END:
            return ORAS_OK;
        default:
            return err->code;
        }
        if (code)
            return code;
    }
}

static oras_code refuse_packed(const oras_layout_tar *tar, oras_error *err)
{
    uint8_t head[ORAS_SNIFF_SIZE];
    ssize_t n = pread(tar->fd, head, sizeof head, 0);
    oras_sniffed found = n > 0 ? oras_sniff(head, (size_t)n) : (oras_sniffed){0};

    if (!found.name)
        return ORAS_OK;
    return oras_fail(err, ORAS_C_UNSUPPORTED, "it is %s, expected a tar that is not compressed",
                     found.name);
}

static oras_code read_headers(oras_layout_tar *tar, oras_error *err)
{
    static const oras_archive_limits limits = {.max_bytes = INT64_MAX}; /* nothing is unpacked */
    walk w = {.out = tar};
    oras_meter meter;
    oras_code code = refuse_packed(tar, err);

    if (code)
        return code;
    oras_meter_init(&meter, &limits);
    code = oras_tar_new(&meter, &w.tar, err);
    if (!code)
        code = walk_on(&w, err);
    oras_tar_free(w.tar);
    return code;
}

/* --- the table ---------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return strcmp(((const tar_file *)a)->name, ((const tar_file *)b)->name);
}

static oras_code sort(oras_layout_tar *tar, oras_error *err)
{
    for (size_t i = 0; i < tar->n_files; i++)
        tar->files[i].name = tar->names.data + tar->files[i].name_at;
    if (tar->n_files > 0)
        qsort(tar->files, tar->n_files, sizeof *tar->files, compare);
    for (size_t i = 1; i < tar->n_files; i++) {
        if (strcmp(tar->files[i - 1].name, tar->files[i].name) == 0)
            return oras_fail(err, ORAS_C_CONTENT, "the tar archive has '%s' twice",
                             tar->files[i].name);
    }
    return ORAS_OK;
}

oras_code oras_layout_tar_open(int fd, oras_layout_tar **out, oras_error *err)
{
    _cleanup_(oras_close_fd) int held = fd;
    oras_error cause = ORAS_ERROR_INIT;
    oras_layout_tar *tar = oras_alloc_zero(1, sizeof *tar);
    struct stat st;
    oras_code code;

    if (!tar)
        return oras_fail_memory(err);
    tar->fd = oras_steal_fd(&held);
    oras_buf_init(&tar->names, NAMES_MAX);
    code = fstat(tar->fd, &st) == 0 ? ORAS_OK : oras_fail_errno(&cause, errno, "tar");
    tar->size = code ? 0 : st.st_size;
    if (!code)
        code = read_headers(tar, &cause);
    if (!code)
        code = sort(tar, &cause);
    if (!code) {
        *out = tar;
        return ORAS_OK;
    }
    oras_layout_tar_free(tar);
    if (err)
        *err = cause;
    return code;
}

void oras_layout_tar_free(oras_layout_tar *tar)
{
    if (!tar)
        return;
    oras_close_fd(&tar->fd);
    oras_buf_dispose(&tar->names);
    oras_dealloc(tar->files);
    oras_dealloc(tar);
}

oras_code oras_layout_tar_find(const oras_layout_tar *tar, const char *name, oras_extent *out,
                               oras_error *err)
{
    const tar_file wanted = {.name = name};
    const tar_file *found =
        tar->n_files ? bsearch(&wanted, tar->files, tar->n_files, sizeof wanted, compare) : NULL;
    int fd;

    if (!found)
        return oras_fail(err, ORAS_C_NOT_FOUND, "'%s' does not exist", name);
    fd = fcntl(tar->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return oras_fail_errno(err, errno, "'%s'", name);
    *out = (oras_extent){.fd = fd, .offset = found->offset, .size = found->size};
    return ORAS_OK;
}

oras_code oras_layout_tar_blobs(const oras_layout_tar *tar, oras_buf *buf, oras_error *err)
{
    oras_digest digest;

    for (size_t i = 0; i < tar->n_files; i++) {
        if (parse_blob(tar->files[i].name, &digest))
            oras_buf_printf(buf, "%s\n", digest.text);
    }
    return oras_buf_check(buf, "list of blobs", err);
}
