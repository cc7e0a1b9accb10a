/* SPDX-License-Identifier: MIT
 * Archives: names that stay inside, limits that hold, and the same result whatever the pieces
 * in which the bytes arrive. The first byte says what the media type promised and whether
 * checksums of tar headers are made right, the second how long a piece is. */
#include "base/alloc.h"
#include "base/buf.h"
#include "fuzz.h"
#include "io/archive.h"

#define MAX_BYTES   (1 << 20)
#define MAX_ENTRIES 1000
#define MAX_DEPTH   16

typedef struct outcome {
    oras_buf text; /* of entries and data */
    oras_error err;
    int64_t n_entries, n_bytes;
} outcome;

static void check_name(const char *name)
{
    const char *at = name;
    int depth = 0;

    REQUIRE(name[0] && name[0] != '/');
    for (;;) {
        size_t size = strcspn(at, "/");

        REQUIRE(size > 0 && size <= 255 && ++depth <= MAX_DEPTH);
        REQUIRE(strncmp(at, "..", size > 2 ? size : 2) != 0);
        REQUIRE(size != 1 || at[0] != '.' || strcmp(name, ".") == 0);
        if (!at[size])
            return;
        at += size + 1;
    }
}

static void check_entry(const oras_entry *entry, oras_buf *text)
{
    check_name(entry->path);
    if (entry->type == ORAS_ENTRY_HARDLINK)
        check_name(entry->linkname);
    if (entry->type == ORAS_ENTRY_SYMLINK)
        REQUIRE(entry->linkname[0]);
    REQUIRE(entry->size >= -1 && entry->size <= MAX_BYTES && entry->mode <= 07777);
    REQUIRE(entry->type == ORAS_ENTRY_FILE || entry->size == 0);
    oras_buf_printf(text, "\n%d %o %lld %lld %s %s ", (int)entry->type, entry->mode,
                    (long long)entry->size, (long long)entry->mtime, entry->path,
                    entry->linkname ? entry->linkname : "");
}

typedef struct source {
    const uint8_t *data;
    size_t left, piece;
    uint8_t *copy;
} source;

static void feed(source *s, oras_archive *archive)
{
    size_t n = s->piece && s->piece < s->left ? s->piece : s->left;

    free(s->copy);
    s->copy = malloc(n ? n : 1);
    REQUIRE(s->copy);
    if (n)
        memcpy(s->copy, s->data, n);
    oras_archive_feed(archive, n ? s->copy : NULL, n);
    s->data += n;
    s->left -= n;
}

/* Every second entry is read, the others are passed over. */
static oras_archive_step read_entry(oras_archive *archive, source *s, outcome *out)
{
    for (;;) {
        const void *data = NULL;
        size_t size = 0;
        oras_archive_step step = oras_archive_read(archive, &data, &size, &out->err);

        if (step == ORAS_STEP_MORE) {
            feed(s, archive);
            continue;
        }
        if (step != ORAS_STEP_DATA)
            return step;
        REQUIRE(size > 0);
        out->n_bytes += (int64_t)size;
        oras_buf_append(&out->text, data, size);
    }
}

static void run(oras_packing packing, source s, outcome *out)
{
    oras_archive_limits limits = {MAX_BYTES, MAX_ENTRIES, 50, MAX_DEPTH};
    oras_archive_step step = ORAS_STEP_ENTRY;
    oras_archive *archive;
    oras_entry entry;

    *out = (outcome){.text = ORAS_BUF_INIT((size_t)16 << 20), .err = ORAS_ERROR_INIT};
    REQUIRE(!oras_archive_new(packing, &limits, &archive, &out->err));
    while (step != ORAS_STEP_FAILED && step != ORAS_STEP_END) {
        step = oras_archive_next(archive, &entry, &out->err);
        if (step == ORAS_STEP_MORE)
            feed(&s, archive);
        if (step != ORAS_STEP_ENTRY)
            continue;
        check_entry(&entry, &out->text);
        if (out->n_entries++ % 2 == 0 && read_entry(archive, &s, out) == ORAS_STEP_FAILED)
            step = ORAS_STEP_FAILED;
    }
    REQUIRE((step == ORAS_STEP_FAILED) == (out->err.code != ORAS_OK));
    REQUIRE(step == ORAS_STEP_FAILED || s.left == 0);
    REQUIRE(out->n_entries <= MAX_ENTRIES && out->n_bytes <= MAX_BYTES);
    oras_archive_free(archive);
    free(s.copy);
}

static void fix_checksums(uint8_t *data, size_t size)
{
    for (; size >= 512; data += 512, size -= 512) {
        unsigned sum = 0;

        if (data[0] == 0)
            continue;
        memset(data + 148, ' ', 8);
        for (int i = 0; i < 512; i++)
            sum += data[i];
        snprintf((char *)data + 148, 8, "%06o", sum);
    }
}

static void check(oras_packing packing, const uint8_t *data, size_t size, size_t piece)
{
    outcome whole, pieces;

    run(packing, (source){data, size, 0, NULL}, &whole);
    run(packing, (source){data, size, piece, NULL}, &pieces);
    REQUIRE(strcmp(whole.err.class_name, pieces.err.class_name) == 0);
    if (!whole.err.code) {
        REQUIRE(whole.text.size == pieces.text.size);
        REQUIRE(memcmp(oras_buf_text(&whole.text), oras_buf_text(&pieces.text), whole.text.size) ==
                0);
    }
    oras_buf_dispose(&whole.text);
    oras_buf_dispose(&pieces.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    if (size < 2)
        return 0;
    copy = malloc(size);
    REQUIRE(copy);
    memcpy(copy, data, size);
    if (data[0] & 8)
        fix_checksums(copy + 2, size - 2);
    check((oras_packing)((data[0] & 7) % 6), copy + 2, size - 2, (size_t)data[1] + 1);
    free(copy);
    return 0;
}
