/* SPDX-License-Identifier: MIT
 * Archives that are not as they should be leave nothing behind, inside or outside. */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "unpack_help.h"

#include <stdio.h>

typedef struct hostile {
    const char *class_name, *words;
    bool links;
    item items[6];
} hostile;

static void expect_all_refused(const place *p, const hostile *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        oras_buf tar = archive_of(list[i].items);
        unpacking how = {.target = {.links = list[i].links, .overwrite = true}};

        expect_refused(p, &tar, &how, list[i].class_name, list[i].words);
        oras_buf_dispose(&tar);
    }
}

#define ALL_REFUSED(state, list) expect_all_refused(state, list, sizeof list / sizeof list[0])

static void test_C23_names(void **state)
{
    static const hostile list[] = {
        {"path", "leaves the archive by '..'", false, {F("ok"), F("../x")}},
        {"path", "leaves the archive by '..'", false, {F("a/../../x")}},
        {"path", "leaves the archive by '..'", false, {E("..", '5')}},
        {"path", "absolute", false, {F("/etc/passwd")}},
        {"path", "empty name", false, {E("", '5')}},
        {"path", "'.' is no directory", true, {L(".", "/tmp")}},
        {"path", "'.' is no directory", false, {E("./", '5'), H(".", "out")}},
    };

    ALL_REFUSED(*state, list);
}

/* A name that only begins like the target's. */
static void test_CVE_2007_4559_sibling(void **state)
{
    static const hostile list[] = {
        {"path", "leaves the archive by '..'", false, {F("../out-evil/x")}},
        {"path", "leaves the archive by '..'", false, {E("../out-evil", '5')}},
    };

    ALL_REFUSED(*state, list);
}

static void test_C23_NUL_in_a_pax_path(void **state)
{
    oras_buf tar = ORAS_BUF_INIT(SIZE_MAX - 1);
    static const char records[] = "27 path=ok\0/../../../etc/x\n";

    put_pax(&tar, 'x', records, sizeof records - 1);
    put_file(&tar, "ok", "x");
    put_end(&tar);
    expect_refused(*state, &tar, NULL, "path", "NUL byte");
    oras_buf_dispose(&tar);
}

static void test_C24_links(void **state)
{
    static const hostile list[] = {
        /* none by default, wherever it leads */
        {"path", "is a symbolic link", false, {L("l", "f"), F("f")}},
        {"path", "leads out", true, {L("l", "/etc/passwd")}},
        {"path", "leads out", true, {L("l", "../out/secret")}},
        {"path", "leads out", true, {L("a/l", "../../canary")}},
        {"path", "leads out", true, {L("l", "a/../../canary")}},
        {"path", "leads out", true, {L("l", "./../canary")}},
        {"path", "leads out", true, {L("a/b", "../c/..")}},
        {"path", "below what is no directory", true, {L("l", "a"), E("a", '5'), F("l/x")}},
        {"exists", "another entry has already", true, {L("l", "f"), F("l")}},
        {"exists", "another entry has already", true, {L("l", "a"), E("a", '5'), E("l", '5')}},
        {"exists", "another entry has already", true, {L("l", "l"), L("l", "l")}},
        {"path", "hard link to what is no file before it", false, {H("h", "f"), F("f")}},
        {"path", "hard link to what is no file before it", false, {H("h", "h")}},
        {"path", "hard link to what is no file before it", false, {E("a", '5'), H("h", "a")}},
        {"path", "hard link to what is no file before it", true, {L("l", "f"), H("h", "l")}},
        {"path", "absolute", false, {H("h", "/etc/passwd")}},
        {"path", "leaves the archive by '..'", false, {H("h", "../canary")}},
    };

    ALL_REFUSED(*state, list);
}

/* link(2) takes a name for one in the working directory, where there is such a file. */
static void test_CVE_2026_50163_GHSA_fxhp_mv3v_67qp_hard_link_to_the_working_directory(void **state)
{
    static const hostile list[] = {
        {"path", "hard link to what is no file before it", false, {H("h", "canary")}},
        {"path", "hard link to what is no file before it", false, {H("a/h", "out/secret")}},
    };

    ALL_REFUSED(*state, list);
}

