/* SPDX-License-Identifier: MIT
 * cmocka with the headers it wants first. */
#ifndef ORAS_TESTS_CMOCKA_C11_H
#define ORAS_TESTS_CMOCKA_C11_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** The call, which fills `err`, failed with this class, and the message is one line that is not
 * empty. */
#define assert_class(call, class)                                                                  \
    do {                                                                                           \
        assert_int_not_equal((call), ORAS_OK);                                                     \
        assert_string_equal(err.class_name, oras_class_name(class));                               \
        assert_int_equal(err.code, oras_class_code(class));                                        \
        assert_true(err.message[0] != '\0' && !strchr(err.message, '\n'));                         \
    } while (0)

#endif
