/* SPDX-License-Identifier: MIT */
#include "oci/reference.h"

#include "cmocka_c11.h"

#include <stdio.h>
#include <string.h>

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX

typedef struct good_reference {
    const char *text, *fallback;
    const char *registry, *host, *repository, *tag, *digest;
    const char *printed; /* NULL: as `text` */
} good_reference;

static const good_reference registries[] = {
    {"ghcr.io/a/b:1", NULL, "ghcr.io", "ghcr.io", "a/b", "1", "", NULL},
    {"ghcr.io/a", NULL, "ghcr.io", "ghcr.io", "a", "latest", "", "ghcr.io/a:latest"},
    {"ghcr.io/a@" DIGEST, NULL, "ghcr.io", "ghcr.io", "a", "", DIGEST, NULL},
    {"ghcr.io/a:t@" DIGEST, NULL, "ghcr.io", "ghcr.io", "a", "t", DIGEST, NULL},
    {"localhost/a", NULL, "localhost", "localhost", "a", "latest", "", "localhost/a:latest"},
    {"localhost:5000/a/b/c:v", NULL, "localhost:5000", "localhost:5000", "a/b/c", "v", "", NULL},
    {"127.0.0.1:1/a:v", NULL, "127.0.0.1:1", "127.0.0.1:1", "a", "v", "", NULL},
    {"h:65535/a:v", NULL, "h:65535", "h:65535", "a", "v", "", NULL},
    {"[::1]/a:v", NULL, "[::1]", "[::1]", "a", "v", "", NULL},
    {"[::1]:5000/a:v", NULL, "[::1]:5000", "[::1]:5000", "a", "v", "", NULL},
    {"[0:0::0001]:5000/a:v", NULL, "[::1]:5000", "[::1]:5000", "a", "v", "", "[::1]:5000/a:v"},
    {"[2001:DB8::A]/a:v", NULL, "[2001:db8::a]", "[2001:db8::a]", "a", "v", "",
     "[2001:db8::a]/a:v"},
    {"GHCR.io/a:v", NULL, "ghcr.io", "ghcr.io", "a", "v", "", "ghcr.io/a:v"},
    {"Registry/a:v", NULL, "Registry", "registry", "a", "v", "", NULL},
    {"LocalHost/a:v", NULL, "localhost", "localhost", "a", "v", "", "localhost/a:v"},
    {"xn--bcher-kva.example/a:v", NULL, "xn--bcher-kva.example", "xn--bcher-kva.example", "a", "v",
     "", NULL},
    {"ghcr.io/a__b/c---d/e.f/g_h:_x.Y-z", NULL, "ghcr.io", "ghcr.io", "a__b/c---d/e.f/g_h",
     "_x.Y-z", "", NULL},
    {"alpine", NULL, "docker.io", "registry-1.docker.io", "library/alpine", "latest", "",
     "docker.io/library/alpine:latest"},
    {"foo:5000", NULL, "docker.io", "registry-1.docker.io", "library/foo", "5000", "",
     "docker.io/library/foo:5000"},
    {"localhosts:1", NULL, "docker.io", "registry-1.docker.io", "library/localhosts", "1", "",
     "docker.io/library/localhosts:1"},
    {"node.js", NULL, "docker.io", "registry-1.docker.io", "library/node.js", "latest", "",
     "docker.io/library/node.js:latest"},
    {"node.js:v12", NULL, "docker.io", "registry-1.docker.io", "library/node.js", "v12", "",
     "docker.io/library/node.js:v12"},
    {"node.js:12", "ghcr.io", "ghcr.io", "ghcr.io", "node.js", "12", "", "ghcr.io/node.js:12"},
    {"1.2.3", NULL, "docker.io", "registry-1.docker.io", "library/1.2.3", "latest", "",
     "docker.io/library/1.2.3:latest"},
    {"docker.io/localhost", NULL, "docker.io", "registry-1.docker.io", "library/localhost",
     "latest", "", "docker.io/library/localhost:latest"},
    {"a/b", NULL, "docker.io", "registry-1.docker.io", "a/b", "latest", "", "docker.io/a/b:latest"},
    {"docker.io/a", NULL, "docker.io", "registry-1.docker.io", "library/a", "latest", "",
     "docker.io/library/a:latest"},
    {"index.docker.io/a/b:v", NULL, "docker.io", "registry-1.docker.io", "a/b", "v", "",
     "docker.io/a/b:v"},
    {"a/b:v", "ghcr.io", "ghcr.io", "ghcr.io", "a/b", "v", "", "ghcr.io/a/b:v"},
    {"a", "ghcr.io", "ghcr.io", "ghcr.io", "a", "latest", "", "ghcr.io/a:latest"},
    {"quay.io/a:v", "ghcr.io", "quay.io", "quay.io", "a", "v", "", NULL},
    {"a:v", "docker.io", "docker.io", "registry-1.docker.io", "library/a", "v", "",
     "docker.io/library/a:v"},
    {"registry/a:v", "registry", "registry", "registry", "a", "v", "", NULL},
    {"other/a:v", "registry", "registry", "registry", "other/a", "v", "", "registry/other/a:v"},
    {"a:v", "", "docker.io", "registry-1.docker.io", "library/a", "v", "", "docker.io/library/a:v"},
};

