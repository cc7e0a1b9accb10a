/* SPDX-License-Identifier: MIT
 * Docker's reading of references (distribution/reference), except that userinfo, schemes and
 * digests that cannot be verified are refused. */
#include "oci/reference.h"

#include "oci/grammar.h"
#include "oci/host.h"

#include <string.h>
#include <strings.h>

#define DOCKER_HOST     "docker.io"
#define DOCKER_API_HOST "registry-1.docker.io"
#define LAYOUT_SCHEME   "oci:"
#define SHOWN           100 /* bytes of a refused part that a message shows */

_Static_assert(ORAS_AUTHORITY_MAX < ORAS_HOST_MAX + 8, "a host with its port fits");

typedef struct part {
    const char *data; /* NULL: absent */
    size_t size;
} part;

static int shown(part p)
{
    return (int)(p.size < SHOWN ? p.size : SHOWN);
}

static part part_of(const char *text)
{
    return text && *text ? (part){text, strlen(text)} : (part){NULL, 0};
}

static void copy(part from, char *out)
{
    memcpy(out, from.data, from.size);
    out[from.size] = '\0';
}

/* Cut what follows the last `separator` behind the last '/'; absent if there is none. */
static part cut_last(part *text, char separator)
{
    for (size_t at = text->size; at > 0 && text->data[at - 1] != '/'; at--) {
        if (text->data[at - 1] == separator) {
            part tail = {text->data + at, text->size - at};

            text->size = at - 1;
            return tail;
        }
    }
    return (part){NULL, 0};
}

static oras_code set_tag(part tag, oras_reference *out, oras_error *err)
{
    if (!tag.data)
        return ORAS_OK;
    if (!oras_is_tag(tag.data, tag.size))
        return oras_fail(err, ORAS_C_USAGE,
                         "tag '%.*s', expected 1 to %d letters, digits, '_', '.' and '-', the "
                         "first one no '.' or '-'",
                         shown(tag), tag.data, ORAS_TAG_MAX);
    copy(tag, out->tag);
    return ORAS_OK;
}

/* What stands behind '@' may be the rest of a password: it is shown only if it begins as a
 * digest does. */
static oras_code set_digest(part digest, oras_reference *out, oras_error *err)
{
    oras_digest parsed;
    oras_error inner = ORAS_ERROR_INIT;

    if (!digest.data)
        return ORAS_OK;
    if (memchr(digest.data, '/', digest.size) || memchr(digest.data, '@', digest.size))
        return oras_fail(err, ORAS_C_USAGE,
                         "a reference must not hold user name or password: expected nothing but "
                         "a digest behind '@'");
    if (!oras_digest_parse(digest.data, digest.size, &parsed, &inner)) {
        copy(digest, out->digest);
        return ORAS_OK;
    }
    if (digest.size < 3 || memcmp(digest.data, "sha", 3) != 0)
        return oras_fail(err, ORAS_C_USAGE,
                         "no digest behind '@', expected 'sha256:' and 64 lower-case hex digits");
    return oras_fail(err, ORAS_C_USAGE, "%s", inner.message);
}

static oras_code set_registry(part registry, oras_reference *out, oras_error *err)
{
    oras_code code = oras_host_normalise(registry.data, registry.size, out->registry, err);

    if (code)
        return code;
    if (strcmp(out->registry, DOCKER_HOST) == 0) {
        memcpy(out->host, DOCKER_API_HOST, sizeof DOCKER_API_HOST);
        return ORAS_OK;
    }
    for (size_t i = 0; i == 0 || out->registry[i - 1]; i++) {
        char c = out->registry[i];

        out->host[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return ORAS_OK;
}

static bool has_upper(part text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] >= 'A' && text.data[i] <= 'Z')
            return true;
    }
    return false;
}

static oras_code set_repository(part name, oras_reference *out, oras_error *err)
{
    static const char library[] = "library/";
    bool is_short = strcmp(out->registry, DOCKER_HOST) == 0 && !memchr(name.data, '/', name.size);
    size_t prefix = is_short ? sizeof library - 1 : 0;

    if (name.size + prefix > ORAS_REPOSITORY_MAX)
        return oras_fail(err, ORAS_C_USAGE,
                         "repository '%.*s...' of %zu bytes, expected at most %d", shown(name),
                         name.data, name.size, ORAS_REPOSITORY_MAX);
    if (!oras_is_repository(name.data, name.size))
        return oras_fail(
            err, ORAS_C_USAGE, "repository '%.*s', expected %s", shown(name), name.data,
            has_upper(name) ? "lower-case letters"
                            : "letters and digits, separated by '/', '.', '_', '__' or '-'");
    memcpy(out->repository, library, prefix);
    copy(name, out->repository + prefix);
    return ORAS_OK;
}

