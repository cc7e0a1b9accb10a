/* SPDX-License-Identifier: MIT
 * Every allocation of this room fails in turn: a memory error, no leak, nothing half done. */
#include "oci/base64.h"
#include "oci/digest.h"
#include "oci/fields.h"
#include "oci/json.h"
#include "oci/reference.h"
#include "oci/token.h"

#include "cmocka_c11.h"
#include "failing_alloc.h"

static failing_alloc counter = {-1, false, 0, NULL, false};
static const oras_allocator ours = {failing_resize, &counter};

static oras_code do_hasher(oras_error *err)
{
    oras_hasher *hasher;
    oras_code code = oras_hasher_new(ORAS_SHA256, &hasher, err);

    if (!code)
        oras_hasher_free(hasher);
    return code;
}

static oras_code do_base64(oras_error *err)
{
    oras_buf out = ORAS_BUF_INIT(1000);
    oras_code code = oras_base64_decode("Zm9v", 4, &out, err);

    oras_buf_dispose(&out);
    return code;
}

static oras_code do_url(oras_error *err)
{
    oras_reference reference;
    oras_buf out = ORAS_BUF_INIT(1000);
    oras_code code = oras_reference_parse("ghcr.io/a", 9, NULL, &reference, err);

    if (!code)
        code = oras_reference_url(&reference, ORAS_ENDPOINT_MANIFEST, NULL, &out, err);
    oras_buf_dispose(&out);
    return code;
}

static oras_code do_link(oras_error *err)
{
    oras_buf out = ORAS_BUF_INIT(1000);
    oras_code code;

    oras_link_find("<a>; rel=next", "next", &out);
    code = oras_buf_check(&out, "link", err);
    oras_buf_dispose(&out);
    return code;
}

static oras_code do_basic(oras_error *err)
{
    oras_secret *secret;
    oras_code code = oras_basic_new("https://h:443", "u", 1, "hunter2", 7, &secret, err);

    if (!code)
        oras_secret_unref(secret);
    return code;
}

static oras_code do_aws(oras_error *err)
{
    const oras_signing keys = {.key_id = "AKID", .key = "hunter2"};
    oras_secret *secret;
    oras_code code = oras_aws_new("https://h:443", &keys, "us-east-1", "ecr", &secret, err);

    if (!code)
        oras_secret_unref(secret);
    return code;
}

static oras_code do_token(oras_error *err)
{
    static const char answer[] = "{\"token\":\"hunter2\",\"refresh_token\":\"again\"}";
    oras_secret *secret;
    oras_buf scope = ORAS_BUF_INIT(100), refresh = ORAS_BUF_INIT(100);
    oras_token_info info = {.scope = &scope, .refresh_token = &refresh};
    oras_code code =
        oras_token_parse(answer, sizeof answer - 1, "https://h:443", &secret, &info, err);

    if (!code)
        oras_secret_unref(secret);
    oras_buf_dispose(&refresh);
    oras_buf_dispose(&scope);
    return code;
}

/* jansson's memory, too: what it says of the document then is not so */
static oras_code do_json(oras_error *err)
{
    static const char text[] = "{\"a\":[1,-2.5,\"text\",{\"b\":null,\"c\":[true]}],\"d\":{}}";
    json_t *value;
    oras_code code = oras_json_decode(text, sizeof text - 1, 0, &value, err);

    if (!code)
        json_decref(value);
    return code;
}

static void fail_each(oras_code (*action)(oras_error *err), long n_allocations)
{
    for (long n = 0;; n++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_code code;

        counter.n_before_failure = n;
        code = action(&err);
        counter.n_before_failure = -1;
        assert_int_equal(counter.n_alive, 0);
        if (!code) {
            assert_true(n >= n_allocations);
            return;
        }
        assert_int_equal(code, ORAS_ENOMEM);
        assert_string_equal(err.class_name, "memory");
    }
}

static void test_L22_every_failing_allocation(void **state)
{
    (void)state;
    fail_each(do_hasher, 1);
    fail_each(do_base64, 1);
    fail_each(do_url, 1);
    fail_each(do_link, 1);
    fail_each(do_basic, 4);
    fail_each(do_token, 3);
    fail_each(do_aws, 2);
    fail_each(do_json, 12);
}

static void test_secrets_leave_nothing_in_freed_memory(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    counter.canary_seen = false;
    counter.canary = "hunter2";
    assert_int_equal(do_token(&err), ORAS_OK);
    assert_int_equal(do_basic(&err), ORAS_OK);
    counter.canary = "dTpodW50ZXIy"; /* base64 of "u:hunter2" */
    assert_int_equal(do_basic(&err), ORAS_OK);
    assert_false(counter.canary_seen);
    counter.canary = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L22_every_failing_allocation),
        cmocka_unit_test(test_secrets_leave_nothing_in_freed_memory),
    };

    oras_alloc_set(&ours);
    oras_json_use_allocator();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
