/* SPDX-License-Identifier: MIT */
#include "io/zip.h"

#include "base/alloc.h"
#include "io/entry_name.h"
#include "io/libarchive.h"
#include "io/spool.h"

#include <limits.h>
#include <string.h>

#define BLOCK    65536
#define END_SIZE 22 /* of the end record, without its comment */

struct oras_zip {
    const oras_libarchive *lib;
    oras_meter *meter;
    oras_spool spool;
    struct archive *archive; /* NULL until all bytes are there */
    bool ended;              /* no more will be fed */
    bool in_entry;
    int n_matched;       /* bytes of the signature of a directory entry, at the end so far */
    int64_t n_directory; /* signatures seen */
    oras_buf path, linkname;
};

oras_code oras_zip_new(oras_meter *meter, oras_zip **out, oras_error *err)
{
    const oras_libarchive *lib;
    oras_code code = oras_libarchive_get(&lib, err);
    oras_zip *zip;

    if (code)
        return code;
    zip = oras_alloc_zero(1, sizeof *zip);
    if (!zip)
        return oras_fail_memory(err);
    zip->lib = lib;
    zip->meter = meter;
    oras_spool_init(&zip->spool);
    oras_buf_init(&zip->path, 2 * USHRT_MAX);
    oras_buf_init(&zip->linkname, 2 * USHRT_MAX);
    *out = zip;
    return ORAS_OK;
}

void oras_zip_free(oras_zip *zip)
{
    if (!zip)
        return;
    if (zip->archive)
        zip->lib->archive_read_free(zip->archive);
    oras_spool_dispose(&zip->spool);
    oras_buf_dispose(&zip->path);
    oras_buf_dispose(&zip->linkname);
    oras_dealloc(zip);
}

/* libarchive reads the whole directory into memory, however long it is. Each entry of it
 * starts with this signature, so counting those bounds it before it is read. */
static oras_code count_directory(oras_zip *zip, const uint8_t *data, size_t size, oras_error *err)
{
    static const uint8_t signature[] = {'P', 'K', 1, 2};
    const uint8_t *end = data + size;

    while (data < end) {
        if (zip->n_matched == 0) {
            data = memchr(data, 'P', (size_t)(end - data));
            if (!data)
                break;
        }
        if (*data == signature[zip->n_matched]) {
            zip->n_matched++;
            data++;
        } else {
            zip->n_matched = 0; /* and look at this byte again: only the first one is a 'P' */
        }
        if (zip->n_matched == 4) {
            zip->n_matched = 0;
            zip->n_directory++;
        }
    }
    if (zip->n_directory > zip->meter->limits.max_entries)
        return oras_fail(err, ORAS_C_LIMIT, "the archive has more than %lld entries",
                         (long long)zip->meter->limits.max_entries);
    return ORAS_OK;
}

oras_code oras_zip_feed(oras_zip *zip, const void *data, size_t size, oras_error *err)
{
    oras_code code;

    zip->ended = size == 0;
    if (size == 0)
        return ORAS_OK;
    if (size > (uint64_t)(zip->meter->limits.max_bytes - zip->spool.size))
        return oras_fail(err, ORAS_C_LIMIT, "the zip archive has more than %lld bytes",
                         (long long)zip->meter->limits.max_bytes);
    code = count_directory(zip, data, size, err);
    return code ? code : oras_spool_append(&zip->spool, data, size, err);
}

static oras_archive_step fail_by_library(const oras_zip *zip, oras_error *err)
{
    const char *why = zip->lib->archive_error_string(zip->archive);

    oras_fail(err, ORAS_C_CONTENT, "the zip archive is damaged or cut off: %s",
              why ? why : "no reason given");
    return ORAS_STEP_FAILED;
}

static oras_code zip_open(oras_zip *zip, oras_error *err)
{
    const oras_libarchive *lib = zip->lib;
    const oras_spool *spool = &zip->spool;
    int rc;

    zip->archive = lib->archive_read_new();
    if (!zip->archive)
        return oras_fail_memory(err);
    lib->archive_read_support_format_zip_seekable(zip->archive);
    if (spool->fd >= 0)
        rc = lib->archive_read_open_fd(zip->archive, spool->fd, BLOCK);
    else
        rc = lib->archive_read_open_memory(zip->archive, oras_buf_text(&spool->memory),
                                           spool->memory.size);
    if (rc == ARCHIVE_OK)
        return ORAS_OK;
    fail_by_library(zip, err);
    return oras_class_code(ORAS_C_CONTENT);
}

/* "ZIP 2.0 (deflation)" */
static oras_code check_method(const oras_zip *zip, oras_error *err)
{
    const char *format = zip->lib->archive_format_name(zip->archive);
    const char *method = format ? strchr(format, '(') : NULL;

    if (method && (strcmp(method, "(uncompressed)") == 0 || strcmp(method, "(deflation)") == 0))
        return ORAS_OK;
    return oras_fail(err, ORAS_C_UNSUPPORTED,
                     "zip entry '%s' is compressed by %s, expected stored or deflated",
                     oras_buf_text(&zip->path), method ? method : "an unknown method");
}

static bool find_type(unsigned filetype, oras_entry_type *out)
{
    switch (filetype) {
    case AE_IFREG:
        *out = ORAS_ENTRY_FILE;
        return true;
    case AE_IFDIR:
        *out = ORAS_ENTRY_DIRECTORY;
        return true;
    case AE_IFLNK:
        *out = ORAS_ENTRY_SYMLINK;
        return true;
    default:
        return false;
    }
}

