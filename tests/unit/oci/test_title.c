/* SPDX-License-Identifier: MIT */
#include "cmocka_c11.h"
#include "oci/title.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect_title(const char *title, bool any_system, const char *clean)
{
    oras_buf out = ORAS_BUF_INIT(ORAS_TITLE_MAX);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_title_clean(title, strlen(title), any_system, &out, &err))
        fail_msg("%s", err.message);
    assert_string_equal(oras_buf_text(&out), clean);
    oras_buf_dispose(&out);
}

static void expect_refused(const char *title, size_t size, bool any_system, const char *why)
{
    oras_buf out = ORAS_BUF_INIT(ORAS_TITLE_MAX);
    oras_error err = ORAS_ERROR_INIT;

    assert_int_not_equal(oras_title_clean(title, size, any_system, &out, &err), ORAS_OK);
    assert_string_equal(err.class_name, "path");
    if (!strstr(err.message, why))
        fail_msg("'%s' does not say '%s'", err.message, why);
    for (const char *at = err.message; *at; at++)
        assert_true(*at >= ' ' && *at < 0x7f);
    assert_int_equal(out.size, 0);
    oras_buf_dispose(&out);
}

static void test_good_titles(void **state)
{
    (void)state;
    expect_title("a", false, "a");
    expect_title("a/b.txt", false, "a/b.txt");
    expect_title("./a/./b", false, "a/b");
    expect_title(".hidden/..a/...", true, ".hidden/..a/...");
    expect_title("h\xc3\xa9llo w\xc3\xb6rld", false, "h\xc3\xa9llo w\xc3\xb6rld");
    expect_title("nulls/contact/com/com10/lpt/.nul", false, "nulls/contact/com/com10/lpt/.nul");
}

static void test_C17_where_it_leads(void **state)
{
    static const char *const dots[] = {"..", "../a", "a/../../b", "a/..", "a/../b", "./.."};
    static const char *const slashes[] = {"a//b", "./a//", ".//"};

    (void)state;
    for (size_t i = 0; i < sizeof dots / sizeof dots[0]; i++)
        expect_refused(dots[i], strlen(dots[i]), true, "'..'");
    for (size_t i = 0; i < sizeof slashes / sizeof slashes[0]; i++)
        expect_refused(slashes[i], strlen(slashes[i]), true,
                       "' has two slashes in a row, expected");
    expect_refused("", 0, true, "title '' is empty, expected a relative path");
    expect_refused(".", 1, true, "title '.' names the directory itself, expected");
    expect_refused("././.", 5, true, "' names the directory itself");
    expect_refused("./", 2, true, "title './' ends with a slash, expected");
    expect_refused("a/", 2, true, "title 'a/' ends with a slash, expected");
    expect_refused("/etc/passwd", 11, true, "' is an absolute path, expected");
    expect_refused("//", 2, true, "' is an absolute path");
}

static void test_C19_bytes(void **state)
{
    static const char *const controls[] = {"a\nb",  "a\x1b[2J",  "\ta",
                                           "a\x7f", "a\xc2\x85", "a\xc2\x9b"};
    static const char *const broken[] = {"a\xff", "\xc3", "a\xed\xa0\x80", "\xc0\xaf"};
    char text[6000];

    (void)state;
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
        expect_refused(controls[i], strlen(controls[i]), true, "control characters");
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        expect_refused(broken[i], strlen(broken[i]), true, "no UTF-8");
    expect_refused("a\0b", 3, true, "control characters");
    memset(text, 'x', sizeof text);
    expect_refused(text, 256, true, "more than 255 bytes");
    expect_refused(text, 5000, true, "more than 4096 bytes");
    for (size_t i = 1; i < sizeof text; i += 2)
        text[i] = '/';
    expect_refused(text, 129, true, "more than 64 components");
    text[127] = '\0';
    expect_title(text, false, text);
}

static void test_C20_gcr_2330_names_of_windows(void **state)
{
    static const struct {
        const char *title, *why;
    } list[] = {
        {"C:x", "a colon"},         {"c:/x", "a colon"},           {"x:stream", "a colon"},
        {"a\\b", "a backslash"},    {"..\\x", "a backslash"},      {"NUL", "a device"},
        {"nul.txt", "a device"},    {"a/con", "a device"},         {"AUX .x", "a device"},
        {"COM1", "a device"},       {"lpt9.tar.gz", "a device"},   {"a.", "a dot or space"},
        {"a /b", "a dot or space"}, {"a/.../b", "a dot or space"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        expect_refused(list[i].title, strlen(list[i].title), false, list[i].why);
        expect_title(list[i].title, true, list[i].title);
    }
}

static void test_names_of_temporaries(void **state)
{
    (void)state;
    expect_refused(".oras-partial-own-1", 19, true, "a temporary file");
    expect_refused("a/.oras-PARTIAL-sha256-x/b", 26, true, "a temporary file");
    expect_title(".oras-partially", true, ".oras-partially");
}

static void expect_relative(const char *path, const char *directory, const char *wanted)
{
    oras_buf out = ORAS_BUF_INIT(1000);
    bool inside = oras_path_relative("/home/me", path, directory, &out);

    assert_int_equal(inside, wanted != NULL);
    assert_int_equal(out.state, ORAS_BUF_OK);
    if (wanted)
        assert_string_equal(oras_buf_text(&out), wanted);
    oras_buf_dispose(&out);
}

static void test_relative_paths(void **state)
{
    (void)state;
    expect_relative("a/b", ".", "a/b");
    expect_relative("./a//b/../c/", ".", "a/c");
    expect_relative("/home/me/a", "", "a");
    expect_relative("/home/me", ".", ".");
    expect_relative("a", "/home", "me/a");
    expect_relative("a", "/", "home/me/a");
    expect_relative("/", "/", ".");
    expect_relative("../../..", "/", ".");
    expect_relative("..", ".", NULL);
    expect_relative("/home/mean", ".", NULL);
    expect_relative("/home/m", ".", NULL);
    expect_relative("../me/a", ".", "a");
    expect_relative("x", "x", ".");
}

static void test_relative_path_too_long(void **state)
{
    oras_buf out = ORAS_BUF_INIT(10);

    (void)state;
    assert_false(oras_path_relative("/", "a/very/long/path", "/", &out));
    assert_int_equal(oras_buf_check(&out, "path", NULL), oras_class_code(ORAS_C_LIMIT));
    oras_buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_titles),
        cmocka_unit_test(test_C17_where_it_leads),
        cmocka_unit_test(test_C19_bytes),
        cmocka_unit_test(test_C20_gcr_2330_names_of_windows),
        cmocka_unit_test(test_names_of_temporaries),
        cmocka_unit_test(test_relative_paths),
        cmocka_unit_test(test_relative_path_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
