/* SPDX-License-Identifier: MIT
 * Up to the first NUL a secret, then a text, in which no copy of the secret is left. */
#define _GNU_SOURCE /* memmem */
#include "fuzz.h"
#include "oci/hide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oras_buf out = ORAS_BUF_INIT(4 * size + 16);
    const char *secret = (const char *)data;
    const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
    size_t n_secret;

    if (!end)
        return 0;
    n_secret = (size_t)(end - data);
    oras_hide((const char *)end + 1, size - n_secret - 1, secret, &out);
    REQUIRE(!oras_buf_check(&out, "text", &(oras_error)ORAS_ERROR_INIT));
    if (n_secret >= ORAS_HIDE_LEAST && !strchr(secret, '*') && secret[n_secret - 1] != '=')
        REQUIRE(!memmem(oras_buf_text(&out), out.size, secret, n_secret));
    oras_buf_dispose(&out);
    return 0;
}