static bool is_plain(part text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    }
    return true;
}

static oras_code set_path(part path, oras_reference *out, oras_error *err)
{
    if (path.size == 0)
        return oras_fail(err, ORAS_C_USAGE,
                         "no directory behind 'oci:', expected "
                         "'oci:DIR[:TAG][@DIGEST]'");
    if (path.size > ORAS_LAYOUT_PATH_MAX)
        return oras_fail(err, ORAS_C_USAGE, "directory '%.*s...' of %zu bytes, expected at most %d",
                         shown(path), path.data, path.size, ORAS_LAYOUT_PATH_MAX);
    if (!is_plain(path))
        return oras_fail(err, ORAS_C_USAGE,
                         "directory '%.*s' with control characters, expected a "
                         "plain path",
                         shown(path), path.data);
    copy(path, out->path);
    return ORAS_OK;
}

static oras_code fill_registry(part registry, part name, part tag, part digest, oras_reference *out,
                               oras_error *err)
{
    oras_code code = set_digest(digest, out, err);

    if (!code)
        code = set_tag(tag, out, err);
    if (!code)
        code = set_registry(registry, out, err);
    if (!code)
        code = set_repository(name, out, err);
    return code;
}

static oras_code fill_layout(part path, part tag, part digest, oras_reference *out, oras_error *err)
{
    oras_code code = set_digest(digest, out, err);

    if (!code)
        code = set_tag(tag, out, err);
    if (!code)
        code = set_path(path, out, err);
    return code;
}

static void clear(oras_reference *out, oras_reference_kind kind)
{
    out->kind = kind;
    out->registry[0] = out->host[0] = out->repository[0] = out->path[0] = '\0';
    out->tag[0] = out->digest[0] = '\0';
}

/* A directory's name may have '@' and ':' in it: only what is surely a digest or a tag is
 * cut off, and a '/' behind the directory settles the matter. */
static oras_code parse_layout(part text, oras_reference *out, oras_error *err)
{
    part rest = text, tag, digest = cut_last(&rest, '@');
    part before;

    if (digest.data && !(digest.size > 3 && memcmp(digest.data, "sha", 3) == 0 &&
                         memchr(digest.data, ':', digest.size))) {
        rest = text;
        digest = (part){NULL, 0};
    }
    before = rest;
    tag = cut_last(&rest, ':');
    if (tag.data && !oras_is_tag(tag.data, tag.size)) {
        rest = before;
        tag = (part){NULL, 0};
    }
    clear(out, ORAS_REFERENCE_LAYOUT);
    return fill_layout(rest, tag, digest, out, err);
}

/* Give the registry in front of *name and cut it off, if there is one. */
static part cut_registry(part *name, part fallback)
{
    const char *slash = memchr(name->data, '/', name->size);
    part first = {name->data, slash ? (size_t)(slash - name->data) : 0};

    if (!slash ||
        !(oras_looks_like_host(first.data, first.size) ||
          (first.size == fallback.size && memcmp(first.data, fallback.data, first.size) == 0)))
        return fallback;
    name->data = slash + 1;
    name->size -= first.size + 1;
    return first;
}

static bool is_of(part text, const char *letters)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!text.data[i] || !strchr(letters, text.data[i]))
            return false;
    }
    return text.size > 0;
}

static size_t count_dots(part text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.size; i++)
        n += text.data[i] == '.';
    return n;
}

/* Without a '/' all is a name and its tag. But nobody means these: "localhost" and addresses,
 * and what has a dot and a port, which no image of Docker's library is called. */
static bool is_host_alone(part name, part tag, part fallback)
{
    bool is_hub = fallback.size == sizeof DOCKER_HOST - 1 &&
                  memcmp(fallback.data, DOCKER_HOST, fallback.size) == 0;

    if (memchr(name.data, '/', name.size))
        return false;
    return name.data[0] == '[' || (name.size == 9 && strncasecmp(name.data, "localhost", 9) == 0) ||
           (count_dots(name) == 3 && is_of(name, "0123456789.")) ||
           (is_hub && count_dots(name) > 0 && is_of(tag, "0123456789"));
}

