/* SPDX-License-Identifier: MIT
 * The reader as a whole: look at the first bytes, then bytes -> decompressor -> tar, or zip. */
#include "io/archive.h"

#include "base/alloc.h"
#include "io/inflate.h"
#include "io/meter.h"
#include "io/sniff.h"
#include "io/tar.h"
#include "io/zip.h"

#include <string.h>

#define WINDOW (256u << 10) /* unpacked bytes at a time */

struct oras_archive {
    oras_meter meter;
    oras_packing packing;
    oras_sniffed sniffed;
    bool is_sniffed;

    uint8_t head[ORAS_SNIFF_SIZE]; /* the first bytes, then given on before the rest */
    size_t n_head, n_head_used;
    const uint8_t *in; /* what was fed and is not used up */
    size_t n_in;
    bool ended;

    oras_inflate *inflate; /* NULL for a plain tar */
    uint8_t *window;
    oras_tar *tar; /* either this or */
    oras_zip *zip;

    bool is_over, has_failed;
    oras_error failure;
};

oras_code oras_archive_new(oras_packing packing, const oras_archive_limits *limits,
                           oras_archive **out, oras_error *err)
{
    oras_archive *archive = oras_alloc_zero(1, sizeof *archive);

    if (!archive)
        return oras_fail_memory(err);
    archive->packing = packing;
    oras_meter_init(&archive->meter, limits);
    *out = archive;
    return ORAS_OK;
}

void oras_archive_free(oras_archive *archive)
{
    if (!archive)
        return;
    if (archive->inflate)
        archive->inflate->ops->free(archive->inflate);
    oras_dealloc(archive->window);
    oras_tar_free(archive->tar);
    oras_zip_free(archive->zip);
    oras_dealloc(archive);
}

void oras_archive_feed(oras_archive *archive, const void *data, size_t size)
{
    archive->in = data;
    archive->n_in = size;
    archive->ended = size == 0;
}

/* The input that is next; it may be empty. */
static size_t segment(const oras_archive *archive, const uint8_t **data)
{
    size_t n_head = archive->n_head - archive->n_head_used;

    *data = n_head ? archive->head + archive->n_head_used : archive->in;
    return n_head ? n_head : archive->n_in;
}

static void consume(oras_archive *archive, size_t size)
{
    archive->meter.n_packed += (int64_t)size;
    if (archive->n_head_used < archive->n_head) {
        archive->n_head_used += size;
    } else if (size) {
        archive->in += size;
        archive->n_in -= size;
    }
}

static void fill_head(oras_archive *archive)
{
    size_t room = ORAS_SNIFF_SIZE - archive->n_head;
    size_t n = archive->n_in < room ? archive->n_in : room;

    if (n == 0)
        return;
    memcpy(archive->head + archive->n_head, archive->in, n);
    archive->n_head += n;
    archive->in += n;
    archive->n_in -= n;
}

static oras_code check_promise(const oras_archive *archive, oras_error *err)
{
    const oras_sniffed *is = &archive->sniffed;

    if (archive->n_head == 0)
        return oras_fail(err, ORAS_C_CONTENT, "the archive is empty, expected %s",
                         oras_packing_name(archive->packing));
    if (archive->packing == ORAS_PACKING_ANY || archive->packing == is->packing)
        return ORAS_OK;
    if (archive->packing == ORAS_PACKING_NONE)
        return ORAS_OK; /* the name of a tar's first entry may look like anything */
    return oras_fail(err, ORAS_C_CONTENT, "the archive is not %s but %s",
                     oras_packing_name(archive->packing), is->name ? is->name : "something else");
}

static oras_code make_inflate(oras_packing packing, oras_inflate **out, oras_error *err)
{
    switch (packing) {
    case ORAS_PACKING_GZIP:
        return oras_gzip_new(out, err);
    case ORAS_PACKING_ZSTD:
        return oras_zstd_new(out, err);
    case ORAS_PACKING_BZIP2:
        return oras_bzip2_new(out, err);
    default:
        return ORAS_OK;
    }
}

static oras_code choose(oras_archive *archive, oras_error *err)
{
    oras_code code = check_promise(archive, err);

    if (code)
        return code;
    if (archive->packing == ORAS_PACKING_ANY)
        archive->packing = archive->sniffed.packing;
    if (archive->packing == ORAS_PACKING_ZIP)
        return oras_zip_new(&archive->meter, &archive->zip, err);
    code = make_inflate(archive->packing, &archive->inflate, err);
    if (!code && archive->inflate) {
        archive->window = oras_alloc(WINDOW);
        code = archive->window ? ORAS_OK : oras_fail_memory(err);
    }
    return code ? code : oras_tar_new(&archive->meter, &archive->tar, err);
}

/* ENTRY stands for: all is ready. */
static oras_archive_step prepare(oras_archive *archive, oras_error *err)
{
    if (archive->is_sniffed)
        return ORAS_STEP_ENTRY;
    fill_head(archive);
    if (archive->n_head < ORAS_SNIFF_SIZE && !archive->ended)
        return ORAS_STEP_MORE;
    archive->is_sniffed = true;
    archive->sniffed = oras_sniff(archive->head, archive->n_head);
    return choose(archive, err) ? ORAS_STEP_FAILED : ORAS_STEP_ENTRY;
}

