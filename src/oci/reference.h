/* SPDX-License-Identifier: MIT
 * References: "host/repository[:tag][@digest]" and "oci:DIR[:TAG][@DIGEST]". */
#ifndef ORAS_OCI_REFERENCE_H
#define ORAS_OCI_REFERENCE_H

#include "base/buf.h"
#include "oci/digest.h"
#include "oci/origin.h"

/* Limits of docker's library and of distribution-spec, "Pulling manifests". */
#define ORAS_REPOSITORY_MAX  255
#define ORAS_TAG_MAX         128
#define ORAS_LAYOUT_PATH_MAX 4096

typedef enum oras_reference_kind {
    ORAS_REFERENCE_REGISTRY,
    ORAS_REFERENCE_LAYOUT
} oras_reference_kind;

/** "" stands for what is not there. */
typedef struct oras_reference {
    oras_reference_kind kind;
    char registry[ORAS_HOST_MAX + 8];         /* "docker.io", "[::1]:5000": the name */
    char host[ORAS_HOST_MAX + 8];             /* where the API is: "registry-1.docker.io" */
    char repository[ORAS_REPOSITORY_MAX + 1]; /* whole: "library/alpine" */
    char path[ORAS_LAYOUT_PATH_MAX + 1];      /* of a layout */
    char tag[ORAS_TAG_MAX + 1];
    char digest[ORAS_DIGEST_TEXT_MAX];
} oras_reference;

/**
 * Parse, and fill in what docker fills in: the host, "library/", "latest" where a registry's
 * reference has neither tag nor digest (never for a layout).
 *
 * @param default_host  for a text whose first component is no host; NULL: docker.io
 * @return class usage; a message never repeats what may be a password
 */
oras_code oras_reference_parse(const char *text, size_t size, const char *default_host,
                               oras_reference *out, oras_error *err);

/** The same from parts, NULL or "" for absent ones; adds no tag. Class usage. */
oras_code oras_reference_make(const char *registry, const char *repository, const char *tag,
                              const char *digest, oras_reference *out, oras_error *err);
oras_code oras_reference_make_layout(const char *path, const char *tag, const char *digest,
                                     oras_reference *out, oras_error *err);

/** Append the text that parses to the same reference. */
bool oras_reference_print(const oras_reference *reference, oras_buf *out);

/** Endpoints of distribution-spec, "Endpoints"; what an upload goes on with is the server's
 * Location. */
typedef enum oras_endpoint {
    ORAS_ENDPOINT_BASE,      /* end-1 */
    ORAS_ENDPOINT_MANIFEST,  /* end-3, 7, 9; arg: tag or digest, default the reference's */
    ORAS_ENDPOINT_BLOB,      /* end-2, 10; arg: digest, default the reference's */
    ORAS_ENDPOINT_UPLOAD,    /* end-4, 11 */
    ORAS_ENDPOINT_TAGS,      /* end-8 */
    ORAS_ENDPOINT_REFERRERS, /* end-12; arg: digest, default the reference's */
    ORAS_ENDPOINT_CATALOG
} oras_endpoint;

/** The endpoint of a name ("manifest"); false if there is none. */
bool oras_endpoint_find(const char *name, oras_endpoint *out);

/** Append "host/v2/..." without a scheme. Class usage: a layout, a bad or missing `arg`. */
oras_code oras_reference_url(const oras_reference *reference, oras_endpoint endpoint,
                             const char *arg, oras_buf *out, oras_error *err);

#endif
