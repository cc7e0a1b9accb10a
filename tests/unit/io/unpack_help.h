/* SPDX-License-Identifier: MIT
 * Archives unpacked below a directory that has canaries around it. */
#ifndef TESTS_UNPACK_HELP_H
#define TESTS_UNPACK_HELP_H

#include "archive_help.h"
#include "io/sink.h"

typedef struct place {
    char path[64]; /* canaries, and in it: */
    int root;      /* "root", what trees are unpacked below; "out" is the usual target */
    oras_pool *pool;
    char before[ORAS_DIGEST_TEXT_MAX]; /* of the canaries */
} place;

int place_set_up(void **state);
int place_tear_down(void **state); /* fails unless the canaries are as they were */

/** Everything below `path` in order, a line each: "d 755 a", "f 644 a/b = text", "l a/c -> b". */
char *tree_text(const char *path);

/** The same of the root's content; "" when there is nothing. To be freed. */
char *root_text(const place *p);
void expect_root(const place *p, const char *text);

/** Write a file below the place, making its directories. */
void put_at(const place *p, const char *path, const char *text);

/* --- archives of few words --- */

typedef struct item {
    const char *name;
    char type; /* 0: a file, whose text is `text`; else text is where a link leads */
    const char *text;
    unsigned mode;
} item;

#define F(name)                                                                                    \
    {                                                                                              \
        name, 0, NULL, 0                                                                           \
    }
#define E(name, type)                                                                              \
    {                                                                                              \
        name, type, NULL, 0                                                                        \
    }
#define L(name, target)                                                                            \
    {                                                                                              \
        name, '2', target, 0                                                                       \
    }
#define H(name, target)                                                                            \
    {                                                                                              \
        name, '1', target, 0                                                                       \
    }
#define LAST                                                                                       \
    {                                                                                              \
        NULL, 0, NULL, 0                                                                           \
    }

/** All items up to one without a name. */
oras_buf archive_of(const item *items);

/* --- unpacking --- */

typedef struct unpacking {
    oras_tree_target target; /* path "out" and overwrite unless said */
    bool wrong_digest, wrong_content, check_content, no_digest;
    size_t chunk; /* bytes written at a time; 0: 16 KiB */
} unpacking;

/** Have a sink's news ring a bell, which can be waited for as the loop would. */
void ring_for(oras_sink *sink);
void await_bell(void);

/** A sink for these bytes that rings the bell. */
oras_sink *tree_sink(const place *p, const oras_buf *archive, const unpacking *how);
oras_flow write_all(oras_sink *sink, const char *bytes, size_t size, size_t chunk, oras_error *err);
oras_code finish_sink(oras_sink *sink, oras_error *err);

/** All of it: the code, and err. */
oras_code unpack(const place *p, const oras_buf *archive, const unpacking *how, oras_error *err);
void expect_unpacked(const place *p, const oras_buf *archive, const char *text);

/** Refused with that class and these words, nothing left below the root. */
void expect_refused(const place *p, const oras_buf *archive, const unpacking *how,
                    const char *class_name, const char *words);

#endif
