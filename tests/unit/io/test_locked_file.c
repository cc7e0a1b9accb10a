/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "failing_alloc.h"
#include "io/locked_file.h"
#include "io/partial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static failing_alloc counter = {.n_before_failure = -1};
static char dir[64];

static const char *at(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/oras-locked-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[256];

    (void)state;
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", dir, dir);
    return system(command);
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static mode_t mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(lstat(at(name), &st), 0);
    return st.st_mode;
}

static int count_entries(const char *path)
{
    DIR *stream = opendir(path);
    int n = 0;

    assert_non_null(stream);
    while (readdir(stream))
        n++;
    closedir(stream);
    return n - 2;
}

static oras_locked_file *lock(const char *path)
{
    oras_locked_file *file = NULL;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_locked_file_try(path, &file, &err))
        fail_msg("%s", err.message);
    return file;
}

static void check_read(const oras_locked_file *file, const char *expected)
{
    oras_buf bytes = ORAS_BUF_INIT(1000);
    bool is_there;

    assert_int_equal(oras_locked_file_read(file, &bytes, &is_there, NULL), ORAS_OK);
    assert_int_equal(is_there, expected != NULL);
    assert_string_equal(oras_buf_text(&bytes), expected ? expected : "");
    oras_buf_dispose(&bytes);
}

static void check_file(const char *path, const char *expected)
{
    oras_locked_file *file = lock(path);

    assert_non_null(file);
    check_read(file, expected);
    oras_locked_file_free(file);
}

static void write_text(const oras_locked_file *file, const char *text)
{
    oras_error err = ORAS_ERROR_INIT;

    if (oras_locked_file_write(file, text, strlen(text), &err))
        fail_msg("%s", err.message);
}

static void replace(const char *path, const char *text)
{
    oras_locked_file *file = lock(path);

    assert_non_null(file);
    write_text(file, text);
    check_read(file, text);
    oras_locked_file_free(file);
}

static void test_L15_a_new_file_is_its_owners_alone(void **state)
{
    oras_locked_file *file = lock(at("a/b/config.json"));

    (void)state;
    check_read(file, NULL);
    assert_int_equal(count_entries(at("a/b")), 0); /* the lock leaves nothing behind */
    write_text(file, "{}");
    check_read(file, "{}");
    oras_locked_file_free(file);
    assert_int_equal(mode_of("a"), S_IFDIR | 0700);
    assert_int_equal(mode_of("a/b"), S_IFDIR | 0700);
    assert_int_equal(mode_of("a/b/config.json"), S_IFREG | 0600);
    assert_int_equal(count_entries(at("a/b")), 1);
}

static void test_L12_the_umask_gives_nobody_more(void **state)
{
    mode_t before = umask(0);

    (void)state;
    replace(at("c/config.json"), "{}");
    assert_int_equal(mode_of("c"), S_IFDIR | 0700);
    assert_int_equal(mode_of("c/config.json"), S_IFREG | 0600);
    umask(before);
}

static void test_L15_rights_are_kept_or_tightened(void **state)
{
    static const struct {
        mode_t before, after;
    } modes[] = {{0644, 0600}, {0600, 0600}, {0666, 0600}, {0640, 0600}, {0400, 0400}};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        put("config.json", "old", modes[i].before);
        replace(at("config.json"), "new");
        assert_int_equal(mode_of("config.json"), S_IFREG | modes[i].after);
        unlink(at("config.json"));
    }
}

static void test_L15_what_a_link_means_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("real"), 0755), 0);
    put("real/config.json", "old", 0600);
    assert_int_equal(symlink("real/config.json", at("link")), 0);
    assert_int_equal(symlink("link", at("second")), 0);
    assert_int_equal(symlink(at("second"), at("third")), 0);
    replace(at("third"), "new");
    assert_true(S_ISLNK(mode_of("link")) && S_ISLNK(mode_of("second")) &&
                S_ISLNK(mode_of("third")));
    assert_int_equal(mode_of("real/config.json"), S_IFREG | 0600);
    replace(at("real/config.json"), "newer");
    assert_int_equal(count_entries(at("real")), 1);

    /* one that points to nothing yet */
    assert_int_equal(symlink("none/yet.json", at("dangling")), 0);
    replace(at("dangling"), "new");
    assert_true(S_ISLNK(mode_of("dangling")));
    assert_int_equal(mode_of("none/yet.json"), S_IFREG | 0600);
}

