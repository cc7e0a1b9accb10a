/* SPDX-License-Identifier: MIT
 * References as text and as URLs. */
#include "oci/grammar.h"
#include "oci/reference.h"

#include <string.h>

/* Would the last component of the path be read as a name with a tag or digest? */
static bool is_ambiguous(const oras_reference *reference)
{
    const char *slash = strrchr(reference->path, '/');
    const char *last = slash ? slash + 1 : reference->path;

    return strchr(last, '@') || (!*reference->tag && strchr(last, ':'));
}

bool oras_reference_print(const oras_reference *reference, oras_buf *out)
{
    if (reference->kind == ORAS_REFERENCE_LAYOUT) {
        oras_buf_puts(out, "oci:");
        oras_buf_puts(out, reference->path);
        if (is_ambiguous(reference))
            oras_buf_puts(out, "/");
    } else {
        oras_buf_puts(out, reference->registry);
        oras_buf_puts(out, "/");
        oras_buf_puts(out, reference->repository);
    }
    if (*reference->tag) {
        oras_buf_puts(out, ":");
        oras_buf_puts(out, reference->tag);
    }
    if (*reference->digest) {
        oras_buf_puts(out, "@");
        oras_buf_puts(out, reference->digest);
    }
    return out->state == ORAS_BUF_OK;
}

bool oras_endpoint_find(const char *name, oras_endpoint *out)
{
    static const char *const names[] = {"base", "manifest",  "blob",   "upload",
                                        "tags", "referrers", "catalog"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (oras_endpoint)i;
            return true;
        }
    }
    return false;
}

/* What may follow ".../manifests/" and the like: a digest, or a tag where `tags` says so. */
static oras_code check_arg(const char *arg, bool tags, oras_error *err)
{
    oras_digest digest;
    oras_error inner = ORAS_ERROR_INIT;

    if (!*arg)
        return oras_fail(err, ORAS_C_USAGE, "no %sdigest given", tags ? "tag or " : "");
    if (tags && oras_is_tag(arg, strlen(arg)))
        return ORAS_OK;
    if (oras_digest_parse(arg, strlen(arg), &digest, &inner))
        return oras_fail(err, ORAS_C_USAGE, "%s", inner.message);
    return ORAS_OK;
}

static const char *default_arg(const oras_reference *reference, oras_endpoint endpoint)
{
    if (*reference->digest || endpoint != ORAS_ENDPOINT_MANIFEST)
        return reference->digest;
    return reference->tag;
}

static const char *path_of(oras_endpoint endpoint)
{
    switch (endpoint) {
    case ORAS_ENDPOINT_MANIFEST:
        return "/manifests/";
    case ORAS_ENDPOINT_BLOB:
        return "/blobs/";
    case ORAS_ENDPOINT_UPLOAD:
        return "/blobs/uploads/";
    case ORAS_ENDPOINT_TAGS:
        return "/tags/list";
    case ORAS_ENDPOINT_REFERRERS:
        return "/referrers/";
    default:
        return "";
    }
}

static bool takes_arg(oras_endpoint endpoint)
{
    return endpoint == ORAS_ENDPOINT_MANIFEST || endpoint == ORAS_ENDPOINT_BLOB ||
           endpoint == ORAS_ENDPOINT_REFERRERS;
}

oras_code oras_reference_url(const oras_reference *reference, oras_endpoint endpoint,
                             const char *arg, oras_buf *out, oras_error *err)
{
    if (reference->kind == ORAS_REFERENCE_LAYOUT)
        return oras_fail(err, ORAS_C_USAGE, "layout '%s' has no URL", reference->path);
    if (!takes_arg(endpoint)) {
        arg = "";
    } else {
        oras_code code;

        arg = arg ? arg : default_arg(reference, endpoint);
        code = check_arg(arg, endpoint == ORAS_ENDPOINT_MANIFEST, err);
        if (code)
            return code;
    }
    oras_buf_puts(out, reference->host);
    oras_buf_puts(out, "/v2/");
    if (endpoint == ORAS_ENDPOINT_CATALOG)
        oras_buf_puts(out, "_catalog");
    else if (endpoint != ORAS_ENDPOINT_BASE)
        oras_buf_puts(out, reference->repository);
    oras_buf_puts(out, path_of(endpoint));
    oras_buf_puts(out, arg);
    return oras_buf_check(out, "URL", err);
}
