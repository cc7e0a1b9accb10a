/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "walk_help.h"

#include <string.h>

atomic_bool never;

walked start_with(const char *path, oras_walk_options options)
{
    walked w = {.err = ORAS_ERROR_INIT};

    options.stop = &never;
    if (oras_walk_new(path, &options, &w.walk, &w.err))
        w.walk = NULL;
    return w;
}

walked start(const char *path)
{
    walked w = start_with(path, (oras_walk_options){.prefix = NULL});

    assert_non_null(w.walk);
    return w;
}

oras_code step(walked *w)
{
    return oras_walk_next(w->walk, &w->entry, &w->ended, &w->err);
}

void expect_step(walked *w, const char *name)
{
    assert_int_equal(step(w), ORAS_OK);
    assert_false(w->ended);
    assert_string_equal(w->entry.name, name);
}

void expect_end(walked *w)
{
    assert_int_equal(step(w), ORAS_OK);
    assert_true(w->ended);
    oras_walk_free(w->walk);
}

void expect_failed_step(walked *w, oras_class class, const char *words)
{
    assert_int_equal(step(w), oras_class_code(class));
    assert_string_equal(w->err.class_name, oras_class_name(class));
    if (!strstr(w->err.message, words))
        fail_msg("'%s' is not in: %s", words, w->err.message);
    oras_walk_free(w->walk);
}

void expect_names(const char *path, const char *prefix, const char *names)
{
    walked w = start_with(path, (oras_walk_options){.prefix = prefix});
    char text[4096] = "";

    assert_non_null(w.walk);
    while (step(&w) == ORAS_OK && !w.ended) {
        strncat(text, w.entry.name, sizeof text - strlen(text) - 2);
        strncat(text, "\n", 2);
    }
    assert_string_equal(text, names);
    expect_end(&w);
}

void expect_failure_of(const char *path, oras_class class, const char *words)
{
    walked w = start(path);

    while (step(&w) == ORAS_OK)
        assert_false(w.ended);
    assert_string_equal(w.err.class_name, oras_class_name(class));
    if (!strstr(w.err.message, words))
        fail_msg("'%s' is not in: %s", words, w.err.message);
    oras_walk_free(w.walk);
}
