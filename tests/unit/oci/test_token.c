/* SPDX-License-Identifier: MIT */
#include "oci/token.h"

#include "cmocka_c11.h"

#include <string.h>

#define ORIGIN "https://registry.example:443"

static const struct {
    const char *answer, *value;
    int64_t expires_in;
    const char *scope;
} answers[] = {
    {"{\"token\":\"abc\"}", "Bearer abc", 60, ""},
    {"{\"access_token\":\"abc\",\"expires_in\":300}", "Bearer abc", 300, ""},
    {"{\"token\":\"abc\",\"access_token\":\"abc\",\"scope\":\"a b\"}", "Bearer abc", 60, "a b"},
    {"{\"token\":\"\",\"access_token\":\"abc\"}", "Bearer abc", 60, ""},
    {"{\"token\":null,\"access_token\":\"abc\"}", "Bearer abc", 60, ""},
    {"{\"token\":\"a.b-c_d~e+f/g=\"}", "Bearer a.b-c_d~e+f/g=", 60, ""},
    {"{\"token\":\"abc\",\"expires_in\":0}", "Bearer abc", 60, ""},
    {"{\"token\":\"abc\",\"expires_in\":-1}", "Bearer abc", 60, ""},
    {"{\"token\":\"abc\",\"expires_in\":null}", "Bearer abc", 60, ""},
    {"{\"token\":\"abc\",\"expires_in\":\"300\"}", "Bearer abc", 60, ""},
    {"{\"token\":\"abc\",\"expires_in\":300.9}", "Bearer abc", 300, ""},
    {"{\"token\":\"abc\",\"expires_in\":1e300}", "Bearer abc", ORAS_TOKEN_LIFE_MAX, ""},
    {"{\"token\":\"abc\",\"expires_in\":9223372036854775807}", "Bearer abc", ORAS_TOKEN_LIFE_MAX,
     ""},
    {"{\"token\":\"abc\",\"issued_at\":\"2999-01-01T00:00:00Z\"}", "Bearer abc", 60, ""},
    {"{\"token\":\"abc\",\"scope\":[\"a\"]}", "Bearer abc", 60, ""},
};

static void test_N31_answers_with_a_token(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        oras_buf scope = ORAS_BUF_INIT(100), refresh = ORAS_BUF_INIT(100);
        oras_token_info info = {.scope = &scope, .refresh_token = &refresh};
        oras_secret *secret;
        const char *text = answers[i].answer;

        assert_int_equal(oras_token_parse(text, strlen(text), ORIGIN, &secret, &info, NULL),
                         ORAS_OK);
        assert_string_equal(oras_secret_reveal(secret), answers[i].value);
        assert_string_equal(oras_secret_origin(secret), ORIGIN);
        assert_true(info.expires_in == answers[i].expires_in);
        assert_string_equal(oras_buf_text(&scope), answers[i].scope);
        oras_secret_unref(secret);
        oras_buf_dispose(&scope);
        oras_buf_dispose(&refresh);
    }
}

static const struct {
    const char *answer;
    oras_class class;
} refusals[] = {
    {"", ORAS_C_CONTENT},
    {"<html>", ORAS_C_CONTENT},
    {"{\"token\":\"hunter2\"", ORAS_C_CONTENT},
    {"{\"token\":\"hunter2\",\"expires_in\":1e999}", ORAS_C_CONTENT},
    {"{\"token\":\"hunter2\\u0000\"}", ORAS_C_CONTENT},
    {"{\"token\":\"hunter2\",\"token\":\"x\"}", ORAS_C_CONTENT},
    {"{}", ORAS_C_AUTH},
    {"[]", ORAS_C_AUTH},
    {"null", ORAS_C_AUTH},
    {"\"hunter2\"", ORAS_C_AUTH},
    {"{\"token\":\"\"}", ORAS_C_AUTH},
    {"{\"token\":7}", ORAS_C_AUTH},
    {"{\"token\":{\"token\":\"x\"}}", ORAS_C_AUTH},
    {"{\"token\":\"hunter2\\r\\nX-Evil: 1\"}", ORAS_C_AUTH},
    {"{\"token\":\"hunter2\\n\"}", ORAS_C_AUTH},
    {"{\"token\":\"hunter2 x\"}", ORAS_C_AUTH},
    {"{\"token\":\"hunter2\\u00e9\"}", ORAS_C_AUTH},
    {"{\"token\":\"hunter2\\u007f\"}", ORAS_C_AUTH},
};

static void test_N31_answers_without_a_usable_token(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        oras_buf scope = ORAS_BUF_INIT(100), refresh = ORAS_BUF_INIT(100);
        oras_token_info info = {.scope = &scope, .refresh_token = &refresh};
        oras_secret *secret = NULL;
        oras_error err = ORAS_ERROR_INIT;
        const char *text = refusals[i].answer;

        assert_class(oras_token_parse(text, strlen(text), ORIGIN, &secret, &info, &err),
                     refusals[i].class);
        assert_null(secret);
        assert_null(strstr(err.message, "hunter2"));
        oras_buf_dispose(&scope);
        oras_buf_dispose(&refresh);
    }
}

static const struct {
    const char *answer, *refresh;
} rotations[] = {
    {"{\"token\":\"abc\",\"refresh_token\":\"a b+c\"}", "a b+c"},
    {"{\"token\":\"abc\",\"refresh_token\":\"\"}", ""},
    {"{\"token\":\"abc\",\"refresh_token\":null}", ""},
    {"{\"token\":\"abc\",\"refresh_token\":[\"x\"]}", ""},
    {"{\"token\":\"abc\",\"refresh_token\":\"a\\r\\nb\"}", ""},
};

