/* SPDX-License-Identifier: MIT */
#include "oci/base64.h"

#include "cmocka_c11.h"

#include <string.h>

/* RFC 4648, 10, and the two last characters of the alphabet. */
static const struct {
    const char *bytes, *text;
} pairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

static void test_known_pairs_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        oras_buf out = ORAS_BUF_INIT(100);

        assert_true(oras_base64_encode(pairs[i].bytes, strlen(pairs[i].bytes), &out));
        assert_string_equal(oras_buf_text(&out), pairs[i].text);
        oras_buf_clear(&out);
        assert_int_equal(oras_base64_decode(pairs[i].text, strlen(pairs[i].text), &out, NULL),
                         ORAS_OK);
        assert_string_equal(oras_buf_text(&out), pairs[i].bytes);
        oras_buf_dispose(&out);
    }
}

static void test_every_length_comes_back(void **state)
{
    unsigned char bytes[300];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7);
    for (size_t size = 0; size < sizeof bytes; size++) {
        oras_buf text = ORAS_BUF_INIT(1000), back = ORAS_BUF_INIT(1000);

        oras_base64_encode(bytes, size, &text);
        assert_int_equal(oras_base64_decode(oras_buf_text(&text), text.size, &back, NULL), ORAS_OK);
        assert_int_equal(back.size, size);
        assert_memory_equal(oras_buf_text(&back), bytes, size);
        oras_buf_dispose(&text);
        oras_buf_dispose(&back);
    }
}

static const char *const malformed[] = {
    "Z",    "Zg",    "Zg=",  "Zm9",  "====",     "Z===", "=Zg=",  "Zg==Zg==", "Zh==",  "Zm9=",
    "Zm8 ", "Zm\n8", "Zm9-", "Zm9_", "Zm9v\xc3", "Zg=a", "Zm9vZ", "Zm9v====", " Zg==", "Zg==\r\n",
};

static void test_C14_malformed_text_is_refused_and_adds_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        oras_buf out = ORAS_BUF_INIT(100);
        oras_error err = ORAS_ERROR_INIT;

        oras_buf_puts(&out, "kept");
        assert_class(oras_base64_decode(malformed[i], strlen(malformed[i]), &out, &err),
                     ORAS_C_CONTENT);
        assert_string_equal(oras_buf_text(&out), "kept");
        oras_buf_dispose(&out);
    }
}

static void test_a_message_does_not_repeat_the_text(void **state)
{
    oras_buf out = ORAS_BUF_INIT(100);
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_class(oras_base64_decode("aHVudGVyMg==aHVudGVyMg==", 24, &out, &err), ORAS_C_CONTENT);
    assert_null(strstr(err.message, "aHVudGVy"));
    oras_buf_dispose(&out);
}

static void test_the_buffers_limit_holds(void **state)
{
    oras_buf out = ORAS_BUF_INIT(3);
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_false(oras_base64_encode("x", 1, &out));
    oras_buf_clear(&out);
    assert_class(oras_base64_decode("Zm9vYg==", 8, &out, &err), ORAS_C_LIMIT);
    oras_buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_pairs_both_ways),
        cmocka_unit_test(test_every_length_comes_back),
        cmocka_unit_test(test_C14_malformed_text_is_refused_and_adds_nothing),
        cmocka_unit_test(test_a_message_does_not_repeat_the_text),
        cmocka_unit_test(test_the_buffers_limit_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
