/* SPDX-License-Identifier: MIT
 * Bytes come back from their encoding; a text that decodes is the encoding of its bytes. */
#include "fuzz.h"
#include "oci/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oras_buf text = ORAS_BUF_INIT(4 * size + 16), back = ORAS_BUF_INIT(4 * size + 16);
    oras_error err = ORAS_ERROR_INIT;

    REQUIRE(oras_base64_encode(data, size, &text));
    REQUIRE(!oras_base64_decode(oras_buf_text(&text), text.size, &back, &err));
    REQUIRE(back.size == size && (size == 0 || memcmp(back.data, data, size) == 0));
    oras_buf_clear(&text);
    oras_buf_clear(&back);
    if (oras_base64_decode((const char *)data, size, &back, &err)) {
        REQUIRE_ERROR(err, "content");
        REQUIRE(back.size == 0);
    } else {
        REQUIRE(oras_base64_encode(oras_buf_text(&back), back.size, &text));
        REQUIRE(text.size == size && (size == 0 || memcmp(text.data, data, size) == 0));
    }
    oras_buf_dispose(&text);
    oras_buf_dispose(&back);
    return 0;
}