/* A link, and a hard link or a file through it. */
static void test_CVE_2021_21272_GHSA_g5v4_5x39_vwhx_link_and_hard_link(void **state)
{
    static const hostile list[] = {
        {"path", "leads out", true, {L("l", ".."), H("l/h", "l")}},
        {"path", "leads out", true, {L("l", "/"), F("l/etc/x")}},
        {"path",
         "hard link to what is no file before it",
         true,
         {E("d", '5'), L("l", "d"), H("h", "l/canary")}},
        {"path", "below what is no directory", true, {E("d", '5'), L("l", "d"), H("l/h", "d")}},
    };

    ALL_REFUSED(*state, list);
}

/* Links that stay inside one by one, and leave together. */
static void test_C24_GHSA_m37j_52j7_pjw7_chains_of_links(void **state)
{
    for (int n = 2; n <= 40; n++) {
        oras_buf tar = ORAS_BUF_INIT(SIZE_MAX - 1);
        char name[16], target[16];
        unpacking how = {.target = {.links = true}};

        put_header(&tar, &(tar_fields){.name = "d/e", .type = '5'});
        put_header(&tar, &(tar_fields){.name = "l1", .type = '2', .linkname = "d/e"});
        for (int i = 2; i <= n; i++) {
            snprintf(name, sizeof name, "l%d", i);
            snprintf(target, sizeof target, "l%d", i - 1);
            put_header(&tar, &(tar_fields){.name = name, .type = '2', .linkname = target});
        }
        put_file(&tar, name, "through the chain");
        put_end(&tar);
        expect_refused(*state, &tar, &how, "exists", "another entry has already");
        oras_buf_dispose(&tar);
    }
}

static void test_C24_dots_behind_a_link(void **state)
{
    /* a/b/c/up leads to the top; what is above "a/b/c/up/.." is outside */
    static const hostile list[] = {
        {"path",
         "leads out",
         true,
         {E("a/b/c", '5'), L("a/b/c/up", "../../.."), L("m", "a/b/c/up/../canary")}},
        {"path", "leads out", true, {E("a/b", '5'), L("a/b/up", "../.."), L("a/m", "b/up/../..")}},
    };

    ALL_REFUSED(*state, list);
}

static void test_C25_types(void **state)
{
    static const hostile list[] = {
        {"path", "device or FIFO", false, {E("c", '3')}},
        {"path", "device or FIFO", false, {F("ok"), E("b", '4')}},
        {"path", "device or FIFO", false, {E("f", '6')}},
        {"path", "type '7'", false, {E("contiguous", '7')}},
        {"path", "type 'Z'", false, {E("unknown", 'Z')}},
        {"path", "type 'V'", false, {E("label", 'V')}},
        {"path", "type 'M'", false, {E("continued", 'M')}},
        {"path", "type 'D'", false, {E("dump", 'D')}},
        {"unsupported", "sparse", false, {E("sparse", 'S')}},
    };

    ALL_REFUSED(*state, list);
}

static void test_C31_names_twice(void **state)
{
    static const hostile list[] = {
        {"exists", "another entry has already", false, {F("f"), F("f")}},
        {"exists", "another entry has already", false, {F("f"), F("./f")}},
        {"exists", "another entry has already", false, {F("f"), E("f", '5')}},
        {"exists", "another entry has already", false, {E("d", '5'), F("d")}},
        {"exists", "another entry has already", false, {E("d", '5'), F("x"), E("d/", '5')}},
        {"exists", "another entry has already", false, {E(".", '5'), E("./", '5')}},
        {"exists", "another entry has already", false, {F("d/f"), F("d")}},
        {"exists", "another entry has already", false, {F("f"), F("g"), H("f", "g")}},
        {"path", "below what is no directory", false, {F("f"), F("f/g")}},
        {"path", "below what is no directory", false, {F("d/f"), F("d/f/g/h")}},
        {"exists", "in case alone", false, {F("README"), F("readme")}},
        {"exists", "in case alone", false, {E("d/x", '5'), E("D/x", '5')}},
        {"exists", "in case alone", false, {F("dir/f"), E("Dir", '5')}},
        {"exists", "in case alone", false, {F("dir/f"), F("DIR/g")}},
        {"exists", "in case alone", false, {F("f"), H("F", "f")}},
    };

    ALL_REFUSED(*state, list);
}

static void test_C31_case_by_option(void **state)
{
    static const item items[] = {F("README"), F("readme"), F("d/f"), F("D/f"), LAST};
    unpacking how = {.target = {.any_case = true}};
    oras_error err = ORAS_ERROR_INIT;
    oras_buf tar = archive_of(items);

    assert_int_equal(unpack(*state, &tar, &how, &err), ORAS_OK);
    expect_root(*state, "d 755 out\nd 755 out/D\nf 644 out/D/f = x\nf 644 out/README = x\n"
                        "d 755 out/d\nf 644 out/d/f = x\nf 644 out/readme = x\n");
    oras_buf_dispose(&tar);
}

