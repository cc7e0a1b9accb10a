/* SPDX-License-Identifier: MIT
 * What was understood lies within the input, has no control characters, and written down
 * properly it is understood the same. */
#include "base/buf.h"
#include "fuzz.h"
#include "oci/challenge.h"

static void check_inside(oras_slice slice, const uint8_t *data, size_t size)
{
    const uint8_t *at = (const uint8_t *)slice.data;

    REQUIRE(at >= data && at + slice.size <= data + size);
}

static void check_plain(oras_slice slice)
{
    for (size_t i = 0; i < slice.size; i++)
        REQUIRE(((unsigned char)slice.data[i] >= 0x20 || slice.data[i] == '\t') &&
                slice.data[i] != 0x7f);
}

static void write_param(const oras_challenge_pair *pair, bool first, oras_buf *out)
{
    char *plain = malloc(pair->value.size + 1);
    size_t size = oras_slice_unescape(pair->value, plain);

    REQUIRE(size <= pair->value.size);
    oras_buf_puts(out, first ? " " : ", ");
    oras_buf_append(out, pair->name.data, pair->name.size);
    oras_buf_puts(out, "=\"");
    for (size_t i = 0; i < size; i++) {
        if (plain[i] == '"' || plain[i] == '\\')
            oras_buf_puts(out, "\\");
        oras_buf_append(out, plain + i, 1);
    }
    oras_buf_puts(out, "\"");
    free(plain);
}

static void write_challenge(oras_challenge challenge, const uint8_t *data, size_t size,
                            oras_buf *out)
{
    oras_challenge_pair pair;
    bool first = true;

    REQUIRE(challenge.scheme.size > 0);
    check_inside(challenge.scheme, data, size);
    oras_buf_append(out, challenge.scheme.data, challenge.scheme.size);
    if (challenge.token68.data) {
        check_inside(challenge.token68, data, size);
        REQUIRE(challenge.token68.size > 0 && !challenge.params.data);
        oras_buf_puts(out, " ");
        oras_buf_append(out, challenge.token68.data, challenge.token68.size);
    }
    for (; oras_challenge_param(&challenge.params, &pair); first = false) {
        check_inside(pair.name, data, size);
        check_inside(pair.value, data, size);
        check_plain(pair.value);
        write_param(&pair, first, out);
    }
    REQUIRE(challenge.params.size == 0); /* all of them could be read */
    oras_buf_puts(out, ", ");
}

/* Write down what is understood; gives how many challenges there are. */
static size_t rewrite(const uint8_t *data, size_t size, oras_buf *out)
{
    oras_challenge_cursor cursor = {(const char *)data, size};
    oras_challenge challenge;
    size_t n = 0;

    for (; oras_challenge_next(&cursor, &challenge); n++)
        write_challenge(challenge, data, size, out);
    REQUIRE(cursor.size == 0 && n <= size);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oras_buf once = ORAS_BUF_INIT(16 * size + 64), twice = ORAS_BUF_INIT(16 * size + 64);
    size_t n = rewrite(data, size, &once);

    REQUIRE(once.state == ORAS_BUF_OK);
    REQUIRE(rewrite((const uint8_t *)oras_buf_text(&once), once.size, &twice) == n);
    REQUIRE(strcmp(oras_buf_text(&once), oras_buf_text(&twice)) == 0);
    oras_buf_dispose(&once);
    oras_buf_dispose(&twice);
    return 0;
}
