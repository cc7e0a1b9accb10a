/* SPDX-License-Identifier: MIT */
#include "io/unpack.h"

#include "base/alloc.h"
#include "io/inflate.h"
#include "io/sniff.h"

#include <string.h>

struct oras_unpack {
    oras_meter *meter;
    oras_packing packing;
    oras_sniffed sniffed;
    bool is_sniffed;

    uint8_t head[ORAS_SNIFF_SIZE]; /* the first bytes, then given on before the rest */
    size_t n_head, n_head_used;
    const uint8_t *in; /* what was fed and is not used up */
    size_t n_in;
    bool ended;

    oras_inflate *inflate; /* NULL where nothing is compressed as a whole */
};

oras_code oras_unpack_new(oras_packing packing, oras_meter *meter, oras_unpack **out,
                          oras_error *err)
{
    oras_unpack *unpack = oras_alloc_zero(1, sizeof *unpack);

    if (!unpack)
        return oras_fail_memory(err);
    unpack->packing = packing;
    unpack->meter = meter;
    *out = unpack;
    return ORAS_OK;
}

void oras_unpack_free(oras_unpack *unpack)
{
    if (!unpack)
        return;
    if (unpack->inflate)
        unpack->inflate->ops->free(unpack->inflate);
    oras_dealloc(unpack);
}

void oras_unpack_feed(oras_unpack *unpack, const void *data, size_t size)
{
    unpack->in = data;
    unpack->n_in = size;
    unpack->ended = size == 0;
}

oras_packing oras_unpack_packing(const oras_unpack *unpack)
{
    return unpack->packing;
}

const char *oras_unpack_looks_like(const oras_unpack *unpack)
{
    return unpack->sniffed.name;
}

/* The input that is next; it may be empty. */
static size_t segment(const oras_unpack *unpack, const uint8_t **data)
{
    size_t n_head = unpack->n_head - unpack->n_head_used;

    *data = n_head ? unpack->head + unpack->n_head_used : unpack->in;
    return n_head ? n_head : unpack->n_in;
}

static void consume(oras_unpack *unpack, size_t size)
{
    unpack->meter->n_packed += (int64_t)size;
    if (unpack->n_head_used < unpack->n_head) {
        unpack->n_head_used += size;
    } else if (size) {
        unpack->in += size;
        unpack->n_in -= size;
    }
}

static void fill_head(oras_unpack *unpack)
{
    size_t room = ORAS_SNIFF_SIZE - unpack->n_head;
    size_t n = unpack->n_in < room ? unpack->n_in : room;

    if (n == 0)
        return;
    memcpy(unpack->head + unpack->n_head, unpack->in, n);
    unpack->n_head += n;
    unpack->in += n;
    unpack->n_in -= n;
}

static oras_code check_promise(const oras_unpack *unpack, oras_error *err)
{
    const oras_sniffed *is = &unpack->sniffed;

    if (unpack->n_head == 0)
        return oras_fail(err, ORAS_C_CONTENT, "the archive is empty, expected %s",
                         oras_packing_name(unpack->packing));
    if (unpack->packing == ORAS_PACKING_ANY || unpack->packing == is->packing)
        return ORAS_OK;
    if (unpack->packing == ORAS_PACKING_NONE)
        return ORAS_OK; /* the name of a tar's first entry may look like anything */
    return oras_fail(err, ORAS_C_CONTENT, "the archive is not %s but %s",
                     oras_packing_name(unpack->packing), is->name ? is->name : "something else");
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

static oras_code choose(oras_unpack *unpack, oras_error *err)
{
    oras_code code = check_promise(unpack, err);

    if (code)
        return code;
    if (unpack->packing == ORAS_PACKING_ANY)
        unpack->packing = unpack->sniffed.packing;
    return make_inflate(unpack->packing, &unpack->inflate, err);
}

/* DATA stands for: all is ready. */
static oras_archive_step prepare(oras_unpack *unpack, oras_error *err)
{
    if (unpack->is_sniffed)
        return ORAS_STEP_DATA;
    fill_head(unpack);
    if (unpack->n_head < ORAS_SNIFF_SIZE && !unpack->ended)
        return ORAS_STEP_MORE;
    unpack->is_sniffed = true;
    unpack->sniffed = oras_sniff(unpack->head, unpack->n_head);
    return choose(unpack, err) ? ORAS_STEP_FAILED : ORAS_STEP_DATA;
}

/* What a zip unpacks to is counted where that is known. */
static oras_archive_step give_plain(oras_unpack *unpack, size_t room, const void **data,
                                    size_t *size, oras_error *err)
{
    const uint8_t *from;
    size_t n = segment(unpack, &from);

    if (n == 0)
        return unpack->ended ? ORAS_STEP_END : ORAS_STEP_MORE;
    n = n < room ? n : room;
    consume(unpack, n);
    *data = from;
    *size = n;
    if (unpack->packing != ORAS_PACKING_ZIP && oras_meter_unpacked(unpack->meter, n, err))
        return ORAS_STEP_FAILED;
    return ORAS_STEP_DATA;
}

/* Until there are bytes, or until this input gives none. */
static oras_code inflate(oras_unpack *unpack, void *window, size_t room, size_t *size,
                         oras_error *err)
{
    size_t n_in;

    do {
        oras_inflate_io io = {.out = window, .n_out = room};
        oras_code code;

        n_in = io.n_in = segment(unpack, &io.in);
        code = unpack->inflate->ops->step(unpack->inflate, &io, err);
        if (code)
            return code;
        if (n_in && io.n_in == n_in && io.n_out == room)
            return oras_fail(err, ORAS_C_CONTENT, "compressed data is damaged");
        consume(unpack, n_in - io.n_in);
        *size = room - io.n_out;
    } while (*size == 0 && n_in);
    return oras_meter_unpacked(unpack->meter, *size, err);
}

static oras_archive_step give_inflated(oras_unpack *unpack, void *window, size_t room,
                                       const void **data, size_t *size, oras_error *err)
{
    *data = window;
    *size = 0;
    if (inflate(unpack, window, room, size, err))
        return ORAS_STEP_FAILED;
    if (*size)
        return ORAS_STEP_DATA;
    if (!unpack->ended)
        return ORAS_STEP_MORE;
    return unpack->inflate->ops->finish(unpack->inflate, err) ? ORAS_STEP_FAILED : ORAS_STEP_END;
}

oras_archive_step oras_unpack_step(oras_unpack *unpack, void *window, size_t room,
                                   const void **data, size_t *size, oras_error *err)
{
    oras_archive_step step = prepare(unpack, err);

    if (step != ORAS_STEP_DATA)
        return step;
    return unpack->inflate ? give_inflated(unpack, window, room, data, size, err)
                           : give_plain(unpack, room, data, size, err);
}
