/* SPDX-License-Identifier: MIT
 * What parses prints to a text that parses to the same; nothing in it can leave its place in
 * an URL or hide a password. A first line is the default host. */
#include "fuzz.h"
#include "oci/reference.h"

static void check_url(const oras_reference *reference, oras_endpoint endpoint)
{
    oras_buf url = ORAS_BUF_INIT(16384);
    oras_error err = ORAS_ERROR_INIT;
    char prefix[sizeof reference->host + 8];

    if (oras_reference_url(reference, endpoint, NULL, &url, &err)) {
        REQUIRE_ERROR(err, "usage");
    } else {
        snprintf(prefix, sizeof prefix, "%s/v2/", reference->host);
        REQUIRE(strncmp(url.data, prefix, strlen(prefix)) == 0);
        /* no user, query, fragment, escape, blank or step upwards */
        REQUIRE(!strpbrk(url.data, "?#%\\ ") && !strstr(url.data, "/../") &&
                !strstr(url.data, "/./"));
        REQUIRE(!strchr(url.data, '@') && !strstr(url.data, "//"));
    }
    oras_buf_dispose(&url);
}

static void check_registry(const oras_reference *reference)
{
    oras_reference made;
    oras_error err = ORAS_ERROR_INIT;

    REQUIRE(*reference->registry && *reference->repository && !*reference->path);
    REQUIRE(*reference->tag || *reference->digest);
    REQUIRE(!oras_reference_make(reference->registry, reference->repository, reference->tag,
                                 reference->digest, &made, &err));
    REQUIRE(strcmp(made.host, reference->host) == 0);
    REQUIRE(strcmp(made.repository, reference->repository) == 0);
    for (int endpoint = ORAS_ENDPOINT_BASE; endpoint <= ORAS_ENDPOINT_CATALOG; endpoint++)
        check_url(reference, (oras_endpoint)endpoint);
}

static void check_round_trip(const oras_reference *reference, const char *fallback)
{
    oras_buf text = ORAS_BUF_INIT(16384);
    oras_reference again;
    oras_error err = ORAS_ERROR_INIT;
    size_t path_size = strlen(reference->path);

    REQUIRE(oras_reference_print(reference, &text));
    REQUIRE(!oras_reference_parse(text.data, text.size, fallback, &again, &err));
    REQUIRE(again.kind == reference->kind);
    REQUIRE(strcmp(again.registry, reference->registry) == 0);
    REQUIRE(strcmp(again.repository, reference->repository) == 0);
    REQUIRE(strcmp(again.tag, reference->tag) == 0);
    REQUIRE(strcmp(again.digest, reference->digest) == 0);
    /* a '/' may have been put behind a directory that looks like one with a tag */
    REQUIRE(strncmp(again.path, reference->path, path_size) == 0);
    REQUIRE(!again.path[path_size] || strcmp(again.path + path_size, "/") == 0);
    oras_buf_dispose(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *line = size ? memchr(text, '\n', size) : NULL;
    char *fallback = line ? fuzz_text(data, (size_t)(line - text)) : NULL;
    oras_reference reference;
    oras_error err = ORAS_ERROR_INIT;

    if (line) {
        size -= (size_t)(line + 1 - text);
        text = line + 1;
    }
    if (oras_reference_parse(text, size, fallback, &reference, &err)) {
        REQUIRE_ERROR(err, "usage");
    } else {
        if (reference.kind == ORAS_REFERENCE_REGISTRY)
            check_registry(&reference);
        check_round_trip(&reference, fallback);
    }
    free(fallback);
    return 0;
}
