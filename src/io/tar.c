/* SPDX-License-Identifier: MIT */
#include "io/tar.h"

#include "base/alloc.h"
#include "io/entry_name.h"
#include "io/tar_header.h"
#include "io/tar_pax.h"

#include <string.h>

typedef enum tar_state {
    TAR_HEADER,    /* collecting a header block */
    TAR_EXTENSION, /* collecting the data of an extended header */
    TAR_DATA,      /* inside an entry */
    TAR_OVER       /* both end blocks were there */
} tar_state;

struct oras_tar {
    oras_meter *meter;
    tar_state state;
    const uint8_t *in; /* what was fed and is not used up */
    size_t n_in;
    bool ended; /* no more will be fed */
    bool began; /* a byte has been seen */

    uint8_t block[ORAS_TAR_BLOCK];
    size_t n_block;
    int n_zero; /* zero blocks in a row */

    int64_t data_left; /* of the entry or the extended header */
    size_t padding;    /* behind it, up to the next block */

    char extension_type;
    oras_buf extension;
    oras_tar_extra extra, global;
    oras_buf path, linkname; /* of the current entry */
};

oras_code oras_tar_new(oras_meter *meter, oras_tar **out, oras_error *err)
{
    oras_tar *tar = oras_alloc_zero(1, sizeof *tar);

    if (!tar)
        return oras_fail_memory(err);
    tar->meter = meter;
    oras_buf_init(&tar->extension, ORAS_TAR_EXTENSION_MAX);
    oras_buf_init(&tar->path, ORAS_TAR_EXTENSION_MAX);
    oras_buf_init(&tar->linkname, ORAS_TAR_EXTENSION_MAX);
    oras_tar_extra_init(&tar->extra);
    oras_tar_extra_init(&tar->global);
    *out = tar;
    return ORAS_OK;
}

void oras_tar_free(oras_tar *tar)
{
    if (!tar)
        return;
    oras_buf_dispose(&tar->extension);
    oras_buf_dispose(&tar->path);
    oras_buf_dispose(&tar->linkname);
    oras_tar_extra_dispose(&tar->extra);
    oras_tar_extra_dispose(&tar->global);
    oras_dealloc(tar);
}

void oras_tar_feed(oras_tar *tar, const void *data, size_t size)
{
    tar->in = data;
    tar->n_in = size;
    tar->ended = size == 0;
    tar->began = tar->began || size > 0;
}

/* Use up to `most` of the input; *from points at them. */
static size_t take(oras_tar *tar, size_t most, const uint8_t **from)
{
    size_t n = tar->n_in < most ? tar->n_in : most;

    *from = tar->in;
    if (n == 0)
        return 0;
    tar->in += n;
    tar->n_in -= n;
    return n;
}

static size_t at_most(int64_t left)
{
    return (uint64_t)left < SIZE_MAX ? (size_t)left : SIZE_MAX;
}

/* There is nothing to go on with: ask for more, or say what is missing. */
static oras_archive_step starve(const oras_tar *tar, oras_error *err)
{
    if (!tar->ended)
        return ORAS_STEP_MORE;
    if (!tar->began)
        oras_fail(err, ORAS_C_CONTENT, "the archive is empty, expected a tar archive");
    else if (tar->state == TAR_DATA)
        oras_fail(err, ORAS_C_CONTENT, "the tar archive is cut off inside '%s'",
                  oras_buf_text(&tar->path));
    else if (tar->state == TAR_HEADER && tar->n_block == 0)
        oras_fail(err, ORAS_C_CONTENT, "the tar archive ends with %d end blocks, expected two",
                  tar->n_zero);
    else if (tar->meter->n_entries == 0)
        oras_fail(err, ORAS_C_CONTENT, "not a tar archive: it ends inside its first header");
    else
        oras_fail(err, ORAS_C_CONTENT, "the tar archive is cut off inside a header");
    return ORAS_STEP_FAILED;
}

