/* SPDX-License-Identifier: MIT
 * Files below a directory, by openat2 and by the walk that stands in for it. */
#include "cmocka_c11.h"
#include "io/file.h"
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char place[] = "/tmp/oras-root-XXXXXX";

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void bind_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(place));
    assert_int_equal(chdir(place), 0);
    assert_int_equal(mkdir("root", 0700), 0);
    assert_int_equal(mkdir("root/dir", 0700), 0);
    write_file("outside", "outside");
    write_file("root/file", "inside");
    write_file("root/dir/file", "deep");
    assert_int_equal(symlink("file", "root/link"), 0);
    assert_int_equal(symlink("../outside", "root/out"), 0);
    assert_int_equal(symlink("dir", "root/linkdir"), 0);
    assert_int_equal(symlink("..", "root/up"), 0);
    assert_int_equal(symlink("loop", "root/loop"), 0);
    assert_int_equal(symlink("root", "rootlink"), 0);
    assert_int_equal(mkfifo("root/fifo", 0600), 0);
    bind_socket("root/socket");
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", place);
    return system(command);
}

static void expect_read(int root, const char *path, const char *text)
{
    oras_buf buf = ORAS_BUF_INIT(100);
    oras_error err = ORAS_ERROR_INIT;
    int64_t size = -1;
    int fd = -1;

    assert_int_equal(oras_root_read(root, path, &fd, &size, &err), ORAS_OK);
    assert_int_equal(size, strlen(text));
    assert_int_equal(oras_file_read_fd(fd, path, &buf, &err), ORAS_OK);
    assert_string_equal(oras_buf_text(&buf), text);
    oras_buf_dispose(&buf);
    close(fd);
}

static void expect_refused(int root, const char *path, const char *class_name)
{
    oras_error err = ORAS_ERROR_INIT;
    int64_t size = -1;
    int fd = -1;

    assert_int_not_equal(oras_root_read(root, path, &fd, &size, &err), ORAS_OK);
    assert_string_equal(err.class_name, class_name);
    assert_int_equal(fd, -1);
    assert_int_equal(size, -1);
}

static void check_root(void)
{
    static const char *const not_there[] = {"missing", "dir/missing", "missing/file"};
    static const char *const refused[] = {
        "link",   "out",       "linkdir/file", "up/outside", "loop",        "loop/x", "dir",
        "fifo",   "socket",    "file/x",       "../outside", "dir/../file", "",       ".",
        "./file", "dir//file", "/etc/passwd",  "dir/",       "..",
    };
    oras_error err = ORAS_ERROR_INIT;
    int root = -1;

    assert_int_equal(oras_root_open("root", &root, &err), ORAS_OK);
    expect_read(root, "file", "inside");
    expect_read(root, "dir/file", "deep");
    for (size_t i = 0; i < sizeof not_there / sizeof not_there[0]; i++)
        expect_refused(root, not_there[i], "not_found");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        expect_refused(root, refused[i], "path");
    close(root);
}

static void expect_no_dir(int root, const char *path, bool create, const char *class_name)
{
    oras_error err = ORAS_ERROR_INIT;
    int fd = -1;

    assert_int_not_equal(oras_root_dir(root, path, create, &fd, &err), ORAS_OK);
    assert_string_equal(err.class_name, class_name);
    assert_int_equal(fd, -1);
}

static void expect_look(int root, const char *path, oras_look_kind kind)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_look look;

    if (oras_root_look(root, path, &look, &err))
        fail_msg("%s", err.message);
    assert_int_equal(look.kind, kind);
}

