/* SPDX-License-Identifier: MIT
 * What every fuzz target has: its entry, and a way to say that something must hold. */
#ifndef ORAS_TESTS_FUZZ_H
#define ORAS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** libFuzzer's entry; replay.c calls it, too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** End the process, so that the fuzzer keeps the input. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** A failed call's error: of one of these classes, one line, printable as a C string. */
#define REQUIRE_ERROR(err, class)                                                                  \
    do {                                                                                           \
        REQUIRE((err).code != ORAS_OK && strcmp((err).class_name, (class)) == 0);                  \
        REQUIRE((err).message[0] && !strpbrk((err).message, "\r\n"));                              \
    } while (0)

/** The input as a C string (cut at its first NUL); free() it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    REQUIRE(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
