/* SPDX-License-Identifier: MIT
 * Unpacking to disk. The bytes choose options, what is there already, and a list of entries
 * made of names that mean trouble. Around the target lie canaries, which stay as they are; a
 * failure leaves the target as it was, a success makes files, directories and, if asked for,
 * links that stay inside. */
#define _GNU_SOURCE
#include "base/buf.h"
#include "fuzz.h"
#include "io/remove.h"
#include "io/root.h"
#include "io/sink.h"
#include "oci/digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ENTRIES 40
#define BLOCK       512

static char place[PATH_MAX]; /* canary, out/secret, root/ */
static int home_fd, place_fd, root_fd;
static oras_pool *pool;

/* --- the place ----------------------------------------------------------------------------- */

static void put(int dir, const char *path, const char *text)
{
    int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL, 0644);

    REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void clean_up(void)
{
    oras_pool_free(pool);
    oras_remove_tree(AT_FDCWD, place);
}

static void set_up(void)
{
    if (place[0])
        return;
    snprintf(place, sizeof place, "%s/oras-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    REQUIRE(mkdtemp(place));
    home_fd = open(".", O_RDONLY | O_DIRECTORY);
    place_fd = open(place, O_RDONLY | O_DIRECTORY);
    REQUIRE(mkdirat(place_fd, "out", 0755) == 0 && mkdirat(place_fd, "root", 0755) == 0);
    put(place_fd, "canary", "canary");
    put(place_fd, "out/secret", "secret");
    root_fd = openat(place_fd, "root", O_RDONLY | O_DIRECTORY);
    REQUIRE(oras_pool_new(2, &pool, NULL) == ORAS_OK);
    umask(022);
    atexit(clean_up);
}

static void describe(int dir, const char *name, oras_buf *out);

static void describe_all(int dir, oras_buf *out)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY);
    DIR *stream = fdopendir(fd);
    const struct dirent *entry;

    REQUIRE(stream);
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            describe(fd, entry->d_name, out);
    }
    closedir(stream);
}

/* Kind, mode, size, number of links, content: in the order of the directory, which is the same
 * as long as nothing is made or removed. */
static void describe(int dir, const char *name, oras_buf *out)
{
    char text[256];
    struct stat st;
    ssize_t n = 0;
    int fd;

    REQUIRE(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
    if (S_ISLNK(st.st_mode)) {
        n = readlinkat(dir, name, text, sizeof text);
    } else {
        fd = openat(dir, name, O_RDONLY | O_NOFOLLOW);
        REQUIRE(fd >= 0);
        n = S_ISREG(st.st_mode) ? read(fd, text, sizeof text) : 0;
        if (S_ISDIR(st.st_mode))
            describe_all(fd, out);
        close(fd);
    }
    REQUIRE(n >= 0);
    oras_buf_printf(out, "%s %o %d %.*s\n", name, st.st_mode,
                    S_ISREG(st.st_mode) ? (int)st.st_nlink : 0, (int)n, text);
}

static void describe_canaries(oras_buf *out)
{
    describe(place_fd, "canary", out);
    describe(place_fd, "out", out);
    oras_buf_printf(out, "%d", faccessat(place_fd, "root", F_OK, AT_SYMLINK_NOFOLLOW));
}

/* --- what may be made ------------------------------------------------------------------------ */

static void check_made(int dir, const char *name, bool links);

static void check_link(int dir, const char *name)
{
    char path[64], real[PATH_MAX], root[PATH_MAX];

    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    REQUIRE(realpath(path, real) != NULL && snprintf(root, sizeof root, "%s/root", place) > 0);
    REQUIRE(strlen(real) + strlen(name) + 2 < sizeof real);
    strcat(strcat(real, "/"), name);
    /* what it leads to, if anything is there */
    char *target = realpath(real, NULL);
    if (target)
        REQUIRE(strncmp(target, root, strlen(root)) == 0 &&
                (target[strlen(root)] == '/' || target[strlen(root)] == '\0'));
    free(target);
}

static void check_all_made(int dir, bool links)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY);
    DIR *stream = fdopendir(fd);
    const struct dirent *entry;

    REQUIRE(stream);
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            check_made(fd, entry->d_name, links);
    }
    closedir(stream);
}