static void check_refused(const char *path, oras_class class)
{
    oras_locked_file *file = NULL;
    oras_error err = ORAS_ERROR_INIT;

    assert_class(oras_locked_file_try(path, &file, &err), class);
    assert_null(file);
}

static void test_L15_paths_that_cannot_be_locked(void **state)
{
    char long_path[5000];

    (void)state;
    assert_int_equal(symlink("b", at("a")), 0);
    assert_int_equal(symlink("a", at("b")), 0);
    check_refused(at("a"), ORAS_C_IO);
    put("file", "", 0600);
    check_refused(at("file/config.json"), ORAS_C_IO);
    check_refused(at("sub/"), ORAS_C_USAGE);
    check_refused(at(".."), ORAS_C_USAGE);
    check_refused("", ORAS_C_USAGE);
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    check_refused(long_path, ORAS_C_IO);
}

static void check_unusable(const oras_locked_file *file)
{
    oras_buf bytes = ORAS_BUF_INIT(1000);
    oras_error err = ORAS_ERROR_INIT;
    bool is_there;

    assert_int_not_equal(oras_locked_file_read(file, &bytes, &is_there, &err), ORAS_OK);
    assert_int_not_equal(oras_locked_file_write(file, "x", 1, &err), ORAS_OK);
    oras_buf_dispose(&bytes);
}

static void test_L14_what_is_no_file_is_neither_read_nor_replaced(void **state)
{
    oras_locked_file *file;

    (void)state;
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    assert_int_equal(mkdir(at("folder"), 0700), 0);
    file = lock(at("fifo"));
    check_unusable(file);
    oras_locked_file_free(file);
    file = lock(at("folder"));
    check_unusable(file);
    oras_locked_file_free(file);
    assert_true(S_ISFIFO(mode_of("fifo")) && S_ISDIR(mode_of("folder")));
    assert_int_equal(count_entries(dir), 2);
}

static void test_reading_has_a_limit(void **state)
{
    oras_buf bytes = ORAS_BUF_INIT(3);
    oras_error err = ORAS_ERROR_INIT;
    oras_locked_file *file;
    bool is_there;

    (void)state;
    put("config.json", "1234", 0600);
    file = lock(at("config.json"));
    assert_class(oras_locked_file_read(file, &bytes, &is_there, &err), ORAS_C_LIMIT);
    oras_locked_file_free(file);
    oras_buf_dispose(&bytes);
}

static void test_L15_one_at_a_time(void **state)
{
    oras_locked_file *first = lock(at("config.json")), *second;

    (void)state;
    assert_int_equal(symlink("config.json", at("link")), 0);
    assert_null(lock(at("config.json")));
    assert_null(lock(at("link")));
    oras_locked_file_free(first);
    second = lock(at("link"));
    assert_non_null(second);
    oras_locked_file_free(second);
}

/* Each adds a line, as one login adds an entry. */
static void add_line(void)
{
    oras_buf bytes = ORAS_BUF_INIT(1000);
    oras_locked_file *file;
    bool is_there;

    while (!(file = lock(at("config.json"))))
        sched_yield();
    assert_int_equal(oras_locked_file_read(file, &bytes, &is_there, NULL), ORAS_OK);
    oras_buf_puts(&bytes, "x\n");
    write_text(file, oras_buf_text(&bytes));
    oras_locked_file_free(file);
    oras_buf_dispose(&bytes);
}

static void test_L15_ten_processes_lose_nothing(void **state)
{
    int failed = 0, status;

    (void)state;
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            add_line();
            _exit(0);
        }
        assert_true(pid > 0);
    }
    while (wait(&status) > 0)
        failed += status != 0;
    assert_int_equal(failed, 0);
    check_file(at("config.json"), "x\nx\nx\nx\nx\nx\nx\nx\nx\nx\n");
}

static atomic_bool stop;
static atomic_int n_wrong;