static void expect_data(oras_tar *tar, tar_state state, int64_t size)
{
    tar->state = state;
    tar->data_left = size;
    tar->padding = (size_t)(-(uint64_t)size % ORAS_TAR_BLOCK);
}

static oras_code begin_extension(oras_tar *tar, const oras_tar_header *header, oras_error *err)
{
    oras_code code = ORAS_OK;

    if (header->size > ORAS_TAR_EXTENSION_MAX)
        return oras_fail(err, ORAS_C_LIMIT,
                         "an extended tar header has %lld bytes, the limit is %d",
                         (long long)header->size, ORAS_TAR_EXTENSION_MAX);
    if (header->type == 'g')
        code = oras_meter_entry(tar->meter, err);
    tar->extension_type = header->type;
    oras_buf_clear(&tar->extension);
    expect_data(tar, TAR_EXTENSION, header->size);
    return code;
}

static oras_code end_extension(oras_tar *tar, oras_error *err)
{
    oras_code code = oras_buf_check(&tar->extension, "an extended tar header", err);

    if (code)
        return code;
    if (tar->extension_type == 'g')
        return oras_tar_extra_global(&tar->global, &tar->extension, err);
    if (tar->extension_type == 'x')
        return oras_tar_extra_pax(&tar->extra, &tar->extension, err);
    return oras_tar_extra_long(&tar->extra, tar->extension_type, &tar->extension, err);
}

static bool find_type(char type, oras_entry_type *out)
{
    switch (type) {
    case '0':
        *out = ORAS_ENTRY_FILE;
        return true;
    case '1':
        *out = ORAS_ENTRY_HARDLINK;
        return true;
    case '2':
        *out = ORAS_ENTRY_SYMLINK;
        return true;
    case '3':
        *out = ORAS_ENTRY_CHARACTER;
        return true;
    case '4':
        *out = ORAS_ENTRY_BLOCK;
        return true;
    case '5':
        *out = ORAS_ENTRY_DIRECTORY;
        return true;
    case '6':
        *out = ORAS_ENTRY_FIFO;
        return true;
    default:
        return false;
    }
}

static oras_code refuse_sparse(const oras_tar *tar, const oras_tar_header *header, oras_error *err)
{
    int64_t real = header->type == 'S' ? header->real_size : tar->extra.real_size;

    if (real > tar->meter->limits.max_bytes)
        return oras_fail(
            err, ORAS_C_LIMIT, "sparse file '%s' would unpack to %lld bytes, the limit is %lld",
            oras_buf_text(&tar->path), (long long)real, (long long)tar->meter->limits.max_bytes);
    return oras_fail(err, ORAS_C_UNSUPPORTED, "tar entry '%s' is a sparse file",
                     oras_buf_text(&tar->path));
}

/* The name, and whether it was written as a directory's, with a slash behind. */
static oras_code resolve_name(oras_tar *tar, const oras_tar_header *header, bool *slash,
                              oras_error *err)
{
    const oras_tar_extra *extra = &tar->extra;
    const char *name = extra->has_path ? oras_buf_text(&extra->path) : header->name;
    size_t size = extra->has_path ? extra->path.size : strlen(header->name);

    *slash = size > 0 && name[size - 1] == '/';
    return oras_entry_name_clean(name, size, tar->meter->limits.max_depth, &tar->path, err);
}

static oras_code resolve_link(oras_tar *tar, const oras_tar_header *header, oras_entry_type type,
                              oras_error *err)
{
    const oras_tar_extra *extra = &tar->extra;
    const char *target = extra->has_linkname ? oras_buf_text(&extra->linkname) : header->linkname;
    size_t size = extra->has_linkname ? extra->linkname.size : strlen(header->linkname);

    if (type == ORAS_ENTRY_HARDLINK) {
        oras_code code =
            oras_entry_name_clean(target, size, tar->meter->limits.max_depth, &tar->linkname, err);

        return code ? oras_error_wrap(err, code, "hard link '%s'", oras_buf_text(&tar->path))
                    : ORAS_OK;
    }
    if (size == 0 || memchr(target, '\0', size))
        return oras_fail(err, ORAS_C_PATH, "symbolic link '%s' has a bad target",
                         oras_buf_text(&tar->path));
    oras_buf_clear(&tar->linkname);
    oras_buf_append(&tar->linkname, target, size);
    return oras_buf_check(&tar->linkname, "the target of a link", err);
}

