/* SPDX-License-Identifier: MIT
 * A canary in the places where secrets stand never survives, whatever is around it. */
#include "base/log.h"
#include "fuzz.h"

#define CANARY "hunter2canary"

static void check_masked(const char *format, const char *around)
{
    oras_buf line = ORAS_BUF_INIT(1 << 20), out = ORAS_BUF_INIT(1 << 21);

    REQUIRE(oras_buf_printf(&line, "%s", around));
    REQUIRE(oras_buf_puts(&line, format));
    REQUIRE(oras_buf_puts(&line, around));
    oras_redact(line.data, &out);
    REQUIRE(out.state == ORAS_BUF_OK);
    REQUIRE(!strstr(oras_buf_text(&out), CANARY));
    oras_buf_dispose(&line);
    oras_buf_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *around = fuzz_text(data, size < 65536 ? size : 65536);

    if (strstr(around, CANARY)) { /* the fuzzer has learnt the word */
        free(around);
        return 0;
    }
    check_masked(" https://user:" CANARY "@host/path ", around);
    check_masked(" https://" CANARY "@host ", around);
    check_masked(" https://host/path?token=" CANARY " ", around);
    check_masked(" Authorization: Bearer " CANARY " ", around);
    check_masked(" authorization: basic " CANARY " ", around);
    free(around);
    return 0;
}
