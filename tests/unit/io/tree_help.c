/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tree_help.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NOBODY 65534

static char place[64];

int tree_set_up(void **state)
{
    (void)state;
    snprintf(place, sizeof place, "/tmp/oras-tree-XXXXXX");
    assert_non_null(mkdtemp(place));
    assert_int_equal(chmod(place, 0777), 0);
    assert_int_equal(chdir(place), 0);
    umask(022);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void put_away(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int tree_tear_down(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    put_away(place);
    return 0;
}

static void make_parents(const char *path)
{
    char parent[4096];

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
        mkdir(parent, 0755);
    }
}

static void set_time(const char *path)
{
    struct timespec times[2] = {{1600000000, 0}, {1600000000, 0}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

void put_bytes(const char *path, const void *data, size_t size)
{
    int fd;

    make_parents(path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    close(fd);
    set_time(path);
}

void put(const char *path, const char *text)
{
    put_bytes(path, text, strlen(text));
}

void put_dir(const char *path)
{
    make_parents(path);
    assert_int_equal(mkdir(path, 0755), 0);
    set_time(path);
}

void put_link(const char *path, const char *target)
{
    make_parents(path);
    assert_int_equal(symlink(target, path), 0);
    set_time(path);
}

void put_fifo(const char *path)
{
    make_parents(path);
    assert_int_equal(mkfifo(path, 0644), 0);
}

void put_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    make_parents(path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

void drop_root(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(NOBODY), 0);
}

void regain_root(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}