static void check_printed(const oras_reference *reference, const char *expected)
{
    oras_buf out = ORAS_BUF_INIT(8192);

    assert_true(oras_reference_print(reference, &out));
    assert_string_equal(oras_buf_text(&out), expected);
    oras_buf_dispose(&out);
}

static void test_registry_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof registries / sizeof registries[0]; i++) {
        const good_reference *good = &registries[i];
        oras_reference reference;
        oras_error err = ORAS_ERROR_INIT;

        if (oras_reference_parse(good->text, strlen(good->text), good->fallback, &reference, &err))
            fail_msg("'%s': %s", good->text, err.message);
        assert_int_equal(reference.kind, ORAS_REFERENCE_REGISTRY);
        assert_string_equal(reference.registry, good->registry);
        assert_string_equal(reference.host, good->host);
        assert_string_equal(reference.repository, good->repository);
        assert_string_equal(reference.tag, good->tag);
        assert_string_equal(reference.digest, good->digest);
        check_printed(&reference, good->printed ? good->printed : good->text);
    }
}

static const struct {
    const char *text, *path, *tag, *digest;
} layouts[] = {
    {"oci:dir", "dir", "", ""},
    {"oci:dir:v1", "dir", "v1", ""},
    {"oci:/abs/dir:v1@" DIGEST, "/abs/dir", "v1", DIGEST},
    {"oci:dir@" DIGEST, "dir", "", DIGEST},
    {"oci:a:b/c", "a:b/c", "", ""},
    {"oci:a:b:c", "a:b", "c", ""},
    {"oci:a:b/", "a:b/", "", ""},
    {"oci:./x y:v", "./x y", "v", ""},
    {"oci:me@host/dir:v", "me@host/dir", "v", ""},
    {"oci:icon@2x", "icon@2x", "", ""},
    {"oci:dir:no tag", "dir:no tag", "", ""},
    {"oci:dir:", "dir:", "", ""},
    {"oci:dir:.x", "dir:.x", "", ""},
    {"oci:http://x", "http://x", "", ""},
    {"oci:..", "..", "", ""},
};

static void test_layout_references_have_no_latest(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        oras_reference reference;
        oras_buf out = ORAS_BUF_INIT(8192);
        oras_reference again;

        assert_int_equal(oras_reference_parse(layouts[i].text, strlen(layouts[i].text), "ghcr.io",
                                              &reference, NULL),
                         ORAS_OK);
        assert_int_equal(reference.kind, ORAS_REFERENCE_LAYOUT);
        assert_string_equal(reference.path, layouts[i].path);
        assert_string_equal(reference.tag, layouts[i].tag);
        assert_string_equal(reference.digest, layouts[i].digest);
        oras_reference_print(&reference, &out);
        assert_int_equal(oras_reference_parse(out.data, out.size, NULL, &again, NULL), ORAS_OK);
        assert_string_equal(again.tag, layouts[i].tag);
        oras_buf_dispose(&out);
    }
}

