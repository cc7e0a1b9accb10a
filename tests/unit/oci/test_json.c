/* SPDX-License-Identifier: MIT */
#include "oci/json.h"

#include "cmocka_c11.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void refuse(const char *text, size_t size, oras_class class)
{
    json_t *value = NULL;
    oras_error err = ORAS_ERROR_INIT;

    if (!oras_json_decode(text, size, 0, &value, &err))
        fail_msg("'%.40s' was taken", text);
    assert_class(err.code, class);
    assert_null(value);
}

static json_t *take(const char *text)
{
    json_t *value = NULL;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_json_decode(text, strlen(text), 0, &value, &err))
        fail_msg("'%.40s': %s", text, err.message);
    return value;
}

static void test_documents_of_every_type(void **state)
{
    static const char *const documents[] = {
        "{}",
        "[]",
        "null",
        "true",
        "0",
        "-0",
        "1.5",
        "1e5",
        "\"\"",
        " [ 1 , 2 ] \n",
        "{\"\":1}",
        "[\"\\ud83d\\ude00\"]",
        "[\"\\u00e9\xc3\xa9\"]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        json_decref(take(documents[i]));
}

static void test_C08_whole_numbers_are_exact(void **state)
{
    static const struct {
        const char *text;
        json_int_t value;
    } numbers[] = {
        {"9007199254740993", INT64_C(9007199254740993)}, /* 2^53 + 1 */
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"-1", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_t *value = take(numbers[i].text);

        assert_true(json_is_integer(value) && json_integer_value(value) == numbers[i].value);
        json_decref(value);
    }
}

static void test_C08_numbers_that_are_none(void **state)
{
    static const char *const numbers[] = {
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "9223372036854775808",
        "-9223372036854775809",
        "0x10",
        "007",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "-",
        "1_000",
        "\xd9\xa1",
        "1e+",
        "--1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        refuse(numbers[i], strlen(numbers[i]), ORAS_C_CONTENT);
}

static void test_C08_a_fraction_is_no_whole_number(void **state)
{
    json_t *value = take("[1.5, 2.0, \"12\"]");

    (void)state;
    assert_true(json_is_real(json_array_get(value, 0)));
    assert_true(json_is_real(json_array_get(value, 1)));
    assert_true(json_is_string(json_array_get(value, 2)));
    json_decref(value);
}

static void test_C07_duplicate_keys(void **state)
{
    static const char *const documents[] = {
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"x\":{\"a\":1,\"b\":2,\"a\":3}}",
        "{\"\":1,\"\":2}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        refuse(documents[i], strlen(documents[i]), ORAS_C_CONTENT);
}

static void test_C09_text_that_is_no_strict_json(void **state)
{
    static const char *const documents[] = {
        "",
        " ",
        "{",
        "[1",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1] x",
        "[1][2]",
        "{}//c",
        "/**/{}",
        "tru",
        "nulll",
        "\xef\xbb\xbf{}",
        "[\"\xff\"]",
        "[\"\xc0\xaf\"]",
        "[\"\xed\xa0\x80\"]",
        "[\"\\ud800\"]",
        "[\"\\udc00\\ud800\"]",
        "[\"\\u0000\"]",
        "{\"\\u0000\":1}",
        "[\"\\x41\"]",
        "[\"a\nb\"]",
        "[\"a\tb\"]",
        "[\"never closed]",
        "]",
        "}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        refuse(documents[i], strlen(documents[i]), ORAS_C_CONTENT);
}

static void test_C09_nul_bytes_and_utf16(void **state)
{
    (void)state;
    refuse("{}\0garbage", 10, ORAS_C_CONTENT);
    refuse("{}\0", 3, ORAS_C_CONTENT);
    refuse("\0{}", 3, ORAS_C_CONTENT);
    refuse("{\0}\0", 4, ORAS_C_CONTENT);
    refuse("\xff\xfe{\0}\0", 6, ORAS_C_CONTENT);
    refuse("[\"a\0b\"]", 7, ORAS_C_CONTENT);
}

static char *nested(size_t depth, const char *open, const char *middle, const char *close)
{
    size_t open_size = strlen(open), close_size = strlen(close);
    char *text = malloc(depth * (open_size + close_size) + strlen(middle) + 1), *at = text;

    for (size_t i = 0; i < depth; i++, at += open_size)
        memcpy(at, open, open_size);
    memcpy(at, middle, strlen(middle));
    at += strlen(middle);
    for (size_t i = 0; i < depth; i++, at += close_size)
        memcpy(at, close, close_size);
    *at = '\0';
    return text;
}

static void test_C06_depth_64_passes_and_65_does_not(void **state)
{
    static const struct {
        const char *open, *middle, *close;
    } shapes[] = {{"[", "", "]"}, {"{\"a\":", "1", "}"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *text = nested(64, shapes[i].open, shapes[i].middle, shapes[i].close);

        json_decref(take(text));
        free(text);
        text = nested(65, shapes[i].open, shapes[i].middle, shapes[i].close);
        refuse(text, strlen(text), ORAS_C_LIMIT);
        free(text);
    }
}

static void test_C06_a_million_brackets_need_no_stack(void **state)
{
    char *text = nested(1000000, "[", "", "]");

    (void)state;
    refuse(text, strlen(text), ORAS_C_LIMIT);
    refuse(text, 1000000, ORAS_C_LIMIT);
    free(text);
}

static void test_C06_brackets_in_strings_do_not_count(void **state)
{
    char *text = nested(100, "[{", "", "");
    char document[400];
    json_t *value;

    (void)state;
    memcpy(document, "[\"\\\"", 4);
    memcpy(document + 4, text, 200);
    memcpy(document + 204, "\"]", 3);
    value = take(document);
    assert_int_equal(json_string_length(json_array_get(value, 0)), 201);
    json_decref(value);
    free(text);
}

static void test_C06_a_caller_may_ask_for_more_but_not_for_any_depth(void **state)
{
    char *text = nested(200, "[", "", "]");
    json_t *value;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(oras_json_decode(text, 400, 200, &value, NULL), ORAS_OK);
    json_decref(value);
    free(text);
    text = nested(ORAS_JSON_DEPTH_MAX + 1, "[", "", "]");
    assert_class(oras_json_decode(text, strlen(text), 1000000, &value, &err), ORAS_C_LIMIT);
    free(text);
}

static void *decode_deep(void *ud)
{
    char *text = nested(ORAS_JSON_DEPTH_MAX, "{\"a\":[", "1", "]}");
    json_t *value = NULL;

    *(oras_code *)ud = oras_json_decode(text, strlen(text), ORAS_JSON_DEPTH_MAX, &value, NULL);
    free(text);
    text = nested(ORAS_JSON_DEPTH_MAX / 2, "{\"a\":[", "1", "]}");
    if (oras_json_decode(text, strlen(text), ORAS_JSON_DEPTH_MAX, &value, NULL))
        *(oras_code *)ud = ORAS_OK;
    json_decref(value);
    free(text);
    return NULL;
}

static void test_L23_a_stack_of_256_KiB_is_enough(void **state)
{
    oras_code code = ORAS_OK;
    pthread_attr_t attributes;
    pthread_t thread;

    (void)state;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)256 * 1024);
    assert_int_equal(pthread_create(&thread, &attributes, decode_deep, &code), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_int_equal(code, ORAS_EINVALID); /* the deeper one was refused, the other one taken */
}

static void test_a_message_does_not_quote_the_document(void **state)
{
    json_t *value;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_class(oras_json_decode("{\"token\":hunter2}", 17, 0, &value, &err), ORAS_C_CONTENT);
    assert_null(strstr(err.message, "hunter2"));
    assert_non_null(strstr(err.message, "line 1"));
}

static void test_order_of_keys_is_kept(void **state)
{
    json_t *value = take("{\"z\":1,\"a\":2,\"m\":3,\"b\":4}");
    const char *expected = "zamb";

    (void)state;
    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at))
        assert_int_equal(json_object_iter_key(at)[0], *expected++);
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_of_every_type),
        cmocka_unit_test(test_C08_whole_numbers_are_exact),
        cmocka_unit_test(test_C08_numbers_that_are_none),
        cmocka_unit_test(test_C08_a_fraction_is_no_whole_number),
        cmocka_unit_test(test_C07_duplicate_keys),
        cmocka_unit_test(test_C09_text_that_is_no_strict_json),
        cmocka_unit_test(test_C09_nul_bytes_and_utf16),
        cmocka_unit_test(test_C06_depth_64_passes_and_65_does_not),
        cmocka_unit_test(test_C06_a_million_brackets_need_no_stack),
        cmocka_unit_test(test_C06_brackets_in_strings_do_not_count),
        cmocka_unit_test(test_C06_a_caller_may_ask_for_more_but_not_for_any_depth),
        cmocka_unit_test(test_L23_a_stack_of_256_KiB_is_enough),
        cmocka_unit_test(test_a_message_does_not_quote_the_document),
        cmocka_unit_test(test_order_of_keys_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