static oras_code check_size(const oras_tar *tar, const oras_entry *entry, oras_error *err)
{
    if (entry->size > 0 && entry->type != ORAS_ENTRY_FILE)
        return oras_fail(err, ORAS_C_CONTENT,
                         "tar entry '%s' is no file but has a size of %lld, expected 0",
                         entry->path, (long long)entry->size);
    if (entry->size > tar->meter->limits.max_bytes)
        return oras_fail(err, ORAS_C_LIMIT, "tar entry '%s' has %lld bytes, the limit is %lld",
                         entry->path, (long long)entry->size,
                         (long long)tar->meter->limits.max_bytes);
    return ORAS_OK;
}

static void fill_entry(const oras_tar *tar, const oras_tar_header *header, oras_entry_type type,
                       oras_entry *out)
{
    const oras_tar_extra *extra = &tar->extra, *global = &tar->global;
    bool is_link = type == ORAS_ENTRY_SYMLINK || type == ORAS_ENTRY_HARDLINK;

    out->path = oras_buf_text(&tar->path);
    out->type = type;
    out->size = extra->has_size ? extra->size : header->size;
    out->mtime = header->mtime;
    if (global->has_mtime)
        out->mtime = global->mtime;
    if (extra->has_mtime)
        out->mtime = extra->mtime;
    out->mode = header->mode;
    out->linkname = is_link ? oras_buf_text(&tar->linkname) : NULL;
}

static oras_code begin_entry(oras_tar *tar, const oras_tar_header *header, oras_entry *out,
                             oras_error *err)
{
    oras_entry_type type = ORAS_ENTRY_FILE;
    bool slash = false;
    oras_code code = resolve_name(tar, header, &slash, err);

    if (code)
        return code;
    if (header->type == 'S' || tar->extra.is_sparse)
        return refuse_sparse(tar, header, err);
    if (!find_type(header->type, &type))
        return oras_fail(err, ORAS_C_PATH,
                         "tar entry '%s' has type '%c', expected a file, directory or link",
                         oras_buf_text(&tar->path), header->type);
    if (type == ORAS_ENTRY_FILE && slash)
        type = ORAS_ENTRY_DIRECTORY; /* how tars before POSIX wrote them */
    if (type != ORAS_ENTRY_DIRECTORY && strcmp(oras_buf_text(&tar->path), ".") == 0)
        return oras_fail(err, ORAS_C_PATH, "tar entry '.' is no directory");
    if (type == ORAS_ENTRY_SYMLINK || type == ORAS_ENTRY_HARDLINK)
        code = resolve_link(tar, header, type, err);
    if (code)
        return code;
    fill_entry(tar, header, type, out);
    return check_size(tar, out, err);
}

static oras_code take_zero_block(oras_tar *tar, oras_error *err)
{
    if (++tar->n_zero < 2)
        return ORAS_OK;
    if (oras_tar_extra_is_pending(&tar->extra))
        return oras_fail(err, ORAS_C_CONTENT, "the tar archive ends behind an extended header");
    tar->state = TAR_OVER;
    return ORAS_OK;
}

static oras_code check_block(const oras_tar *tar, oras_error *err)
{
    if (tar->n_zero)
        return oras_fail(err, ORAS_C_CONTENT,
                         "the tar archive has a lone zero block, expected two at its end");
    if (oras_tar_checksum_is_right(tar->block))
        return ORAS_OK;
    if (tar->meter->n_entries == 0)
        return oras_fail(err, ORAS_C_CONTENT,
                         "not a tar archive: its first header has a wrong checksum");
    return oras_fail(err, ORAS_C_CONTENT,
                     "a tar header has a wrong checksum, behind entry %lld, '%s'",
                     (long long)tar->meter->n_entries, oras_buf_text(&tar->path));
}

