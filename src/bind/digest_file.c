/* SPDX-License-Identifier: MIT
 * A file whose digest is wanted is a source that is hashed. */
#include "bind/digest_file.h"

#include "base/cleanup.h"
#include "bind/lua_error.h"
#include "bind/source.h"
#include "bind/source_hash.h"
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static oras_code check_regular(int fd, const char *path, oras_error *err)
{
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0)
        return oras_fail_errno(err, errno, "open '%s'", path);
    if (S_ISDIR(status.st_mode))
        return oras_fail_errno(err, EISDIR, "open '%s'", path);
    if (!S_ISREG(status.st_mode))
        return oras_fail(err, ORAS_C_IO, "'%s' is no regular file", path);
    return ORAS_OK;
}

/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
static oras_code open_file(const char *path, int *fd, oras_error *err)
{
    oras_code code;

    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    code = check_regular(*fd, path, err);
    if (code)
        oras_close_fd(fd);
    return code;
}

/* `root` NULL, or the directory that path is below. What is written to the file meanwhile only
 * makes another digest, which whoever asks compares. */
static oras_code open_source(const int *root, const char *path, oras_source **out, oras_error *err)
{
    int fd;
    int64_t size;
    oras_code code =
        root ? oras_root_read(*root, path, &fd, &size, err) : open_file(path, &fd, err);

    return code ? code : oras_source_blob(fd, path, out, err);
}

static int digest_of(lua_State *L, const int *root, const char *path, oras_algorithm algorithm)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_source **source;

    lua_pushnil(L);
    source = oras_lua_new_source(L);
    lua_toclose(L, -1);
    if (open_source(root, path, source, &err))
        return oras_lua_fail(L, &err);
    return oras_lua_hash(L, lua_gettop(L), algorithm, 1);
}

int oras_lua_digest_of_file(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    oras_algorithm algorithm = oras_lua_opt_algorithm(L, 2);

    lua_settop(L, 2);
    return digest_of(L, NULL, path, algorithm);
}

int oras_lua_digest_below(lua_State *L, const int *root)
{
    const char *path = oras_lua_check_text(L, 2, "path");
    oras_algorithm algorithm = oras_lua_opt_algorithm(L, 3);

    lua_settop(L, 3);
    return digest_of(L, root, path, algorithm);
}
