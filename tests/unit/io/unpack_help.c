/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "unpack_help.h"

#include "cmocka_c11.h"
#include "io/root.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a notification that can be waited for, as the loop would --- */

static pthread_mutex_t bell_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell_rung = PTHREAD_COND_INITIALIZER;
static int n_rings;

static void ring_bell(void *ud)
{
    (void)ud;
    pthread_mutex_lock(&bell_lock);
    n_rings++;
    pthread_cond_broadcast(&bell_rung);
    pthread_mutex_unlock(&bell_lock);
}

void await_bell(void)
{
    pthread_mutex_lock(&bell_lock);
    while (n_rings == 0)
        pthread_cond_wait(&bell_rung, &bell_lock);
    n_rings = 0;
    pthread_mutex_unlock(&bell_lock);
}

void ring_for(oras_sink *sink)
{
    oras_sink_set_notify(sink, (oras_notify){ring_bell, NULL});
}

/* --- trees as text --- */

static void print_file(const char *path, oras_buf *out)
{
    char text[200];
    int fd = open(path, O_RDONLY | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

    if (fd >= 0)
        close(fd);
    oras_buf_puts(out, " = ");
    if (n > 0)
        oras_buf_append(out, text, (size_t)n);
}

static void print_link(const char *path, oras_buf *out)
{
    char text[200];
    ssize_t n = readlink(path, text, sizeof text);

    oras_buf_printf(out, " -> %.*s", n > 0 ? (int)n : 0, text);
}

static char letter(mode_t mode)
{
    if (S_ISREG(mode))
        return 'f';
    if (S_ISDIR(mode))
        return 'd';
    return S_ISLNK(mode) ? 'l' : '?';
}

static void print_tree(const char *path, const char *name, oras_buf *out);

static void print_one(const char *path, const char *name, oras_buf *out)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    if (S_ISLNK(st.st_mode))
        oras_buf_printf(out, "l %s", name);
    else
        oras_buf_printf(out, "%c %o %s", letter(st.st_mode), (unsigned)(st.st_mode & 07777), name);
    if (S_ISREG(st.st_mode) && st.st_nlink > 1)
        oras_buf_printf(out, " (%d)", (int)st.st_nlink);
    if (S_ISREG(st.st_mode))
        print_file(path, out);
    if (S_ISLNK(st.st_mode))
        print_link(path, out);
    oras_buf_puts(out, "\n");
    if (S_ISDIR(st.st_mode))
        print_tree(path, name, out);
}

static void print_tree(const char *path, const char *name, oras_buf *out)
{
    struct dirent **list = NULL;
    int n = scandir(path, &list, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char *below = NULL, *shown = NULL;

        if (strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0) {
            assert_true(asprintf(&below, "%s/%s", path, list[i]->d_name) > 0);
            assert_true(asprintf(&shown, "%s%s%s", name, *name ? "/" : "", list[i]->d_name) > 0);
            print_one(below, shown, out);
        }
        free(below);
        free(shown);
        free(list[i]);
    }
    free(list);
}

char *tree_text(const char *path)
{
    oras_buf out = ORAS_BUF_INIT(SIZE_MAX - 1);
    char *text;

    print_tree(path, "", &out);
    text = strdup(oras_buf_text(&out));
    oras_buf_dispose(&out);
    return text;
}

char *root_text(const place *p)
{
    char path[128];

    snprintf(path, sizeof path, "%s/root", p->path);
    return tree_text(path);
}

void expect_root(const place *p, const char *text)
{
    char *found = root_text(p);

    assert_string_equal(found, text);
    free(found);
}

/* --- the place --- */