static oras_archive_step feed_plain(oras_archive *archive, oras_error *err)
{
    const uint8_t *data;
    size_t size = segment(archive, &data);

    if (size == 0 && !archive->ended)
        return ORAS_STEP_MORE;
    consume(archive, size);
    if (oras_meter_unpacked(&archive->meter, size, err))
        return ORAS_STEP_FAILED;
    oras_tar_feed(archive->tar, data, size);
    return ORAS_STEP_DATA;
}

/* Unpack until there are bytes, or until this input gives none. */
static oras_code unpack(oras_archive *archive, size_t *size, oras_error *err)
{
    size_t n_in;

    do {
        oras_inflate_io io = {.out = archive->window, .n_out = WINDOW};
        oras_code code;

        n_in = io.n_in = segment(archive, &io.in);
        code = archive->inflate->ops->step(archive->inflate, &io, err);
        if (code)
            return code;
        if (n_in && io.n_in == n_in && io.n_out == WINDOW)
            return oras_fail(err, ORAS_C_CONTENT, "compressed data is damaged");
        consume(archive, n_in - io.n_in);
        *size = WINDOW - io.n_out;
    } while (*size == 0 && n_in);
    return oras_meter_unpacked(&archive->meter, *size, err);
}

static oras_archive_step feed_inflated(oras_archive *archive, oras_error *err)
{
    size_t size = 0;

    if (unpack(archive, &size, err))
        return ORAS_STEP_FAILED;
    if (size == 0 && !archive->ended)
        return ORAS_STEP_MORE;
    if (size == 0 && archive->inflate->ops->finish(archive->inflate, err))
        return ORAS_STEP_FAILED;
    oras_tar_feed(archive->tar, archive->window, size);
    return ORAS_STEP_DATA;
}

/* Give the format below what there is. DATA stands for: it has something to go on with. */
static oras_archive_step pump(oras_archive *archive, oras_error *err)
{
    const uint8_t *data;
    size_t size;

    if (archive->tar)
        return archive->inflate ? feed_inflated(archive, err) : feed_plain(archive, err);
    size = segment(archive, &data);
    if (size == 0 && !archive->ended)
        return ORAS_STEP_MORE;
    consume(archive, size);
    return oras_zip_feed(archive->zip, data, size, err) ? ORAS_STEP_FAILED : ORAS_STEP_DATA;
}

/* What the first bytes look like tells more than that they are no tar. */
static void explain(const oras_archive *archive, oras_error *err)
{
    if (archive->tar && !archive->inflate && archive->meter.n_entries == 0 &&
        archive->sniffed.name && strcmp(err->class_name, "content") == 0)
        oras_fail(err, ORAS_C_CONTENT, "the archive is not a tar but %s", archive->sniffed.name);
}

static oras_archive_step keep(oras_archive *archive, oras_archive_step step, oras_error *failure,
                              oras_error *err)
{
    if (step == ORAS_STEP_FAILED && !archive->has_failed) {
        explain(archive, failure);
        archive->has_failed = true;
        archive->failure = *failure;
    }
    if (step == ORAS_STEP_FAILED && err)
        *err = archive->failure;
    return step;
}

static oras_archive_step next_below(oras_archive *archive, oras_entry *out, oras_error *err)
{
    return archive->zip ? oras_zip_next(archive->zip, out, err)
                        : oras_tar_next(archive->tar, out, err);
}

static oras_archive_step next(oras_archive *archive, oras_entry *out, oras_error *err)
{
    oras_archive_step step = prepare(archive, err);

    if (step != ORAS_STEP_ENTRY)
        return step;
    for (;;) {
        step = next_below(archive, out, err);
        if (step != ORAS_STEP_MORE)
            return step;
        step = pump(archive, err);
        if (step != ORAS_STEP_DATA)
            return step;
    }
}

oras_archive_step oras_archive_next(oras_archive *archive, oras_entry *out, oras_error *err)
{
    oras_error failure = ORAS_ERROR_INIT;
    oras_archive_step step;

    if (archive->has_failed)
        return keep(archive, ORAS_STEP_FAILED, &failure, err);
    if (archive->is_over)
        return ORAS_STEP_END;
    step = next(archive, out, &failure);
    archive->is_over = step == ORAS_STEP_END;
    return keep(archive, step, &failure, err);
}

static oras_archive_step read_below(oras_archive *archive, const void **data, size_t *size,
                                    oras_error *err)
{
    return archive->zip ? oras_zip_read(archive->zip, data, size, err)
                        : oras_tar_read(archive->tar, data, size, err);
}

oras_archive_step oras_archive_read(oras_archive *archive, const void **data, size_t *size,
                                    oras_error *err)
{
    oras_error failure = ORAS_ERROR_INIT;
    oras_archive_step step;

    if (archive->has_failed)
        return keep(archive, ORAS_STEP_FAILED, &failure, err);
    if (archive->is_over || (!archive->tar && !archive->zip))
        return ORAS_STEP_END;
    for (;;) {
        step = read_below(archive, data, size, &failure);
        if (step == ORAS_STEP_MORE)
            step = pump(archive, &failure);
        else
            return keep(archive, step, &failure, err);
        if (step != ORAS_STEP_DATA)
            return keep(archive, step, &failure, err);
    }
}