static void test_a_refresh_token_comes_with_a_token(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rotations / sizeof rotations[0]; i++) {
        oras_buf scope = ORAS_BUF_INIT(100), refresh = ORAS_BUF_INIT(100);
        oras_token_info info = {.scope = &scope, .refresh_token = &refresh};
        oras_secret *secret;
        const char *text = rotations[i].answer;

        assert_int_equal(oras_token_parse(text, strlen(text), ORIGIN, &secret, &info, NULL),
                         ORAS_OK);
        assert_string_equal(oras_buf_text(&refresh), rotations[i].refresh);
        oras_secret_unref(secret);
        oras_buf_dispose(&scope);
        oras_buf_dispose(&refresh);
    }
}

static void test_aws_keys_sign_and_are_not_sent(void **state)
{
    const oras_signing keys = {.key_id = "AKID", .key = "hunter2/+", .session_token = "session=="};
    const oras_signing *signing;
    oras_secret *secret;

    (void)state;
    assert_int_equal(oras_aws_new(ORIGIN, &keys, "us-east-1", "ecr-public", &secret, NULL),
                     ORAS_OK);
    signing = oras_secret_signing(secret);
    assert_non_null(signing);
    assert_string_equal(signing->scope, "aws:amz:us-east-1:ecr-public");
    assert_string_equal(signing->key_id, "AKID");
    assert_string_equal(signing->key, "hunter2/+");
    assert_string_equal(signing->session_token, "session==");
    assert_string_equal(oras_secret_reveal(secret), "hunter2/+");
    oras_secret_unref(secret);
    assert_int_equal(oras_bearer_new(ORIGIN, "abc", 3, &secret, NULL), ORAS_OK);
    assert_null(oras_secret_signing(secret));
    oras_secret_unref(secret);
}

static void test_aws_keys_that_cannot_sign(void **state)
{
    static const struct {
        oras_signing keys;
        const char *region, *service;
    } bad[] = {
        {{.key_id = "AKID", .key = "hunter2"}, "us-east-1:s3", "ecr"},
        {{.key_id = "AKID", .key = "hunter2"}, "", "ecr"},
        {{.key_id = "AKID", .key = "hunter2"}, "US", "ecr"},
        {{.key_id = "AKID", .key = "hunter2"}, "us-east-1", "e:r"},
        {{.key_id = "", .key = "hunter2"}, "us-east-1", "ecr"},
        {{.key_id = "AK\nID", .key = "hunter2"}, "us-east-1", "ecr"},
        {{.key_id = "AKID", .key = ""}, "us-east-1", "ecr"},
        {{.key_id = "AKID", .key = "hunter2 "}, "us-east-1", "ecr"},
        {{.key_id = "AKID", .key = "hunter2", .session_token = "a\r\nb"}, "us-east-1", "ecr"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        oras_secret *secret = NULL;
        oras_error err = ORAS_ERROR_INIT;

        assert_class(
            oras_aws_new(ORIGIN, &bad[i].keys, bad[i].region, bad[i].service, &secret, &err),
            ORAS_C_USAGE);
        assert_null(secret);
        assert_null(strstr(err.message, "hunter2"));
    }
}

static void test_basic_is_base64_of_the_pair(void **state)
{
    oras_secret *secret;

    (void)state;
    /* RFC 7617, 2 */
    assert_int_equal(oras_basic_new(ORIGIN, "Aladdin", 7, "open sesame", 11, &secret, NULL),
                     ORAS_OK);
    assert_string_equal(oras_secret_reveal(secret), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    oras_secret_unref(secret);
    assert_int_equal(oras_basic_new(ORIGIN, "test", 4, "123\xc2\xa3", 5, &secret, NULL), ORAS_OK);
    assert_string_equal(oras_secret_reveal(secret), "Basic dGVzdDoxMjPCow==");
    oras_secret_unref(secret);
    assert_int_equal(oras_basic_new(ORIGIN, "", 0, "a:b", 3, &secret, NULL), ORAS_OK);
    assert_string_equal(oras_secret_reveal(secret), "Basic OmE6Yg==");
    oras_secret_unref(secret);
}

static void test_credentials_that_cannot_be_sent(void **state)
{
    oras_secret *secret = NULL;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_class(oras_basic_new(ORIGIN, "a:b", 3, "hunter2", 7, &secret, &err), ORAS_C_USAGE);
    assert_null(strstr(err.message, "hunter2"));
    assert_class(oras_basic_new(ORIGIN, "a\nb", 3, "x", 1, &secret, &err), ORAS_C_USAGE);
    assert_class(oras_basic_new(ORIGIN, "a", 1, "hunter2\0x", 9, &secret, &err), ORAS_C_USAGE);
    assert_class(oras_bearer_new(ORIGIN, "", 0, &secret, &err), ORAS_C_USAGE);
    assert_class(oras_bearer_new(ORIGIN, "hunter2\r\n", 9, &secret, &err), ORAS_C_USAGE);
    assert_null(strstr(err.message, "hunter2"));
    assert_class(oras_bearer_new(ORIGIN, "a\0b", 3, &secret, &err), ORAS_C_USAGE);
    assert_null(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_N31_answers_with_a_token),
        cmocka_unit_test(test_N31_answers_without_a_usable_token),
        cmocka_unit_test(test_a_refresh_token_comes_with_a_token),
        cmocka_unit_test(test_aws_keys_sign_and_are_not_sent),
        cmocka_unit_test(test_aws_keys_that_cannot_sign),
        cmocka_unit_test(test_basic_is_base64_of_the_pair),
        cmocka_unit_test(test_credentials_that_cannot_be_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