void put_at(const place *p, const char *path, const char *text)
{
    char whole[512];
    int fd;

    snprintf(whole, sizeof whole, "%s/%s", p->path, path);
    for (char *at = whole + strlen(p->path) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(whole, 0755);
        *at = '/';
    }
    fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* What is beside the root: names, modes, contents. */
static void hash_canaries(const place *p, char out[ORAS_DIGEST_TEXT_MAX])
{
    oras_digest digest;
    char *text, *end;

    text = tree_text(p->path);
    end = strstr(text, "d 755 root\n"); /* it sorts behind all others */
    assert_non_null(end);
    assert_int_equal(oras_digest_of(ORAS_SHA256, text, (size_t)(end - text), &digest, NULL), 0);
    snprintf(out, ORAS_DIGEST_TEXT_MAX, "%s", digest.text);
    free(text);
}

int place_set_up(void **state)
{
    place *p = calloc(1, sizeof *p);
    char path[128];

    umask(022);
    snprintf(p->path, sizeof p->path, "%s/oras-tree-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(p->path));
    put_at(p, "canary", "canary");
    put_at(p, "etc/passwd", "nobody");
    put_at(p, "out-evil/x", "x");
    put_at(p, "out/secret", "secret");
    snprintf(path, sizeof path, "%s/root", p->path);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(oras_root_open(path, &p->root, NULL), ORAS_OK);
    assert_int_equal(oras_pool_new(2, &p->pool, NULL), ORAS_OK);
    assert_int_equal(chdir(p->path), 0); /* a name that means the working directory hits canaries */
    hash_canaries(p, p->before);
    n_rings = 0;
    *state = p;
    return 0;
}

int place_tear_down(void **state)
{
    place *p = *state;
    char command[128], after[ORAS_DIGEST_TEXT_MAX];

    hash_canaries(p, after);
    assert_string_equal(after, p->before);
    oras_pool_free(p->pool);
    close(p->root);
    assert_int_equal(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -rf %s", p->path);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

/* --- archives --- */

oras_buf archive_of(const item *items)
{
    oras_buf tar = ORAS_BUF_INIT(SIZE_MAX - 1);

    for (; items->name; items++) {
        if (items->type) {
            put_header(&tar, &(tar_fields){.name = items->name,
                                           .type = items->type,
                                           .mode = items->mode,
                                           .linkname = items->text});
        } else {
            put_file(&tar, items->name, items->text ? items->text : "x");
        }
    }
    put_end(&tar);
    return tar;
}

/* --- unpacking --- */

static void digest_of(const oras_buf *bytes, bool wrong, oras_digest *out)
{
    const char *text = wrong ? "something else" : oras_buf_text(bytes);
    size_t size = wrong ? 14 : bytes->size;

    assert_int_equal(oras_digest_of(ORAS_SHA256, text, size, out, NULL), ORAS_OK);
}

oras_sink *tree_sink(const place *p, const oras_buf *archive, const unpacking *how)
{
    oras_tree_target target = how ? how->target : (oras_tree_target){.overwrite = true};
    oras_expect expect = {.has_digest = !how || !how->no_digest, .size = -1};
    oras_digest content;
    oras_sink *sink = NULL;
    oras_error err = ORAS_ERROR_INIT;

    target.root = p->root;
    target.path = target.path ? target.path : "out";
    digest_of(archive, how && how->wrong_digest, &expect.digest);
    if (how && (how->check_content || how->wrong_content)) {
        digest_of(archive, how->wrong_content, &content);
        target.content = &content;
    }
    if (oras_sink_tree(p->pool, &target, &expect, &sink, &err))
        fail_msg("%s", err.message);
    ring_for(sink);
    return sink;
}

oras_flow write_all(oras_sink *sink, const char *bytes, size_t size, size_t chunk, oras_error *err)
{
    while (size > 0) {
        size_t most = chunk ? chunk : 16384;
        size_t piece = size < most ? size : most;
        oras_flow flow = oras_sink_write(sink, bytes, piece, err);

        if (flow == ORAS_FLOW_FAILED)
            return flow;
        if (flow == ORAS_FLOW_FULL) {
            await_bell();
            continue;
        }
        bytes += piece;
        size -= piece;
    }
    return ORAS_FLOW_OK;
}

oras_code finish_sink(oras_sink *sink, oras_error *err)
{
    bool pending;
    oras_code code = oras_sink_finish(sink, &pending, err);

    while (!code && pending) {
        await_bell();
        code = oras_sink_finish(sink, &pending, err);
    }
    return code;
}

static oras_code feed(oras_sink *sink, const oras_buf *archive, size_t chunk, oras_error *err)
{
    int64_t offset = -1;
    bool pending = true;
    oras_code code = oras_sink_offset(sink, &offset, &pending, err);

    if (!code)
        code = oras_sink_begin(sink, offset, err);
    if (code)
        return code;
    assert_int_equal(offset, 0);
    if (write_all(sink, oras_buf_text(archive), archive->size, chunk, err) == ORAS_FLOW_FAILED)
        return err->code;
    return finish_sink(sink, err);
}

oras_code unpack(const place *p, const oras_buf *archive, const unpacking *how, oras_error *err)
{
    oras_sink *sink = tree_sink(p, archive, how);
    oras_code code = feed(sink, archive, how ? how->chunk : 0, err);

    oras_sink_free(sink);
    return code;
}

void expect_unpacked(const place *p, const oras_buf *archive, const char *text)
{
    oras_error err = ORAS_ERROR_INIT;

    if (unpack(p, archive, NULL, &err))
        fail_msg("%s: %s", err.class_name, err.message);
    expect_root(p, text);
}

void expect_refused(const place *p, const oras_buf *archive, const unpacking *how,
                    const char *class_name, const char *words)
{
    oras_error err = ORAS_ERROR_INIT;
    char *before = root_text(p);

    assert_int_not_equal(unpack(p, archive, how, &err), ORAS_OK);
    if (!strstr(err.message, words))
        fail_msg("'%s' does not say '%s'", err.message, words);
    assert_string_equal(err.class_name, class_name);
    expect_root(p, before);
    free(before);
}
