/* SPDX-License-Identifier: MIT
 * Link, Retry-After, Content-Range, Warning: what comes out keeps its promises. */
#include "fuzz.h"
#include "oci/fields.h"

static void check_range(const char *value)
{
    oras_content_range range, again;
    oras_buf text = ORAS_BUF_INIT(200);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_content_range_parse(value, &range, &err)) {
        REQUIRE_ERROR(err, "protocol");
        return;
    }
    REQUIRE(range.first >= 0 && range.last >= range.first);
    REQUIRE(range.total == -1 || range.total > range.last);
    oras_buf_printf(&text, "bytes %lld-%lld/", (long long)range.first, (long long)range.last);
    if (range.total < 0)
        oras_buf_puts(&text, "*");
    else
        oras_buf_printf(&text, "%lld", (long long)range.total);
    REQUIRE(!oras_content_range_parse(text.data, &again, &err));
    REQUIRE(again.first == range.first && again.last == range.last && again.total == range.total);
    oras_buf_dispose(&text);
}

static void check_wait(const char *value)
{
    static const int64_t clocks[] = {0, 1700000000, INT64_C(4102444800)};

    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        int64_t seconds = -1;
        oras_error err = ORAS_ERROR_INIT;

        if (oras_retry_after_parse(value, clocks[i], &seconds, &err))
            REQUIRE_ERROR(err, "protocol");
        else
            REQUIRE(seconds >= 0);
    }
}

static void check_no_control(const oras_buf *buf)
{
    for (size_t i = 0; i < buf->size; i++)
        REQUIRE((unsigned char)buf->data[i] >= 0x20 && buf->data[i] != 0x7f);
}

static void check_link(const char *value)
{
    oras_buf target = ORAS_BUF_INIT(1 << 20), link = ORAS_BUF_INIT(1 << 20);
    oras_buf again = ORAS_BUF_INIT(1 << 20);

    if (oras_link_find(value, "next", &target)) {
        REQUIRE(target.size > 0 && strstr(value, target.data));
        check_no_control(&target);
        REQUIRE(!strpbrk(target.data, "<> "));
        oras_buf_printf(&link, "<x>; rel=prev, <%s>; rel=\"last next\"", target.data);
        REQUIRE(oras_link_find(link.data, "next", &again));
        REQUIRE(strcmp(again.data, target.data) == 0);
    } else {
        REQUIRE(target.size == 0);
    }
    oras_buf_dispose(&target);
    oras_buf_dispose(&link);
    oras_buf_dispose(&again);
}

static void check_warning(const char *value)
{
    oras_buf text = ORAS_BUF_INIT(1 << 20);

    if (oras_warning_parse(value, &text)) {
        REQUIRE(text.size > 0 && text.size < 4096);
        check_no_control(&text);
    } else {
        REQUIRE(text.size == 0);
    }
    oras_buf_dispose(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = fuzz_text(data, size);

    check_range(value);
    check_wait(value);
    check_link(value);
    check_warning(value);
    free(value);
    return 0;
}