static const char *const malformed[] = {
    "",
    " ",
    "/",
    "//a",
    "/a",
    "ghcr.io/",
    "ghcr.io//a",
    "ghcr.io/a/",
    "http://ghcr.io/a",
    "https://ghcr.io/a:v",
    "HTTPS://ghcr.io/a",
    "docker://alpine",
    "://a",
    "user@ghcr.io/a",
    "user:password@ghcr.io/a",
    "ghcr.io/a@",
    "ghcr.io/a@latest",
    "ghcr.io/a@sha256:",
    "ghcr.io/a@sha256:0123",
    "ghcr.io/a@SHA256:" HEX,
    "ghcr.io/a@md5:d41d8cd98f00b204e9800998ecf8427e",
    "ghcr.io/a@" DIGEST "0",
    "ghcr.io/a@" DIGEST "@" DIGEST,
    "ghcr.io/a@" DIGEST ":tag",
    "@" DIGEST,
    "ghcr.io/A",
    "ghcr.io/a/B:v",
    "ghcr.io/a..b",
    "ghcr.io/a___b",
    "ghcr.io/a.-b",
    "ghcr.io/-a",
    "ghcr.io/a-",
    "ghcr.io/a_",
    "ghcr.io/a/../b",
    "ghcr.io/.",
    "ghcr.io/a b",
    "ghcr.io/a\tb",
    "ghcr.io/a\nb",
    "ghcr.io/a\x7f",
    "ghcr.io/a\xc3\xa9",
    "ghcr.io/a%20b",
    "ghcr.io/a?x=1",
    "ghcr.io/a#x",
    "ghcr.io/a\\b",
    "ghcr.io/a:",
    "ghcr.io/a:.v",
    "ghcr.io/a:-v",
    "ghcr.io/a:v+1",
    "ghcr.io/a:v:w",
    "ghcr.io:/a",
    "ghcr.io:0/a",
    "ghcr.io:080/a",
    "ghcr.io:65536/a",
    "ghcr.io:99999999999999999999/a",
    "ghcr.io:80x/a",
    "ghcr.io:-1/a",
    "ghcr.io:80:81/a",
    ".ghcr.io/a",
    "ghcr..io/a",
    "ghcr.io./a",
    "-ghcr.io/a",
    "ghcr-.io/a",
    "gh_cr.io/a",
    "b\xc3\xbc"
    "cher.example/a",
    "[::1/a",
    "::1/a",
    "[]/a",
    "[::g]/a",
    "[1.2.3.4]/a",
    "[fe80::1%25eth0]/a",
    "[fe80::1%eth0]/a",
    "[::1]x/a",
    "[::1]:/a",
    HEX,
    "oci:",
    "oci::v",
    "oci:@" DIGEST,
    "oci:dir@sha256:0123",
    "oci:dir\n:v",
};

static void test_C38_malformed_references_are_usage_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        oras_reference reference;
        oras_error err = ORAS_ERROR_INIT;

        memset(&reference, 'x', sizeof reference);
        if (!oras_reference_parse(malformed[i], strlen(malformed[i]), NULL, &reference, &err))
            fail_msg("'%s' was taken", malformed[i]);
        assert_class(err.code, ORAS_C_USAGE);
        assert_int_equal(reference.tag[0], 'x'); /* not touched */
    }
}