/* A whole header block is there. ENTRY, FAILED, or MORE for: look on. */
static oras_archive_step take_block(oras_tar *tar, oras_entry *out, oras_error *err)
{
    oras_tar_header header;
    oras_entry entry;

    tar->n_block = 0;
    if (oras_tar_block_is_zero(tar->block))
        return take_zero_block(tar, err) ? ORAS_STEP_FAILED : ORAS_STEP_MORE;
    if (check_block(tar, err) || oras_tar_header_parse(tar->block, &header, err))
        return ORAS_STEP_FAILED;
    if (strchr("xgLK", header.type))
        return begin_extension(tar, &header, err) ? ORAS_STEP_FAILED : ORAS_STEP_MORE;
    if (oras_meter_entry(tar->meter, err) || begin_entry(tar, &header, &entry, err))
        return ORAS_STEP_FAILED;
    oras_tar_extra_clear(&tar->extra);
    expect_data(tar, TAR_DATA, entry.size);
    *out = entry;
    return ORAS_STEP_ENTRY;
}

static bool fill_block(oras_tar *tar)
{
    const uint8_t *from;
    size_t n = take(tar, ORAS_TAR_BLOCK - tar->n_block, &from);

    if (n)
        memcpy(tar->block + tar->n_block, from, n);
    tar->n_block += n;
    return tar->n_block == ORAS_TAR_BLOCK;
}

/* Pass over data and padding, keeping the data of an extended header; true once past them. */
static bool pass_data(oras_tar *tar)
{
    const uint8_t *from;
    size_t n = take(tar, at_most(tar->data_left), &from);

    if (tar->state == TAR_EXTENSION && n)
        oras_buf_append(&tar->extension, from, n);
    tar->data_left -= (int64_t)n;
    if (tar->data_left == 0)
        tar->padding -= take(tar, tar->padding, &from);
    return tar->data_left == 0 && tar->padding == 0;
}

static oras_archive_step go_on(oras_tar *tar, oras_entry *out, oras_error *err, bool *starved)
{
    bool complete = tar->state == TAR_HEADER ? fill_block(tar) : pass_data(tar);

    *starved = !complete;
    if (!complete)
        return starve(tar, err);
    if (tar->state == TAR_HEADER)
        return take_block(tar, out, err);
    if (tar->state == TAR_EXTENSION && end_extension(tar, err))
        return ORAS_STEP_FAILED;
    tar->state = TAR_HEADER;
    return ORAS_STEP_MORE;
}

oras_archive_step oras_tar_next(oras_tar *tar, oras_entry *out, oras_error *err)
{
    oras_archive_step step = ORAS_STEP_MORE;
    bool starved = false;

    while (step == ORAS_STEP_MORE && !starved && tar->state != TAR_OVER)
        step = go_on(tar, out, err, &starved);
    if (tar->state != TAR_OVER)
        return step;
    tar->n_in = 0;
    return tar->ended ? ORAS_STEP_END : ORAS_STEP_MORE;
}

oras_archive_step oras_tar_read(oras_tar *tar, const void **data, size_t *size, oras_error *err)
{
    const uint8_t *from;
    size_t n;

    if (tar->state != TAR_DATA || tar->data_left == 0)
        return ORAS_STEP_END;
    n = take(tar, at_most(tar->data_left), &from);
    if (n == 0)
        return starve(tar, err);
    tar->data_left -= (int64_t)n;
    *data = from;
    *size = n;
    return ORAS_STEP_DATA;
}

int64_t oras_tar_skip(oras_tar *tar)
{
    int64_t n = tar->data_left + (int64_t)tar->padding;

    tar->data_left = 0;
    tar->padding = 0;
    return n;
}
