/* SPDX-License-Identifier: MIT
 * URLs that servers send, and the policy behind them: what is accepted names one origin, reads
 * back as itself, and never leads from https to http or to an address that is less public. */
#include "fuzz.h"
#include "net/url.h"

static void check_parsed(const oras_url *url)
{
    char origin[ORAS_ORIGIN_TEXT_MAX];
    oras_url again;

    REQUIRE(strncmp(url->text, url->origin.https ? "https://" : "http://", 7) == 0);
    REQUIRE(!strchr(url->text, '#') && !strchr(url->text, ' ') && !strchr(url->text, '\\'));
    REQUIRE(url->origin.port > 0 && url->origin.port < 65536);
    REQUIRE(oras_url_parse(url->text, ORAS_C_USAGE, &again, NULL) == ORAS_OK);
    REQUIRE(oras_origin_equal(&url->origin, &again.origin));
    REQUIRE(strcmp(url->text, again.text) == 0);
    oras_url_dispose(&again);
    oras_origin_print(&url->origin, origin);
    REQUIRE(oras_url_parse(origin, ORAS_C_USAGE, &again, NULL) == ORAS_OK);
    REQUIRE(oras_origin_equal(&url->origin, &again.origin));
    oras_url_dispose(&again);
}

/* Whatever `from` may send us to. */
static void check_policy(const oras_url *from, const oras_url *to)
{
    static const oras_reach reaches[] = {ORAS_REACH_LOOPBACK, ORAS_REACH_PRIVATE,
                                         ORAS_REACH_PUBLIC};
    oras_reach reach = oras_reach_of_host(to->origin.host);
    bool same = oras_origin_equal(&from->origin, &to->origin);

    for (size_t i = 0; i < sizeof reaches / sizeof reaches[0]; i++) {
        if (oras_origin_check(&from->origin, reaches[i], &to->origin, NULL) || same)
            continue;
        REQUIRE(to->origin.https || !from->origin.https);
        REQUIRE(reach == ORAS_REACH_UNKNOWN || oras_reach_allowed(reaches[i], reach));
        REQUIRE(reach != ORAS_REACH_FORBIDDEN);
    }
}

static void check_resolved(const char *base, const char *reference)
{
    oras_url from, to;

    if (oras_url_resolve(base, reference, &to, NULL))
        return;
    check_parsed(&to);
    REQUIRE(oras_url_parse(base, ORAS_C_USAGE, &from, NULL) == ORAS_OK);
    check_policy(&from, &to);
    oras_url_dispose(&from);
    oras_url_dispose(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    oras_buf appended = ORAS_BUF_INIT(4 * ORAS_URL_MAX);
    oras_url url;

    if (!oras_url_parse(text, ORAS_C_REDIRECT, &url, NULL)) {
        check_parsed(&url);
        if (!oras_url_append_query(url.text, "digest", "sha256:a+b", &appended, NULL)) {
            oras_url more;

            if (!oras_url_parse(appended.data, ORAS_C_USAGE, &more, NULL)) {
                REQUIRE(oras_origin_equal(&more.origin, &url.origin));
                REQUIRE(strstr(more.query, "digest=sha256:a%2Bb"));
                oras_url_dispose(&more);
            }
        }
        oras_url_dispose(&url);
    }
    check_resolved("https://registry.example/v2/a/tags/list?n=2", text);
    check_resolved("http://127.0.0.1:5000/v2/a/blobs/x", text);
    oras_buf_dispose(&appended);
    free(text);
    return 0;
}