/* The mode of an entry is set on what a link leads to. */
static void test_CVE_2021_32760_CVE_2021_41089_mode_of_a_link(void **state)
{
    static const hostile list[] = {
        {"path", "leads out", true, {L("x", "../../out"), {"x", '5', NULL, 0777}}},
        {"exists",
         "another entry has already",
         true,
         {{"d", '5', NULL, 0700}, L("x", "d"), {"x", '5', NULL, 0777}}},
    };

    ALL_REFUSED(*state, list);
}

/* The root's own entry is a link and takes its place. */
static void test_CVE_2021_29136_root_is_a_link(void **state)
{
    static const hostile list[] = {
        {"path", "is no directory", true, {L(".", "../../out"), F("secret")}},
        {"path", "is no directory", true, {L("./", "/etc"), F("passwd")}},
        {"path", "absolute", true, {L("/", "/etc"), F("passwd")}},
    };
    static const hostile named = {
        "path", "stands for the whole tree", true, {L("t", "/etc"), F("t/passwd")}};
    unpacking how = {.target = {.links = true, .prefix = "t"}};
    oras_buf tar = archive_of(named.items);

    ALL_REFUSED(*state, list);
    expect_refused(*state, &tar, &how, named.class_name, named.words);
    oras_buf_dispose(&tar);
}

/* One archive leaves a link, the next one writes through it. */
static void test_CVE_2025_45582_two_archives(void **state)
{
    place *p = *state;
    static const item first[] = {L("d/in", "../e"), E("e", '5'), LAST};
    static const item second[] = {F("d/in/x"), LAST};
    static const item outward[] = {L("d/in", "../../../out"), LAST};
    unpacking how = {.target = {.links = true, .overwrite = true}};
    oras_error err = ORAS_ERROR_INIT;
    oras_buf one = archive_of(first), two = archive_of(second), three = archive_of(outward);

    expect_refused(p, &three, &how, "path", "leads out");
    assert_int_equal(unpack(p, &one, &how, &err), ORAS_OK);
    expect_refused(p, &two, &how, "path", "is a symbolic link");
    oras_buf_dispose(&one);
    oras_buf_dispose(&two);
    oras_buf_dispose(&three);
}

static void test_C27_attributes_are_dropped(void **state)
{
    place *p = *state;
    oras_buf tar = ORAS_BUF_INIT(SIZE_MAX - 1), records = ORAS_BUF_INIT(SIZE_MAX - 1);
    oras_error err = ORAS_ERROR_INIT;

    put_pax_record(&records, "SCHILY.xattr.user.evil", "1");
    put_pax_record(&records, "SCHILY.xattr.security.capability", "\1\2\3");
    put_pax_record(&records, "LIBARCHIVE.xattr.user.evil", "MQ");
    put_pax_record(&records, "SCHILY.acl.access", "user::rwx");
    put_pax_record(&records, "SCHILY.fflags", "immutable");
    put_pax_record(&records, "uid", "12345");
    put_pax_record(&records, "uname", "nobody");
    put_pax(&tar, 'x', oras_buf_text(&records), records.size);
    put_file(&tar, "f", "f");
    put_end(&tar);
    assert_int_equal(unpack(p, &tar, NULL, &err), ORAS_OK);
    expect_root(p, "d 755 out\nf 644 out/f = f\n");
    oras_buf_dispose(&records);
    oras_buf_dispose(&tar);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_C23_names),
        TEST(test_CVE_2007_4559_sibling),
        TEST(test_C23_NUL_in_a_pax_path),
        TEST(test_C24_links),
        TEST(test_CVE_2026_50163_GHSA_fxhp_mv3v_67qp_hard_link_to_the_working_directory),
        TEST(test_CVE_2021_21272_GHSA_g5v4_5x39_vwhx_link_and_hard_link),
        TEST(test_C24_GHSA_m37j_52j7_pjw7_chains_of_links),
        TEST(test_C24_dots_behind_a_link),
        TEST(test_C25_types),
        TEST(test_C31_names_twice),
        TEST(test_C31_case_by_option),
        TEST(test_CVE_2021_32760_CVE_2021_41089_mode_of_a_link),
        TEST(test_CVE_2021_29136_root_is_a_link),
        TEST(test_CVE_2025_45582_two_archives),
        TEST(test_C27_attributes_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