static const struct {
    const char *text, *fallback, *host;
} hosts_alone[] = {
    {"localhost", NULL, "localhost"},
    {"localhost", "ghcr.io", "localhost"},
    {"localhost:v1", NULL, "localhost"},
    {"localhost:5000", NULL, "localhost:5000"},
    {"LocalHost:5000", NULL, "LocalHost:5000"},
    {"localhost@" DIGEST, NULL, "localhost"},
    {"127.0.0.1", NULL, "127.0.0.1"},
    {"127.0.0.1:5000", NULL, "127.0.0.1:5000"},
    {"127.0.0.1:5000", "ghcr.io", "127.0.0.1:5000"},
    {"127.0.0.1:5000@" DIGEST, NULL, "127.0.0.1:5000"},
    {"registry.example.com:5000", NULL, "registry.example.com:5000"},
    {"[::1]", NULL, "[::1]"},
    {"[::1]:5000", NULL, "[::1]:5000"},
};

static void test_a_host_alone_is_no_short_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts_alone / sizeof hosts_alone[0]; i++) {
        const char *text = hosts_alone[i].text;
        char expected[400];
        oras_reference reference;
        oras_error err = ORAS_ERROR_INIT;

        if (!oras_reference_parse(text, strlen(text), hosts_alone[i].fallback, &reference, &err))
            fail_msg("'%s' was taken", text);
        assert_class(err.code, ORAS_C_USAGE);
        snprintf(expected, sizeof expected,
                 "'%s' is a registry, and no repository is named, expected "
                 "'%s/repository[:tag][@digest]'",
                 hosts_alone[i].host, hosts_alone[i].host);
        assert_string_equal(err.message, expected);
    }
}

static void refuse(const char *text, size_t size)
{
    oras_reference reference;
    oras_error err = ORAS_ERROR_INIT;

    assert_class(oras_reference_parse(text, size, NULL, &reference, &err), ORAS_C_USAGE);
    assert_true(strlen(err.message) < 400);
}

static void test_C38_lengths(void **state)
{
    char text[12000];

    (void)state;
    memset(text, 'a', sizeof text);
    refuse(text, 10240);
    memcpy(text, "ghcr.io/", 8);
    assert_int_equal(text[8 + 255], 'a');
    refuse(text, 8 + 256);
    text[300] = '.';
    text[301] = 'b';
    text[302] = '/';
    memset(text, 'a', 300);
    refuse(text, 304); /* a host of 302 bytes */
    memset(text, 'a', sizeof text);
    memcpy(text, "oci:", 4);
    refuse(text, 4 + 4097);
}

static void test_C38_a_tag_has_128_characters_at_most(void **state)
{
    char text[200];
    oras_reference reference;

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "ghcr.io/a:", 10);
    assert_int_equal(oras_reference_parse(text, 10 + 128, NULL, &reference, NULL), ORAS_OK);
    assert_int_equal(strlen(reference.tag), 128);
    refuse(text, 10 + 129);
}

static void test_C38_a_repository_has_255_characters_at_most(void **state)
{
    char text[300];
    oras_reference reference;

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "ghcr.io/", 8);
    assert_int_equal(oras_reference_parse(text, 8 + 255, NULL, &reference, NULL), ORAS_OK);
    assert_int_equal(strlen(reference.repository), 255);
    memset(text, 'a', sizeof text);
    assert_int_equal(oras_reference_parse(text, 247, NULL, &reference, NULL), ORAS_OK);
    refuse(text, 248); /* "library/" is part of it */
}

static void test_C38_nul_is_refused(void **state)
{
    (void)state;
    refuse("ghcr.io/a\0b", 11);
    refuse("oci:dir\0x", 9);
    refuse("\0", 1);
}

static const char *const secrets[] = {
    "http://user:hunter2@ghcr.io/a",
    "user:hunter2@ghcr.io/a",
    "user:hunter2@ghcr.io",
    "user:hunter2@ghcr.io:5000/a:v",
    "user:x@hunter2@ghcr.io/a",
    "user:x@hunter2:y@ghcr.io/a",
    "user:x@hunter2",
    "user:hunter2 @ghcr.io/a",
    "user:hunter2\n@ghcr.io/a",
    "https://hunter2@ghcr.io/a@" DIGEST,
};