static void check_made(int dir, const char *name, bool links)
{
    struct stat st;
    int fd;

    REQUIRE(strncmp(name, ".oras-partial-", 14) != 0);
    REQUIRE(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
    REQUIRE(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || (links && S_ISLNK(st.st_mode)));
    if (S_ISLNK(st.st_mode)) {
        check_link(dir, name);
        return;
    }
    REQUIRE((st.st_mode & 07022) == 0);
    if (!S_ISDIR(st.st_mode))
        return;
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    REQUIRE(fd >= 0);
    check_all_made(fd, links);
    close(fd);
}

/* --- the archive -------------------------------------------------------------------------------
 */

typedef struct input {
    const uint8_t *data;
    size_t size;
} input;

static unsigned take(input *in)
{
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++;
}

static void take_name(input *in, char name[100])
{
    static const char *const parts[] = {"a",   "b",      "d",     "A",   "..",   ".",
                                        "",    "l",      "m",     "p",   "out",  "canary",
                                        "x y", "secret", "..out", "etc", "root", "..."};
    size_t n = take(in) % 6, used = 0;

    name[0] = '\0';
    for (size_t i = 0; i < n && used < 80; i++) {
        used += (size_t)snprintf(name + used, 100 - used, "%s%s", i ? "/" : "",
                                 parts[take(in) % (sizeof parts / sizeof parts[0])]);
    }
}

static void put_octal(char *field, int digits, unsigned value)
{
    snprintf(field, (size_t)digits + 1, "%0*o", digits, value);
}

static void put_entry(input *in, oras_buf *tar)
{
    static const char types[] = "000055512223467Z";
    char block[BLOCK] = {0};
    unsigned sum = 0, size;

    take_name(in, block);
    block[156] = types[take(in) % (sizeof types - 1)];
    if (block[156] == '1' || block[156] == '2')
        take_name(in, block + 157);
    put_octal(block + 100, 7, take(in) * 16 + take(in));
    size = block[156] == '0' ? take(in) * 3 : 0;
    put_octal(block + 124, 11, size);
    memcpy(block + 257, "ustar\0", 6);
    memset(block + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    put_octal(block + 148, 6, sum);
    oras_buf_append(tar, block, BLOCK);
    memset(block, 'x', BLOCK);
    for (; size; size -= size < BLOCK ? size : BLOCK)
        oras_buf_append(tar, block, BLOCK);
}

/* --- one run -------------------------------------------------------------------------------------
 */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t rung = PTHREAD_COND_INITIALIZER;
static int n_rings;

static void ring(void *ud)
{
    (void)ud;
    pthread_mutex_lock(&lock);
    n_rings++;
    pthread_cond_signal(&rung);
    pthread_mutex_unlock(&lock);
}

static void await(void)
{
    pthread_mutex_lock(&lock);
    while (n_rings == 0)
        pthread_cond_wait(&rung, &lock);
    n_rings = 0;
    pthread_mutex_unlock(&lock);
}

static oras_code run(const oras_tree_target *target, const oras_buf *tar, oras_error *err)
{
    oras_expect expect = {.size = -1};
    bool pending = true;
    oras_sink *sink;
    oras_code code = oras_sink_tree(pool, target, &expect, &sink, err);

    REQUIRE(!code);
    oras_sink_set_notify(sink, (oras_notify){ring, NULL});
    code = oras_sink_begin(sink, 0, err);
    if (!code && oras_sink_write(sink, oras_buf_text(tar), tar->size, err) != ORAS_FLOW_OK)
        code = err->code;
    while (!code && pending) {
        code = oras_sink_finish(sink, &pending, err);
        if (!code && pending)
            await();
    }
    oras_sink_free(sink);
    return code;
}

/* Something that is there: files, a directory, links outward. */
static void prepare(void)
{
    REQUIRE(mkdirat(root_fd, "out", 0755) == 0 && mkdirat(root_fd, "out/d", 0755) == 0);
    put(root_fd, "out/a", "old");
    put(root_fd, "out/d/x", "old");
    REQUIRE(symlinkat("../../out", root_fd, "out/l") == 0);
    REQUIRE(symlinkat("../../canary", root_fd, "out/b") == 0);
}

static void remove_all(void)
{
    close(root_fd);
    REQUIRE(oras_remove_tree(place_fd, "root") == 0 && mkdirat(place_fd, "root", 0755) == 0);
    root_fd = openat(place_fd, "root", O_RDONLY | O_DIRECTORY);
    REQUIRE(root_fd >= 0);
}

static void check(const oras_tree_target *target, const oras_buf *tar, bool prepared)
{
    oras_buf canaries = ORAS_BUF_INIT(1 << 20), before = ORAS_BUF_INIT(1 << 20),
             after = ORAS_BUF_INIT(1 << 20);
    oras_error err = ORAS_ERROR_INIT;

    describe_canaries(&canaries);
    describe_all(root_fd, &before);
    if (run(target, tar, &err)) {
        describe_all(root_fd, &after);
        REQUIRE(strcmp(oras_buf_text(&before), oras_buf_text(&after)) == 0);
        REQUIRE(err.message[0] && !strpbrk(err.message, "\r\n"));
        oras_buf_clear(&after);
    } else if (!prepared) {
        check_all_made(root_fd, target->links);
    }
    describe_canaries(&after);
    REQUIRE(strcmp(oras_buf_text(&canaries), oras_buf_text(&after)) == 0);
    oras_buf_dispose(&canaries);
    oras_buf_dispose(&before);
    oras_buf_dispose(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    oras_buf tar = ORAS_BUF_INIT(1 << 20);
    unsigned flags = take(&in);
    oras_tree_target target = {.path = flags & 16 ? "." : "out",
                               .prefix = flags & 8 ? "p" : NULL,
                               .links = flags & 1,
                               .any_case = flags & 2,
                               .overwrite = flags & 4};

    set_up();
    REQUIRE(fchdir(place_fd) == 0); /* a name that means the working directory hits canaries */
    for (int i = 0; i < MAX_ENTRIES && in.size; i++)
        put_entry(&in, &tar);
    oras_buf_reserve(&tar, 1024);
    memset(tar.data + tar.size, 0, 1024);
    tar.size += 1024;
    oras_root_force_walk(flags & 64);
    if (flags & 32)
        prepare();
    target.root = root_fd;
    check(&target, &tar, flags & 32);
    remove_all();
    REQUIRE(fchdir(home_fd) == 0);
    oras_buf_dispose(&tar);
    return 0;
}
