/* SPDX-License-Identifier: MIT
 * The reader as a whole: bytes -> unpack -> entries. */
#include "io/archive.h"

#include "base/alloc.h"
#include "io/entries.h"
#include "io/unpack.h"

#include <string.h>

#define WINDOW (256u << 10) /* unpacked bytes at a time */

struct oras_archive {
    oras_meter meter;
    oras_unpack *unpack;
    uint8_t *window;
    oras_entries entries;

    bool is_over, has_failed;
    oras_error failure;
};

oras_code oras_archive_new(oras_packing packing, const oras_archive_limits *limits,
                           oras_archive **out, oras_error *err)
{
    oras_archive *archive = oras_alloc_zero(1, sizeof *archive);
    oras_code code;

    if (!archive)
        return oras_fail_memory(err);
    oras_meter_init(&archive->meter, limits);
    code = oras_unpack_new(packing, &archive->meter, &archive->unpack, err);
    if (code) {
        oras_dealloc(archive);
        return code;
    }
    *out = archive;
    return ORAS_OK;
}

void oras_archive_free(oras_archive *archive)
{
    if (!archive)
        return;
    oras_unpack_free(archive->unpack);
    oras_dealloc(archive->window);
    oras_entries_dispose(&archive->entries);
    oras_dealloc(archive);
}

void oras_archive_feed(oras_archive *archive, const void *data, size_t size)
{
    oras_unpack_feed(archive->unpack, data, size);
}

/* The window comes with the first call, the reader of entries when the packing is known. */
static oras_archive_step unpack(oras_archive *archive, const void **data, size_t *size,
                                oras_error *err)
{
    oras_archive_step step;

    if (!archive->window && !(archive->window = oras_alloc(WINDOW))) {
        oras_fail_memory(err);
        return ORAS_STEP_FAILED;
    }
    step = oras_unpack_step(archive->unpack, archive->window, WINDOW, data, size, err);
    if ((step == ORAS_STEP_DATA || step == ORAS_STEP_END) &&
        !oras_entries_are_known(&archive->entries) &&
        oras_entries_init(&archive->entries, oras_unpack_packing(archive->unpack), &archive->meter,
                          err))
        return ORAS_STEP_FAILED;
    return step;
}

/* Give the reader of entries what there is. DATA stands for: it can go on. */
static oras_archive_step pump(oras_archive *archive, oras_error *err)
{
    const void *data = NULL;
    size_t size = 0;
    oras_archive_step step = unpack(archive, &data, &size, err);

    if (step != ORAS_STEP_DATA && step != ORAS_STEP_END)
        return step;
    if (step == ORAS_STEP_END)
        size = 0;
    return oras_entries_feed(&archive->entries, data, size, err) ? ORAS_STEP_FAILED
                                                                 : ORAS_STEP_DATA;
}

/* What the first bytes look like tells more than that they are no tar. */
static void explain(const oras_archive *archive, oras_error *err)
{
    const char *name = oras_unpack_looks_like(archive->unpack);

    if (oras_unpack_packing(archive->unpack) == ORAS_PACKING_NONE && archive->entries.tar &&
        archive->meter.n_entries == 0 && name && strcmp(err->class_name, "content") == 0)
        oras_fail(err, ORAS_C_CONTENT, "the archive is not a tar but %s", name);
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

static oras_archive_step next(oras_archive *archive, oras_entry *out, oras_error *err)
{
    for (;;) {
        oras_archive_step step = ORAS_STEP_MORE;

        if (oras_entries_are_known(&archive->entries))
            step = oras_entries_next(&archive->entries, out, err);
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

oras_archive_step oras_archive_read(oras_archive *archive, const void **data, size_t *size,
                                    oras_error *err)
{
    oras_error failure = ORAS_ERROR_INIT;
    oras_archive_step step;

    if (archive->has_failed)
        return keep(archive, ORAS_STEP_FAILED, &failure, err);
    if (archive->is_over || !oras_entries_are_known(&archive->entries))
        return ORAS_STEP_END;
    do {
        step = oras_entries_read(&archive->entries, data, size, &failure);
        if (step != ORAS_STEP_MORE)
            return keep(archive, step, &failure, err);
        step = pump(archive, &failure);
    } while (step == ORAS_STEP_DATA);
    return keep(archive, step, &failure, err);
}