static void test_C38_a_password_is_never_repeated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        oras_reference reference;
        oras_error err = ORAS_ERROR_INIT;

        assert_class(oras_reference_parse(secrets[i], strlen(secrets[i]), NULL, &reference, &err),
                     ORAS_C_USAGE);
        assert_null(strstr(err.message, "hunter2"));
        assert_class(oras_reference_parse("a", 1, secrets[i], &reference, &err), ORAS_C_USAGE);
        assert_null(strstr(err.message, "hunter2"));
    }
}

static void test_hints(void **state)
{
    oras_reference reference;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    oras_reference_parse("http://h/a", 10, NULL, &reference, &err);
    assert_non_null(strstr(err.message, "plain_http"));
    oras_reference_parse("ghcr.io/Abc", 11, NULL, &reference, &err);
    assert_non_null(strstr(err.message, "'Abc', expected lower-case"));
    oras_reference_parse("b\xc3\xbc.example/a", 13, NULL, &reference, &err);
    assert_non_null(strstr(err.message, "xn--"));
    oras_reference_parse("a", 1, "https://ghcr.io", &reference, &err);
    assert_non_null(strstr(err.message, "without scheme"));
}

static void test_references_from_parts(void **state)
{
    oras_reference reference;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(oras_reference_make("ghcr.io", "a/b", NULL, NULL, &reference, NULL), ORAS_OK);
    check_printed(&reference, "ghcr.io/a/b");
    assert_int_equal(oras_reference_make("ghcr.io", "a/b", "", DIGEST, &reference, NULL), ORAS_OK);
    check_printed(&reference, "ghcr.io/a/b@" DIGEST);
    assert_class(oras_reference_make("", "a", NULL, NULL, &reference, &err), ORAS_C_USAGE);
    assert_class(oras_reference_make("h", NULL, NULL, NULL, &reference, &err), ORAS_C_USAGE);
    assert_class(oras_reference_make("h/x", "a", NULL, NULL, &reference, &err), ORAS_C_USAGE);
    assert_class(oras_reference_make("h", "a:b", NULL, NULL, &reference, &err), ORAS_C_USAGE);
    assert_class(oras_reference_make("h", "a", "x/y", NULL, &reference, &err), ORAS_C_USAGE);
}

static void test_an_ambiguous_directory_prints_as_one(void **state)
{
    static const char *const paths[] = {"a:b", "x/a:b", "a@sha256:b", "a:b@c"};

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        oras_reference made, parsed;
        oras_buf out = ORAS_BUF_INIT(8192);

        assert_int_equal(oras_reference_make_layout(paths[i], NULL, NULL, &made, NULL), ORAS_OK);
        oras_reference_print(&made, &out);
        assert_int_equal(oras_reference_parse(out.data, out.size, NULL, &parsed, NULL), ORAS_OK);
        assert_memory_equal(parsed.path, paths[i], strlen(paths[i]));
        assert_string_equal(parsed.path + strlen(paths[i]), "/");
        assert_string_equal(parsed.tag, "");
        oras_buf_dispose(&out);
    }
}

static const struct {
    const char *text;
    oras_endpoint endpoint;
    const char *arg, *url;
} urls[] = {
    {"ghcr.io/a/b:v", ORAS_ENDPOINT_BASE, NULL, "ghcr.io/v2/"},
    {"ghcr.io/a/b:v", ORAS_ENDPOINT_MANIFEST, NULL, "ghcr.io/v2/a/b/manifests/v"},
    {"ghcr.io/a/b:v", ORAS_ENDPOINT_MANIFEST, "w", "ghcr.io/v2/a/b/manifests/w"},
    {"ghcr.io/a/b:v@" DIGEST, ORAS_ENDPOINT_MANIFEST, NULL, "ghcr.io/v2/a/b/manifests/" DIGEST},
    {"alpine", ORAS_ENDPOINT_BLOB, DIGEST, "registry-1.docker.io/v2/library/alpine/blobs/" DIGEST},
    {"h:1/a@" DIGEST, ORAS_ENDPOINT_BLOB, NULL, "h:1/v2/a/blobs/" DIGEST},
    {"[::1]:5000/a", ORAS_ENDPOINT_UPLOAD, NULL, "[::1]:5000/v2/a/blobs/uploads/"},
    {"ghcr.io/a", ORAS_ENDPOINT_TAGS, NULL, "ghcr.io/v2/a/tags/list"},
    {"ghcr.io/a", ORAS_ENDPOINT_REFERRERS, DIGEST, "ghcr.io/v2/a/referrers/" DIGEST},
    {"Registry/a", ORAS_ENDPOINT_CATALOG, NULL, "registry/v2/_catalog"},
};