static void check_directories(void)
{
    static const char *const refused[] = {"link", "linkdir", "linkdir/x", "up", "file",   "file/x",
                                          "..",   "a//b",    "a/",        "/a", "a/../b", "fifo"};
    oras_error err = ORAS_ERROR_INIT;
    const char *name = NULL;
    int root = -1, fd = -1;

    assert_int_equal(oras_root_open("root", &root, &err), ORAS_OK);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        expect_no_dir(root, refused[i], false, "path");
        expect_no_dir(root, refused[i], true, "path");
    }
    expect_no_dir(root, "made/below", false, "not_found");
    assert_int_equal(oras_root_dir(root, "made/below", true, &fd, &err), ORAS_OK);
    close(fd);
    assert_int_equal(oras_root_parent(root, "made/other/file", true, &fd, &name, &err), ORAS_OK);
    assert_string_equal(name, "file");
    assert_int_equal(mkdirat(fd, name, 0700), 0);
    close(fd);
    expect_look(root, "made/other/file", ORAS_LOOK_DIRECTORY);
    expect_look(root, ".", ORAS_LOOK_DIRECTORY);
    expect_look(root, "made/nothing", ORAS_LOOK_NOTHING);
    expect_look(root, "nothing/at/all", ORAS_LOOK_NOTHING);
    expect_look(root, "dir/file", ORAS_LOOK_FILE);
    expect_look(root, "link", ORAS_LOOK_SYMLINK);
    expect_look(root, "fifo", ORAS_LOOK_OTHER);
    assert_int_equal(unlinkat(root, "made/other/file", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(root, "made/other", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(root, "made/below", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(root, "made", AT_REMOVEDIR), 0);
    close(root);
}

static void check_looks_refused(void)
{
    static const char *const refused[] = {"linkdir/file", "up/outside", "file/x", "../outside",
                                          "/etc"};
    oras_error err = ORAS_ERROR_INIT;
    oras_look look;
    int root = -1;

    assert_int_equal(oras_root_open("root", &root, &err), ORAS_OK);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_class(oras_root_look(root, refused[i], &look, &err), ORAS_C_PATH);
    close(root);
}

static void test_by_openat2(void **state)
{
    (void)state;
    oras_root_force_walk(false);
    check_root();
    check_directories();
    check_looks_refused();
}

static void test_by_walk(void **state)
{
    (void)state;
    oras_root_force_walk(true);
    check_root();
    check_directories();
    check_looks_refused();
    oras_root_force_walk(false);
}

static void test_long_component(void **state)
{
    char name[300];
    int root = -1;

    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(oras_root_open("root", &root, NULL), ORAS_OK);
    expect_refused(root, name, "io");
    oras_root_force_walk(true);
    expect_refused(root, name, "io");
    oras_root_force_walk(false);
    close(root);
}

static void test_roots(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    int root = -1;

    (void)state;
    assert_int_equal(oras_root_open("missing", &root, &err), ORAS_ENOTFOUND);
    assert_string_equal(err.class_name, "not_found");
    assert_int_equal(oras_root_open("outside", &root, &err), ORAS_EIO);
    assert_int_equal(err.native, ENOTDIR);
    assert_int_equal(root, -1);
    assert_int_equal(oras_root_open("rootlink", &root, &err), ORAS_OK); /* the user's own link */
    expect_read(root, "file", "inside");
    close(root);
}

static void test_roots_are_made(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    int root = -1;

    (void)state;
    assert_int_equal(oras_root_make("rootlink/new/er", &root, &err), ORAS_OK); /* by a link, too */
    close(root);
    assert_int_equal(oras_root_make("root/new/er/", &root, &err), ORAS_OK);
    close(root);
    root = -1;
    assert_class(oras_root_make("outside/x", &root, &err), ORAS_C_IO);
    assert_class(oras_root_make("", &root, &err), ORAS_C_NOT_FOUND);
    assert_int_equal(root, -1);
    assert_int_equal(rmdir("root/new/er"), 0);
    assert_int_equal(rmdir("root/new"), 0);
}

static void test_whole_files(void **state)
{
    oras_buf buf = ORAS_BUF_INIT(100);
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(oras_file_read("root/link", 6, &buf, &err), ORAS_OK);
    assert_string_equal(oras_buf_text(&buf), "inside");
    assert_int_equal(oras_file_read("root/file", 5, &buf, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "limit");
    assert_int_equal(oras_file_read("missing", 5, &buf, &err), ORAS_EIO);
    assert_int_equal(err.native, ENOENT);
    assert_non_null(strstr(err.message, "'missing'"));
    assert_class(oras_file_read("root", 5, &buf, &err), ORAS_C_IO);
    assert_class(oras_file_read("root/fifo", 5, &buf, &err), ORAS_C_IO);
    assert_class(oras_file_read("root/socket", 5, &buf, &err), ORAS_C_IO);
    assert_string_equal(oras_buf_text(&buf), "inside");
    oras_buf_dispose(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_openat2),     cmocka_unit_test(test_by_walk),
        cmocka_unit_test(test_long_component), cmocka_unit_test(test_roots),
        cmocka_unit_test(test_roots_are_made), cmocka_unit_test(test_whole_files),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
