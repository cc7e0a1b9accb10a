/* SPDX-License-Identifier: MIT
 * Titles and paths. What is taken for a title opens beneath a directory, without links, and is
 * there inside; what is relative to a directory leads back to where it came from. The input is
 * a title, or two paths with a newline between. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "io/remove.h"
#include "io/root.h"
#include "oci/title.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static char place[64];
static int root;

static void clean_up(void)
{
    oras_remove_tree(AT_FDCWD, place);
}

static void set_up(void)
{
    if (place[0])
        return;
    snprintf(place, sizeof place, "%s/oras-title-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    REQUIRE(mkdtemp(place));
    root = open(place, O_RDONLY | O_DIRECTORY);
    REQUIRE(root >= 0);
    atexit(clean_up);
}

/* Make it, ask the kernel where it is, remove it. */
static void check_inside(const char *path)
{
    const char *name;
    char real[PATH_MAX + 64], wanted[PATH_MAX + 128], link[64], *slash;
    int dir = -1, fd;
    ssize_t n;

    REQUIRE(oras_root_parent(root, path, true, &dir, &name, NULL) == ORAS_OK);
    close(dir);
    fd = oras_root_openat(root, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    REQUIRE(fd >= 0);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, real, sizeof real - 1);
    close(fd);
    snprintf(wanted, sizeof wanted, "%s/%s", place, path);
    if (n >= 0 && n < (ssize_t)sizeof real - 1) { /* a path of over 4096 bytes is not told */
        real[n] = '\0';
        REQUIRE(strcmp(real, wanted) == 0);
    }
    snprintf(wanted, sizeof wanted, "%s", path);
    slash = strchr(wanted, '/');
    if (slash)
        *slash = '\0';
    REQUIRE(oras_remove_tree(root, wanted) == 0);
}

static void check_title(const uint8_t *data, size_t size, bool any_system)
{
    oras_buf out = ORAS_BUF_INIT(ORAS_TITLE_MAX), again = ORAS_BUF_INIT(ORAS_TITLE_MAX);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_title_clean((const char *)data, size, any_system, &out, &err)) {
        REQUIRE_ERROR(err, "path");
        REQUIRE(out.size == 0);
    } else {
        REQUIRE(oras_root_path_is_plain(out.data) && strlen(out.data) == out.size);
        REQUIRE(!oras_title_clean(out.data, out.size, any_system, &again, &err));
        REQUIRE(strcmp(out.data, again.data) == 0);
        check_inside(out.data);
    }
    oras_buf_dispose(&out);
    oras_buf_dispose(&again);
}

static void check_relative(char *path)
{
    char *directory = strchr(path, '\n');
    oras_buf out = ORAS_BUF_INIT(1 << 17), back = ORAS_BUF_INIT(1 << 18),
             again = ORAS_BUF_INIT(1 << 17);

    if (!directory)
        return;
    *directory++ = '\0';
    if (oras_path_relative("/c/w/d", path, directory, &out)) {
        REQUIRE(strcmp(out.data, ".") == 0 || oras_root_path_is_plain(out.data));
        oras_buf_printf(&back, "%s/%s", directory[0] ? directory : ".", out.data);
        REQUIRE(oras_path_relative("/c/w/d", back.data, directory, &again));
        REQUIRE(strcmp(out.data, again.data) == 0);
    }
    oras_buf_dispose(&out);
    oras_buf_dispose(&back);
    oras_buf_dispose(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    set_up();
    check_title(data, size, false);
    check_title(data, size, true);
    check_relative(text);
    free(text);
    return 0;
}