static void test_urls_of_every_endpoint(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        oras_reference reference;
        oras_buf out = ORAS_BUF_INIT(8192);

        oras_reference_parse(urls[i].text, strlen(urls[i].text), NULL, &reference, NULL);
        assert_int_equal(oras_reference_url(&reference, urls[i].endpoint, urls[i].arg, &out, NULL),
                         ORAS_OK);
        assert_string_equal(oras_buf_text(&out), urls[i].url);
        oras_buf_dispose(&out);
    }
}

static const struct {
    const char *text;
    oras_endpoint endpoint;
    const char *arg;
} bad_urls[] = {
    {"ghcr.io/a:v", ORAS_ENDPOINT_BLOB, NULL},
    {"ghcr.io/a:v", ORAS_ENDPOINT_BLOB, "v"},
    {"ghcr.io/a:v", ORAS_ENDPOINT_REFERRERS, NULL},
    {"ghcr.io/a:v", ORAS_ENDPOINT_REFERRERS, "sha256:../x"},
    {"ghcr.io/a:v", ORAS_ENDPOINT_MANIFEST, "../../b/manifests/v"},
    {"ghcr.io/a:v", ORAS_ENDPOINT_MANIFEST, "v?x"},
    {"ghcr.io/a:v", ORAS_ENDPOINT_MANIFEST, ""},
    {"oci:dir:v", ORAS_ENDPOINT_MANIFEST, NULL},
};

static void test_C04_no_url_without_a_valid_argument(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_urls / sizeof bad_urls[0]; i++) {
        oras_reference reference;
        oras_buf out = ORAS_BUF_INIT(8192);
        oras_error err = ORAS_ERROR_INIT;

        oras_reference_parse(bad_urls[i].text, strlen(bad_urls[i].text), NULL, &reference, NULL);
        assert_class(
            oras_reference_url(&reference, bad_urls[i].endpoint, bad_urls[i].arg, &out, &err),
            ORAS_C_USAGE);
        assert_int_equal(out.size, 0);
        oras_buf_dispose(&out);
    }
}

static void test_endpoints_have_names(void **state)
{
    oras_endpoint endpoint;

    (void)state;
    assert_true(oras_endpoint_find("referrers", &endpoint));
    assert_int_equal(endpoint, ORAS_ENDPOINT_REFERRERS);
    assert_true(oras_endpoint_find("catalog", &endpoint));
    assert_int_equal(endpoint, ORAS_ENDPOINT_CATALOG);
    assert_false(oras_endpoint_find("blobs", &endpoint));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry_references),
        cmocka_unit_test(test_layout_references_have_no_latest),
        cmocka_unit_test(test_C38_malformed_references_are_usage_errors),
        cmocka_unit_test(test_C38_lengths),
        cmocka_unit_test(test_C38_a_tag_has_128_characters_at_most),
        cmocka_unit_test(test_C38_a_repository_has_255_characters_at_most),
        cmocka_unit_test(test_C38_nul_is_refused),
        cmocka_unit_test(test_C38_a_password_is_never_repeated),
        cmocka_unit_test(test_a_host_alone_is_no_short_name),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_references_from_parts),
        cmocka_unit_test(test_an_ambiguous_directory_prints_as_one),
        cmocka_unit_test(test_urls_of_every_endpoint),
        cmocka_unit_test(test_C04_no_url_without_a_valid_argument),
        cmocka_unit_test(test_endpoints_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