static void *read_on(void *ud)
{
    (void)ud;
    while (!atomic_load(&stop)) {
        char text[8] = "";
        int fd = open(at("config.json"), O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

        if (n != 3 || (memcmp(text, "old", 3) != 0 && memcmp(text, "new", 3) != 0))
            atomic_fetch_add(&n_wrong, 1);
        close(fd);
    }
    return NULL;
}

static void test_L16_who_reads_sees_the_old_or_the_new(void **state)
{
    oras_locked_file *file;
    pthread_t reader;

    (void)state;
    put("config.json", "old", 0600);
    atomic_store(&stop, false);
    file = lock(at("config.json"));
    assert_int_equal(pthread_create(&reader, NULL, read_on, NULL), 0);
    for (int i = 0; i < 200; i++)
        write_text(file, i % 2 ? "old" : "new");
    atomic_store(&stop, true);
    pthread_join(reader, NULL);
    oras_locked_file_free(file);
    assert_int_equal(atomic_load(&n_wrong), 0);
}

/* root writes where others may not: as somebody else in a process of its own. */
static void write_as_nobody(void)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_locked_file *file;

    if (setgid(65534) != 0 || setuid(65534) != 0)
        _exit(2);
    file = lock(at("ro/config.json"));
    _exit(file && oras_locked_file_write(file, "new", 3, &err) &&
                  strcmp(err.class_name, "io") == 0 && err.native == EACCES
              ? 0
              : 1);
}

static void test_L15_a_read_only_directory_stays_as_it_was(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(at("ro"), 0755), 0);
    put("ro/config.json", "old", 0644);
    assert_int_equal(chmod(dir, 0755), 0);
    pid = fork();
    if (pid == 0)
        write_as_nobody();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(count_entries(at("ro")), 1);
    check_file(at("ro/config.json"), "old");
}

static void test_root_leaves_a_file_to_whose_it_is(void **state)
{
    struct stat st;

    (void)state;
    if (geteuid() != 0)
        skip();
    put("config.json", "old", 0600);
    assert_int_equal(chown(at("config.json"), 65534, 65534), 0);
    replace(at("config.json"), "new");
    assert_int_equal(stat(at("config.json"), &st), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_int_equal(st.st_gid, 65534);
}

static void test_L01_a_full_disk_leaves_the_old_file(void **state)
{
    struct rlimit none = {2, RLIM_INFINITY}, old;
    oras_locked_file *file;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    put("config.json", "old", 0600);
    file = lock(at("config.json"));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    none.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &none);
    assert_int_not_equal(oras_locked_file_write(file, "newer", 5, &err), ORAS_OK);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_string_equal(err.class_name, "io");
    check_read(file, "old");
    oras_locked_file_free(file);
    assert_int_equal(count_entries(dir), 1);
}

static void test_L09_what_a_dead_process_left_goes(void **state)
{
    (void)state;
    put(ORAS_PARTIAL_PREFIX "own-0123456789abcdef", "half", 0600);
    put("other", "stays", 0600);
    replace(at("config.json"), "new");
    assert_int_equal(count_entries(dir), 2);
}

static void test_L22_memory_runs_out(void **state)
{
    oras_locked_file *file = NULL;
    oras_code code = ORAS_ENOMEM;

    (void)state;
    put("config.json", "old", 0600);
    for (long n = 0; code; n++) {
        oras_error err = ORAS_ERROR_INIT;

        assert_true(n < 100);
        counter.n_before_failure = n;
        code = oras_locked_file_try(at("config.json"), &file, &err);
        if (!code && file)
            code = oras_locked_file_write(file, "new", 3, &err);
        counter.n_before_failure = -1;
        oras_locked_file_free(file);
        if (code)
            assert_int_equal(code, ORAS_ENOMEM);
        assert_int_equal(counter.n_alive, 0);
        assert_int_equal(count_entries(dir), 1);
    }
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(test_L15_a_new_file_is_its_owners_alone),
        test(test_L12_the_umask_gives_nobody_more),
        test(test_L15_rights_are_kept_or_tightened),
        test(test_L15_what_a_link_means_is_replaced),
        test(test_L15_paths_that_cannot_be_locked),
        test(test_L14_what_is_no_file_is_neither_read_nor_replaced),
        test(test_reading_has_a_limit),
        test(test_L15_one_at_a_time),
        test(test_L15_ten_processes_lose_nothing),
        test(test_L16_who_reads_sees_the_old_or_the_new),
        test(test_L15_a_read_only_directory_stays_as_it_was),
        test(test_root_leaves_a_file_to_whose_it_is),
        test(test_L01_a_full_disk_leaves_the_old_file),
        test(test_L09_what_a_dead_process_left_goes),
        test(test_L22_memory_runs_out),
    };
    const oras_allocator allocator = {failing_resize, &counter};

    oras_alloc_set(&allocator);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
