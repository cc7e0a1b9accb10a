/* SPDX-License-Identifier: MIT */
#include "oci/title.h"

#include "base/alloc.h"
#include "oci/utf8.h"

#include <string.h>
#include <strings.h>

#define SHOWN   100              /* bytes of a title in a message */
#define PARTIAL ".oras-partial-" /* as in io/partial.h */

typedef struct part {
    const char *text;
    size_t size;
} part;

/* The component at *at, moving past the slash behind it; false when there is none left. */
static bool next_part(const char **at, const char *end, part *out)
{
    const char *slash;

    if (*at > end)
        return false;
    slash = *at < end ? memchr(*at, '/', (size_t)(end - *at)) : NULL;
    out->text = *at;
    out->size = (size_t)((slash ? slash : end) - *at);
    *at += out->size + 1;
    return true;
}

static bool is_dot(const part *p)
{
    return p->size == 1 && p->text[0] == '.';
}

static bool is_dot_dot(const part *p)
{
    return p->size == 2 && p->text[0] == '.' && p->text[1] == '.';
}

/* C0, DEL, and C1 as UTF-8 writes it. */
static bool has_control(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte < 0x20 || byte == 0x7f)
            return true;
        if (byte == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0)
            return true;
    }
    return false;
}

/* CON, NUL, COM1 and the like are devices in every directory, with any ending. */
static bool is_device(const part *p)
{
    static const char *const devices[] = {"con", "prn", "aux", "nul"};
    const char *dot = memchr(p->text, '.', p->size);
    size_t size = dot ? (size_t)(dot - p->text) : p->size;

    while (size && p->text[size - 1] == ' ')
        size--;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        if (size == 3 && strncasecmp(p->text, devices[i], 3) == 0)
            return true;
    }
    return size == 4 && p->text[3] >= '0' && p->text[3] <= '9' &&
           (strncasecmp(p->text, "com", 3) == 0 || strncasecmp(p->text, "lpt", 3) == 0);
}

static const char *windows_trouble(const part *p)
{
    char last = p->text[p->size - 1];

    if (memchr(p->text, ':', p->size))
        return "has a colon, which means a drive or a stream on Windows";
    if (memchr(p->text, '\\', p->size))
        return "has a backslash, which separates directories on Windows";
    if (last == '.' || last == ' ')
        return "has a dot or space at the end of a component, which Windows drops";
    return is_device(p) ? "has the name of a device of Windows" : NULL;
}

/* An empty component: where is the slash too many? */
static const char *slash_trouble(const part *p, const char *end)
{
    return p->text == end ? "ends with a slash" : "has two slashes in a row";
}

static const char *part_trouble(const part *p, bool any_system)
{
    if (is_dot_dot(p))
        return "has '..' in it";
    if (p->size > ORAS_TITLE_COMPONENT_MAX)
        return "has a component of more than 255 bytes";
    if (p->size >= strlen(PARTIAL) && strncasecmp(p->text, PARTIAL, strlen(PARTIAL)) == 0)
        return "has the name of a temporary file";
    return any_system || is_dot(p) ? NULL : windows_trouble(p);
}

static const char *whole_trouble(const char *title, size_t size)
{
    if (size == 0)
        return "is empty";
    if (size > ORAS_TITLE_MAX)
        return "has more than 4096 bytes";
    if (title[0] == '/')
        return "is an absolute path";
    if (!oras_utf8_is_valid(title, size))
        return "has bytes that are no UTF-8";
    return has_control(title, size) ? "has control characters" : NULL;
}

static const char *clean(const char *title, size_t size, bool any_system, oras_buf *out)
{
    const char *at = title, *trouble = whole_trouble(title, size);
    int depth = 0;
    part p;

    while (!trouble && next_part(&at, title + size, &p)) {
        trouble = p.size ? part_trouble(&p, any_system) : slash_trouble(&p, title + size);
        if (trouble || is_dot(&p))
            continue;
        if (++depth > ORAS_TITLE_DEPTH_MAX)
            return "has more than 64 components";
        if (out->size)
            oras_buf_puts(out, "/");
        oras_buf_append(out, p.text, p.size);
    }
    return trouble || out->size ? trouble : "names the directory itself";
}

/* Only what can stand in one line of a message. */
static size_t printable(const char *title, size_t size)
{
    size_t n = 0;

    while (n < size && n < SHOWN && title[n] >= ' ' && title[n] < 0x7f)
        n++;
    return n;
}

oras_code oras_title_clean(const char *title, size_t size, bool any_system, oras_buf *out,
                           oras_error *err)
{
    const char *trouble;
    size_t shown;

    oras_buf_clear(out);
    trouble = clean(title, size, any_system, out);
    if (!trouble)
        return oras_buf_check(out, "title", err);
    shown = printable(title, size);
    oras_buf_clear(out);
    return oras_fail(err, ORAS_C_PATH, "title '%.*s%s' %s, expected a relative path", (int)shown,
                     title, shown < size ? "..." : "", trouble);
}

/* --- paths ----------------------------------------------------------------------------- */

static void drop_last(oras_buf *path)
{
    while (path->size && path->data[path->size - 1] != '/')
        path->size--;
    if (path->size)
        path->size--;
    if (path->data)
        path->data[path->size] = '\0';
}

static void append_clean(const char *path, oras_buf *out)
{
    const char *at = path, *end = path + strlen(path);
    part p;

    while (next_part(&at, end, &p)) {
        if (is_dot_dot(&p)) {
            drop_last(out);
        } else if (p.size && !is_dot(&p)) {
            oras_buf_puts(out, "/");
            oras_buf_append(out, p.text, p.size);
        }
    }
}

/* "/a/b", and "" for the root of the file system */
static void make_absolute(const char *cwd, const char *path, oras_buf *out)
{
    if (path[0] != '/')
        append_clean(cwd, out);
    append_clean(path, out);
}

static bool strip(const oras_buf *path, const oras_buf *directory, oras_buf *out)
{
    const char *rest = oras_buf_text(path) + directory->size;

    if (path->size < directory->size ||
        memcmp(oras_buf_text(path), oras_buf_text(directory), directory->size) != 0 ||
        (*rest != '/' && *rest != '\0'))
        return false;
    return oras_buf_puts(out, *rest ? rest + 1 : ".");
}

bool oras_path_relative(const char *cwd, const char *path, const char *directory, oras_buf *out)
{
    oras_buf whole, base;
    bool inside;

    oras_buf_init(&whole, out->limit);
    oras_buf_init(&base, out->limit);
    oras_buf_clear(out);
    make_absolute(cwd, path, &whole);
    make_absolute(cwd, directory, &base);
    inside = whole.state == ORAS_BUF_OK && base.state == ORAS_BUF_OK && strip(&whole, &base, out);
    if (whole.state || base.state)
        out->state = whole.state ? whole.state : base.state;
    oras_buf_dispose(&whole);
    oras_buf_dispose(&base);
    return inside;
}
