/* SPDX-License-Identifier: MIT
 * Archives made by real programs (tests/support/make_archives.py), and a real artifact where
 * ORAS_TEST_DATA has one. */
#include "archive_help.h"

#include "base/alloc.h"
#include "io/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_LINES 64

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The order of entries is the program's own. */
static void sort_lines(const char *text, oras_buf *out)
{
    char *copy = oras_strdup(text), *lines[MAX_LINES], *place = NULL;
    size_t n = 0;

    assert_non_null(copy);
    for (char *line = strtok_r(copy, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
        assert_true(n < MAX_LINES);
        lines[n++] = line;
    }
    qsort(lines, n, sizeof lines[0], by_text);
    for (size_t i = 0; i < n; i++)
        oras_buf_printf(out, "%s\n", lines[i]);
    oras_dealloc(copy);
}

static void expect_lines(const char *path, const char *lines, const list_options *options)
{
    oras_buf sorted = ORAS_BUF_INIT(1 << 20);
    listing list;

    list_file(path, options, &list);
    if (list.failed)
        fail_msg("%s: %s: %s", path, list.err.class_name, list.err.message);
    sort_lines(oras_buf_text(&list.text), &sorted);
    if (strcmp(oras_buf_text(&sorted), lines) != 0)
        fail_msg("%s gives\n%sexpected\n%s", path, oras_buf_text(&sorted), lines);
    listing_dispose(&list);
    oras_buf_dispose(&sorted);
}

static void check_archive(const char *path)
{
    static const size_t chunks[] = {0, 97, 65536};
    oras_buf lines = ORAS_BUF_INIT(1 << 20);
    char name[4096];
    list_options options = {.digests = true};

    snprintf(name, sizeof name, "%s.txt", path);
    assert_int_equal(oras_file_read(name, 1 << 20, &lines, NULL), ORAS_OK);
    options.without_times = strstr(path, ".zip") != NULL;
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        options.chunk = chunks[i];
        expect_lines(path, oras_buf_text(&lines), &options);
    }
    for (options.seed = 1; options.seed <= 2; options.seed++) {
        options.chunk = 5000;
        expect_lines(path, oras_buf_text(&lines), &options);
    }
    oras_buf_dispose(&lines);
}

static void test_what_programs_make(void **state)
{
    const char *place = getenv("ORAS_ARCHIVES");
    DIR *dir = place ? opendir(place) : NULL;
    const struct dirent *entry;
    int n = 0;

    (void)state;
    if (!dir) {
        print_message("skipped: ORAS_ARCHIVES names no directory made by make_archives.py\n");
        skip();
    }
    while ((entry = readdir(dir)) != NULL) {
        char path[4096];

        snprintf(path, sizeof path, "%s/%s.txt", place, entry->d_name);
        if (access(path, R_OK) != 0)
            continue;
        path[strlen(path) - 4] = '\0';
        print_message("%s\n", entry->d_name);
        check_archive(path);
        n++;
    }
    closedir(dir);
    assert_true(n >= 12); /* what Python alone makes */
}

static void list_blob(const char *name, oras_packing packing, const char *member)
{
    const char *place = getenv("ORAS_TEST_DATA");
    list_options options = {.packing = packing, .digests = true, .chunk = 4096};
    char path[4096];
    listing list;

    snprintf(path, sizeof path, "%s/conda/blobs/sha256/%s", place ? place : "", name);
    if (!place || access(path, R_OK) != 0) {
        print_message("skipped: ORAS_TEST_DATA has no conda artifact\n");
        skip();
    }
    list_file(path, &options, &list);
    if (list.failed)
        fail_msg("%s: %s", list.err.class_name, list.err.message);
    assert_non_null(strstr(list.text.data, member));
    listing_dispose(&list);
}

static void test_conda_info(void **state)
{
    (void)state;
    list_blob("3eda4169e5b4d071a2cade23e95fde67b35321be023d33bf48362cea9e92177e", ORAS_PACKING_GZIP,
              " test/run_test.py ");
}

static void test_conda_package(void **state)
{
    (void)state;
    list_blob("181ec44eb7b06ebb833eae845bcc466ad96474be1f33ee55cab7ac1b0fdbbfa3", ORAS_PACKING_ZIP,
              " pkg-mock-2.0.0-py37_1000.tar.zst ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_programs_make),
        cmocka_unit_test(test_conda_info),
        cmocka_unit_test(test_conda_package),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
