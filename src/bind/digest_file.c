/* SPDX-License-Identifier: MIT
 * The box owns the work; closing it stops the worker at its next block, so that a cancelled
 * task leaves soon. */
#include "bind/digest_file.h"

#include "base/alloc.h"
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/wait.h"
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOX        "oras.digest_file"
#define BLOCK_SIZE ((size_t)256 * 1024)

typedef struct work {
    oras_job job;
    oras_post post; /* tells the loop's thread */
    oras_loop *loop;
    atomic_bool abandoned;
    int fd;
    oras_algorithm algorithm;
    oras_digest digest; /* the result: code, and digest or err */
    oras_error err;
    oras_code code;
    char *path;
} work;

typedef struct file_box {
    work *work;
    oras_context *context;
    oras_signal signal;
} file_box;

static void work_free(work *w)
{
    if (w->fd >= 0)
        close(w->fd);
    oras_dealloc(w->path);
    oras_dealloc(w);
}

static oras_code hash_blocks(work *w, oras_hasher *hasher, char *block)
{
    oras_code code = ORAS_OK;

    while (!code && !atomic_load(&w->abandoned)) {
        ssize_t n = read(w->fd, block, BLOCK_SIZE);

        if (n == 0)
            return oras_hasher_final(hasher, &w->digest, &w->err);
        if (n < 0 && errno != EINTR)
            return oras_fail_errno(&w->err, errno, "read '%s'", w->path);
        if (n > 0)
            code = oras_hasher_update(hasher, block, (size_t)n, &w->err);
    }
    return code ? code : oras_fail(&w->err, ORAS_C_CANCELLED, "cancelled");
}

static oras_code hash_file(work *w)
{
    oras_hasher *hasher = NULL;
    char *block = oras_alloc(BLOCK_SIZE);
    oras_code code;

    if (!block)
        return oras_fail_memory(&w->err);
    code = oras_hasher_new(w->algorithm, &hasher, &w->err);
    if (!code)
        code = hash_blocks(w, hasher, block);
    oras_hasher_free(hasher);
    oras_dealloc(block);
    return code;
}

/* On a worker. The box settles the job before it goes, so the loop is still there. */
static void work_run(oras_job *job)
{
    work *w = (work *)job; /* its first member */

    w->code = hash_file(w);
    oras_loop_post(w->loop, &w->post);
}

static void work_done(void *ud)
{
    file_box *box = ud;

    oras_signal_set(box->context, &box->signal);
}

static int file_close(lua_State *L)
{
    file_box *box = lua_touserdata(L, 1);
    work *w = box->work;

    if (!w)
        return 0;
    box->work = NULL;
    atomic_store(&w->abandoned, true);
    if (w->loop) {
        oras_pool_settle(box->context->pool, &w->job);
        oras_loop_unpost(w->loop, &w->post);
    }
    work_free(w);
    return 0;
}

/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
static oras_code open_file(work *w, oras_error *err)
{
    struct stat status;

    w->fd = open(w->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (w->fd < 0 || fstat(w->fd, &status) != 0)
        return oras_fail_errno(err, errno, "open '%s'", w->path);
    if (S_ISDIR(status.st_mode))
        return oras_fail_errno(err, EISDIR, "open '%s'", w->path);
    if (!S_ISREG(status.st_mode))
        return oras_fail(err, ORAS_C_IO, "'%s' is no regular file", w->path);
    return ORAS_OK;
}

/* `root` NULL, or the directory that path is below */
static oras_code work_new(const int *root, const char *path, oras_algorithm algorithm, work **out,
                          oras_error *err)
{
    int64_t size;
    work *w = oras_alloc_zero(1, sizeof *w);

    if (!w)
        return oras_fail_memory(err);
    w->fd = -1;
    w->algorithm = algorithm;
    w->job.run = work_run;
    w->path = oras_strdup(path);
    *out = w; /* from here on the box frees it */
    if (!w->path)
        return oras_fail_memory(err);
    return root ? oras_root_read(*root, path, &w->fd, &size, err) : open_file(w, err);
}

static oras_code submit(file_box *box, oras_error *err)
{
    work *w = box->work;

    w->loop = box->context->loop;
    w->post.fn = work_done;
    w->post.ud = box;
    return oras_pool_submit(box->context->pool, &w->job, err);
}

static int of_file_done(lua_State *L, int status, lua_KContext ctx)
{
    file_box *box = lua_touserdata(L, (int)ctx);
    work *w = box->work;

    (void)status;
    if (w->code)
        return oras_lua_fail(L, &w->err);
    lua_pushstring(L, w->digest.text);
    return 1;
}

/* The box goes on top of the arguments; where it stands is what the continuation gets. */
static int digest_of(lua_State *L, const int *root, const char *path, oras_algorithm algorithm)
{
    oras_context *context = oras_context_get(L); /* first: what is made later is closed earlier */
    oras_error err = ORAS_ERROR_INIT;
    file_box *box;

    oras_box_type(L, BOX, NULL, file_close);
    box = oras_box_new(L, BOX, sizeof *box, 0);
    box->context = context;
    lua_toclose(L, -1);
    if (work_new(root, path, algorithm, &box->work, &err) || submit(box, &err))
        return oras_lua_fail(L, &err);
    return oras_lua_wait(L, &box->signal, lua_gettop(L), of_file_done);
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
