/* SPDX-License-Identifier: MIT
 * Whatever a token server says: what goes into a header line is one line of visible ASCII. */
#include "fuzz.h"
#include "oci/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    oras_buf scope = ORAS_BUF_INIT(size + 1);
    oras_secret *secret;
    oras_buf refresh = ORAS_BUF_INIT(size + 1);
    oras_token_info info = {.scope = &scope, .refresh_token = &refresh};
    oras_error err = ORAS_ERROR_INIT;

    if (oras_token_parse((const char *)data, size, "https://h:443", &secret, &info, &err)) {
        REQUIRE(err.message[0] && !strpbrk(err.message, "\r\n"));
    } else {
        const char *value = oras_secret_reveal(secret);

        REQUIRE(strncmp(value, "Bearer ", 7) == 0 && value[7]);
        for (value += 7; *value; value++)
            REQUIRE(*value > 0x20 && *value < 0x7f);
        REQUIRE(info.expires_in > 0 && info.expires_in <= ORAS_TOKEN_LIFE_MAX);
        oras_secret_unref(secret);
    }
    REQUIRE(!refresh.size || !strpbrk(oras_buf_text(&refresh), "\r\n"));
    oras_buf_dispose(&refresh);
    oras_buf_dispose(&scope);
    return 0;
}
