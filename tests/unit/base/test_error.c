/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "cmocka_c11.h"

#include <errno.h>
#include <string.h>

static void test_every_class_has_a_name_and_a_code(void **state)
{
    (void)state;
    for (int i = 0; i <= ORAS_C_BLOCK; i++) {
        oras_class found;

        assert_true(oras_class_find(oras_class_name((oras_class)i), &found));
        assert_int_equal(found, i);
        assert_int_not_equal(oras_class_code((oras_class)i), ORAS_OK);
    }
}

static void test_class_codes_are_those_of_the_public_header(void **state)
{
    (void)state;
    assert_int_equal(oras_class_code(ORAS_C_USAGE), ORAS_EINVALID);
    assert_int_equal(oras_class_code(ORAS_C_DENIED), ORAS_EAUTH);
    assert_int_equal(oras_class_code(ORAS_C_NOT_FOUND), ORAS_ENOTFOUND);
    assert_int_equal(oras_class_code(ORAS_C_REDIRECT), ORAS_EHTTP);
    assert_int_equal(oras_class_code(ORAS_C_TLS), ORAS_ENETWORK);
    assert_int_equal(oras_class_code(ORAS_C_INTEGRITY), ORAS_EDIGEST);
    assert_int_equal(oras_class_code(ORAS_C_IO), ORAS_EIO);
    assert_int_equal(oras_class_code(ORAS_C_MEMORY), ORAS_ENOMEM);
    assert_int_equal(oras_class_code(ORAS_C_SANDBOX), ORAS_ESCRIPT);
    assert_int_equal(oras_class_code(ORAS_C_CANCELLED), ORAS_ECANCELED);
    assert_int_equal(oras_class_code(ORAS_C_BLOCK), ORAS_EBLOCK);
}

static void test_unknown_class_is_not_found(void **state)
{
    oras_class found = ORAS_C_IO;

    (void)state;
    assert_false(oras_class_find("", &found));
    assert_false(oras_class_find("usag", &found));
    assert_int_equal(found, ORAS_C_IO);
}

static void test_a_message_is_one_line(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(oras_fail(&err, ORAS_C_PATH, "bad name '%s'", "a\nb\x1b\x7f"), ORAS_EINVALID);
    assert_string_equal(err.message, "bad name 'a?b?"
                                     "?'");
    assert_string_equal(err.class_name, "path");
}

static void test_a_long_message_is_cut(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    char text[2000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    oras_fail(&err, ORAS_C_IO, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    oras_error_wrap(&err, err.code, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    oras_fail_errno(&err, ENOENT, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void test_failing_forgets_what_was_there_before(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    err.http_status = 404;
    memcpy(err.oci_code, "X", 2);
    oras_fail(&err, ORAS_C_USAGE, "new");
    assert_int_equal(err.http_status, 0);
    assert_string_equal(err.oci_code, "");
}

static void test_errno_has_its_words_and_number(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(oras_fail_errno(&err, ENOSPC, "write '%s'", "f"), ORAS_EIO);
    assert_string_equal(err.message, "write 'f': No space left on device");
    assert_int_equal(err.native, ENOSPC);
    oras_fail_errno(&err, 99999, "odd");
    assert_string_equal(err.message, "odd: error 99999");
}

static void test_a_wrap_keeps_class_and_cause(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    oras_fail_errno(&err, EACCES, "open 'f'");
    assert_int_equal(oras_error_wrap(&err, ORAS_EINVALID, "pull %s", "x\ny"), ORAS_EIO);
    assert_string_equal(err.message, "pull x?y: open 'f': Permission denied");
    assert_string_equal(err.class_name, "io");
    assert_int_equal(err.native, EACCES);
}

static void test_nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_int_equal(oras_fail(NULL, ORAS_C_RATE, "x"), ORAS_EHTTP);
    assert_int_equal(oras_fail_errno(NULL, EIO, "x"), ORAS_EIO);
    assert_int_equal(oras_fail_memory(NULL), ORAS_ENOMEM);
    assert_int_equal(oras_error_wrap(NULL, ORAS_EIO, "x"), ORAS_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_class_has_a_name_and_a_code),
        cmocka_unit_test(test_class_codes_are_those_of_the_public_header),
        cmocka_unit_test(test_unknown_class_is_not_found),
        cmocka_unit_test(test_a_message_is_one_line),
        cmocka_unit_test(test_a_long_message_is_cut),
        cmocka_unit_test(test_failing_forgets_what_was_there_before),
        cmocka_unit_test(test_errno_has_its_words_and_number),
        cmocka_unit_test(test_a_wrap_keeps_class_and_cause),
        cmocka_unit_test(test_nobody_needs_to_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