static oras_code resolve_link(oras_zip *zip, struct archive_entry *entry, oras_error *err)
{
    const char *target = zip->lib->archive_entry_symlink(entry);

    if (!target || !*target)
        return oras_fail(err, ORAS_C_PATH, "symbolic link '%s' has a bad target",
                         oras_buf_text(&zip->path));
    oras_buf_clear(&zip->linkname);
    oras_buf_puts(&zip->linkname, target);
    return oras_buf_check(&zip->linkname, "the target of a link", err);
}

static oras_code resolve_name(oras_zip *zip, struct archive_entry *entry, oras_error *err)
{
    const char *name = zip->lib->archive_entry_pathname(entry);

    if (!name)
        return oras_fail(err, ORAS_C_PATH, "a zip entry has no readable name");
    return oras_entry_name_clean(name, strlen(name), zip->meter->limits.max_depth, &zip->path, err);
}

static oras_code check_entry(oras_zip *zip, struct archive_entry *entry, oras_entry_type *type,
                             oras_error *err)
{
    oras_code code = oras_meter_entry(zip->meter, err);

    if (!code)
        code = resolve_name(zip, entry, err);
    if (code)
        return code;
    if (zip->lib->archive_entry_is_encrypted(entry))
        return oras_fail(err, ORAS_C_UNSUPPORTED, "zip entry '%s' is encrypted",
                         oras_buf_text(&zip->path));
    if (!find_type(zip->lib->archive_entry_filetype(entry), type))
        return oras_fail(err, ORAS_C_PATH,
                         "zip entry '%s' is of another type than file, directory or link",
                         oras_buf_text(&zip->path));
    if (*type == ORAS_ENTRY_SYMLINK)
        code = resolve_link(zip, entry, err);
    return code ? code : check_method(zip, err);
}

static oras_code begin_entry(oras_zip *zip, struct archive_entry *entry, oras_entry *out,
                             oras_error *err)
{
    const oras_libarchive *lib = zip->lib;
    oras_entry_type type = ORAS_ENTRY_FILE;
    oras_code code = check_entry(zip, entry, &type, err);
    int64_t size;

    if (code)
        return code;
    size = type == ORAS_ENTRY_FILE ? lib->archive_entry_size(entry) : 0;
    if (type == ORAS_ENTRY_FILE && !lib->archive_entry_size_is_set(entry))
        size = -1;
    if (size > zip->meter->limits.max_bytes)
        return oras_fail(err, ORAS_C_LIMIT, "zip entry '%s' has %lld bytes, the limit is %lld",
                         oras_buf_text(&zip->path), (long long)size,
                         (long long)zip->meter->limits.max_bytes);
    out->path = oras_buf_text(&zip->path);
    out->type = type;
    out->size = size;
    out->mtime = lib->archive_entry_mtime(entry);
    out->mode = (unsigned)lib->archive_entry_perm(entry) & 07777;
    out->linkname = type == ORAS_ENTRY_SYMLINK ? oras_buf_text(&zip->linkname) : NULL;
    return ORAS_OK;
}

oras_archive_step oras_zip_read(oras_zip *zip, const void **data, size_t *size, oras_error *err)
{
    la_int64_t offset;
    int rc;

    *size = 0;
    while (zip->in_entry && *size == 0) {
        rc = zip->lib->archive_read_data_block(zip->archive, data, size, &offset);
        if (rc == ARCHIVE_EOF)
            zip->in_entry = false;
        else if (rc != ARCHIVE_OK)
            return fail_by_library(zip, err);
        else if (oras_meter_unpacked(zip->meter, *size, err))
            return ORAS_STEP_FAILED;
    }
    return zip->in_entry ? ORAS_STEP_DATA : ORAS_STEP_END;
}

static oras_archive_step next_header(oras_zip *zip, oras_entry *out, oras_error *err)
{
    struct archive_entry *entry;
    int rc = zip->lib->archive_read_next_header(zip->archive, &entry);

    if (rc == ARCHIVE_EOF)
        return ORAS_STEP_END;
    /* a warning is about a name that is no UTF-8; its bytes are right */
    if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
        return fail_by_library(zip, err);
    if (begin_entry(zip, entry, out, err))
        return ORAS_STEP_FAILED;
    zip->in_entry = out->type == ORAS_ENTRY_FILE;
    return ORAS_STEP_ENTRY;
}

/* An end record and a comment, nothing else; libarchive does not know such a file. */
static bool is_empty(const oras_spool *spool)
{
    const uint8_t *data = (const uint8_t *)spool->memory.data;

    return spool->fd < 0 && spool->memory.size >= END_SIZE && memcmp(data, "PK\5\6", 4) == 0 &&
           memcmp(data + 4, (const uint8_t[16]){0}, 16) == 0 &&
           (size_t)(data[20] | data[21] << 8) == spool->memory.size - END_SIZE;
}

oras_archive_step oras_zip_next(oras_zip *zip, oras_entry *out, oras_error *err)
{
    const void *data;
    size_t size;
    locale_t before;
    oras_archive_step step;

    if (!zip->ended)
        return ORAS_STEP_MORE;
    if (!zip->archive && is_empty(&zip->spool))
        return ORAS_STEP_END;
    if (!zip->archive && zip_open(zip, err))
        return ORAS_STEP_FAILED;
    while (zip->in_entry) {
        if (oras_zip_read(zip, &data, &size, err) == ORAS_STEP_FAILED)
            return ORAS_STEP_FAILED;
    }
    before = oras_libarchive_enter(zip->lib);
    step = next_header(zip, out, err);
    oras_libarchive_leave(zip->lib, before);
    return step;
}
