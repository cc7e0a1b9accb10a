/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "cmocka_c11.h"

#include <string.h>

typedef struct redaction {
    const char *text, *expected;
} redaction;

static const redaction redactions[] = {
    {"", ""},
    {"nothing to hide", "nothing to hide"},
    {"GET https://host/v2/x", "GET https://host/v2/x"},
    {"GET https://host:5000/p?a=b", "GET https://host:5000/p?a=***"},
    {"https://u:p@host/x", "https://***@host/x"},
    {"https://u@host", "https://***@host"},
    {"https://u:p@q@host/x", "https://***@host/x"},
    {"https://h/x@y?t=1", "https://h/x@y?t=***"},
    {"https://h/x?X-Amz-Signature=abc&X-Amz-Date=2",
     "https://h/x?X-Amz-Signature=***&X-Amz-Date=***"},
    {"https://h/x?a=1;b=2", "https://h/x?a=***;b=***"},
    {"https://h/x?flag", "https://h/x?flag"},
    {"https://h/x?a=b=c#frag", "https://h/x?a=***#frag"},
    {"'https://h/?t=s' failed", "'https://h/?t=***' failed"},
    {"from https://h/?t=s to https://i/?t=s", "from https://h/?t=*** to https://i/?t=***"},
    {"Authorization: Bearer eyJhbGciOi.J9", "Authorization: Bearer ***"},
    {"authorization: bearer abcdefgh, next", "authorization: bearer ***, next"},
    {"Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"},
    {"Bearer realm=\"https://auth/token?x=1\"", "Bearer realm=\"https://auth/token?x=***\""},
};

static void test_secrets_in_text_are_masked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof redactions / sizeof redactions[0]; i++) {
        oras_buf out = ORAS_BUF_INIT(4096);

        oras_redact(redactions[i].text, &out);
        assert_string_equal(oras_buf_text(&out), redactions[i].expected);
        oras_buf_dispose(&out);
    }
}

typedef struct heard {
    int n_lines;
    oras_level level;
    char line[2048];
} heard;

static void listen(void *ud, oras_level level, const char *line)
{
    heard *h = ud;

    h->n_lines++;
    h->level = level;
    strncpy(h->line, line, sizeof h->line - 1);
}

static void test_lines_above_the_level_are_dropped(void **state)
{
    heard h = {0};
    oras_log log = {ORAS_LOG_WARN, listen, &h};

    (void)state;
    oras_log_write(&log, ORAS_LOG_INFO, "no");
    assert_int_equal(h.n_lines, 0);
    oras_log_write(&log, ORAS_LOG_WARN, "yes %d", 1);
    oras_log_write(&log, ORAS_LOG_ERROR, "yes %d", 2);
    assert_int_equal(h.n_lines, 2);
    assert_string_equal(h.line, "yes 2");
    assert_int_equal(h.level, ORAS_LOG_ERROR);
}

static void test_nobody_needs_to_listen(void **state)
{
    oras_log log = {ORAS_LOG_DEBUG, NULL, NULL};

    (void)state;
    oras_log_write(NULL, ORAS_LOG_ERROR, "x");
    oras_log_write(&log, ORAS_LOG_ERROR, "x");
    assert_false(oras_log_wants(NULL, ORAS_LOG_ERROR));
}

static void test_a_line_is_redacted_and_has_no_control_characters(void **state)
{
    heard h = {0};
    oras_log log = {ORAS_LOG_DEBUG, listen, &h};

    (void)state;
    oras_log_write(&log, ORAS_LOG_INFO, "a\nb\x1b[31m https://u:p@h/");
    assert_string_equal(h.line, "a?b?[31m https://***@h/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_in_text_are_masked),
        cmocka_unit_test(test_lines_above_the_level_are_dropped),
        cmocka_unit_test(test_nobody_needs_to_listen),
        cmocka_unit_test(test_a_line_is_redacted_and_has_no_control_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
