/* SPDX-License-Identifier: MIT */
#include "source_help.h"

#include <stdlib.h>
#include <string.h>

oras_source_step drain(oras_source *source, char *out, size_t capacity, size_t *total,
                       oras_error *err)
{
    oras_source_step step;
    size_t n;

    *total = 0;
    while ((step = oras_source_read(source, out + *total, capacity, &n, err)) == ORAS_SOURCE_DATA) {
        assert_in_range(n, 1, capacity);
        *total += n;
    }
    assert_int_equal(n, 0);
    return step;
}

void assert_gives(oras_source *source, const char *bytes, size_t size, size_t capacity)
{
    char *out = malloc(size + capacity);
    size_t total;

    assert_int_equal(drain(source, out, capacity, &total, NULL), ORAS_SOURCE_END);
    assert_int_equal(total, size);
    assert_memory_equal(out, bytes, size);
    free(out);
}