/* A number behind it is the port; the colons of "[::1]" cut nothing off. */
static oras_code fail_host_alone(part name, part tag, oras_error *err)
{
    part end = is_of(tag, "0123456789") || name.data[0] == '[' ? tag : name;
    part host = {name.data, end.data ? (size_t)(end.data + end.size - name.data) : name.size};

    return oras_fail(err, ORAS_C_USAGE,
                     "'%.*s' is a registry, and no repository is named, expected "
                     "'%.*s/repository[:tag][@digest]'",
                     shown(host), host.data, shown(host), host.data);
}

static oras_code parse_registry(part text, part fallback, oras_reference *out, oras_error *err)
{
    const char *at = memchr(text.data, '@', text.size);
    part name = {text.data, at ? (size_t)(at - text.data) : text.size};
    part digest = {at ? at + 1 : NULL, at ? text.size - name.size - 1 : 0};
    part tag, registry;
    oras_code code;

    if (!digest.data && oras_is_image_id(name.data, name.size))
        return oras_fail(err, ORAS_C_USAGE,
                         "'%.*s' is an image ID, expected 'repository@sha256:...'", shown(name),
                         name.data);
    clear(out, ORAS_REFERENCE_REGISTRY);
    code = set_digest(digest, out, err); /* first: nothing may be shown if this is a password */
    if (code)
        return code;
    tag = cut_last(&name, ':');
    if (name.size > 0 && is_host_alone(name, tag, fallback))
        return fail_host_alone(name, tag, err);
    registry = cut_registry(&name, fallback);
    if (name.size == 0)
        return oras_fail(err, ORAS_C_USAGE,
                         "reference '%.*s' names no repository, expected "
                         "'host/repository[:tag][@digest]'",
                         shown(text), text.data);
    code = fill_registry(registry, name, tag, digest, out, err);
    if (!code && !tag.data && !digest.data)
        memcpy(out->tag, "latest", sizeof "latest");
    return code;
}

static const char *find_scheme(part text)
{
    for (size_t i = 0; i + 2 < text.size; i++) {
        if (memcmp(text.data + i, "://", 3) == 0)
            return text.data + i;
    }
    return NULL;
}

/* What is wrong with the text as a whole; shows nothing behind a scheme (it may be userinfo). */
static oras_code check_text(part text, oras_error *err)
{
    const char *scheme = find_scheme(text);

    if (text.size == 0)
        return oras_fail(err, ORAS_C_USAGE,
                         "empty reference, expected 'host/repository[:tag][@digest]'");
    if (scheme)
        return oras_fail(err, ORAS_C_USAGE,
                         "reference with the scheme '%.*s://', expected 'host/repository' without "
                         "(plain http is an option, plain_http)",
                         shown((part){text.data, (size_t)(scheme - text.data)}), text.data);
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] <= 0x20 || text.data[i] == 0x7f)
            return oras_fail(err, ORAS_C_USAGE,
                             "reference with a blank or control character at byte %zu, expected "
                             "'host/repository[:tag][@digest]'",
                             i + 1);
    }
    return ORAS_OK;
}

oras_code oras_reference_parse(const char *text, size_t size, const char *default_host,
                               oras_reference *out, oras_error *err)
{
    part all = {text, size};
    part fallback = part_of(default_host && *default_host ? default_host : DOCKER_HOST);
    oras_reference parsed;
    oras_code code;

    if (size >= 4 && memcmp(text, LAYOUT_SCHEME, 4) == 0) {
        code = parse_layout((part){text + 4, size - 4}, &parsed, err);
    } else {
        code = check_text(all, err);
        if (!code)
            code = parse_registry(all, fallback, &parsed, err);
    }
    if (!code)
        *out = parsed;
    return code;
}

oras_code oras_reference_make(const char *registry, const char *repository, const char *tag,
                              const char *digest, oras_reference *out, oras_error *err)
{
    oras_reference made;
    oras_code code;

    if (!part_of(registry).data || !part_of(repository).data)
        return oras_fail(err, ORAS_C_USAGE, "reference without registry or repository");
    clear(&made, ORAS_REFERENCE_REGISTRY);
    code = fill_registry(part_of(registry), part_of(repository), part_of(tag), part_of(digest),
                         &made, err);
    if (!code)
        *out = made;
    return code;
}

oras_code oras_reference_make_layout(const char *path, const char *tag, const char *digest,
                                     oras_reference *out, oras_error *err)
{
    oras_reference made;
    oras_code code;

    clear(&made, ORAS_REFERENCE_LAYOUT);
    code = fill_layout(part_of(path), part_of(tag), part_of(digest), &made, err);
    if (!code)
        *out = made;
    return code;
}
