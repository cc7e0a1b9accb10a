/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES ((size_t)16 * 1024)

bool oras_log_wants(const oras_log *log, oras_level level)
{
    return log && log->fn && level <= log->level;
}

static bool is_url_end(char c)
{
    return c == '\0' || strchr(" \t\"'<>,)", c) != NULL;
}

/* The query of an URL: names stay, values go. Gives where the URL goes on. */
static const char *redact_query(const char *at, oras_buf *out)
{
    bool value = false;

    for (; !is_url_end(*at) && *at != '#'; at++) {
        if (*at == '&' || *at == ';')
            value = false;
        if (!value)
            oras_buf_append(out, at, 1);
        if (*at == '=' && !value) {
            value = true;
            oras_buf_puts(out, "***");
        }
    }
    return at;
}

/* From behind "://" to the end of the URL. */
static const char *redact_url(const char *at, oras_buf *out)
{
    size_t authority = strcspn(at, "/?# \t\"'<>");
    const char *user_end = memchr(at, '@', authority);

    for (const char *next = user_end; next;
         next = memchr(next + 1, '@', (size_t)(at + authority - next - 1)))
        user_end = next;
    if (user_end) {
        oras_buf_puts(out, "***");
        authority -= (size_t)(user_end - at);
        at = user_end;
    }
    oras_buf_append(out, at, authority);
    at += authority;
    while (!is_url_end(*at) && *at != '?')
        oras_buf_append(out, at++, 1);
    return *at == '?' ? redact_query(at, out) : at;
}

static size_t scheme_word(const char *at)
{
    static const char *const words[] = {"Bearer ", "Basic "};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strncasecmp(at, words[i], strlen(words[i])) == 0)
            return strlen(words[i]);
    }
    return 0;
}

/* "Bearer realm=..." is a challenge and no secret. */
static bool is_credential(const char *at)
{
    size_t size = strcspn(at, " ,\t");

    return size >= 6 && !memchr(at, '"', size);
}

void oras_redact(const char *text, oras_buf *out)
{
    while (*text) {
        size_t word = scheme_word(text);

        if (word && is_credential(text + word)) {
            oras_buf_append(out, text, word);
            oras_buf_puts(out, "***");
            text += word;
            text += strcspn(text, " ,\t");
        } else if (strncmp(text, "://", 3) == 0) {
            oras_buf_puts(out, "://");
            text = redact_url(text + 3, out);
        } else {
            oras_buf_append(out, text++, 1);
        }
    }
}

static void write_line(const oras_log *log, oras_level level, const char *line)
{
    oras_buf clean = ORAS_BUF_INIT(2 * LINE_MAX_BYTES);

    oras_redact(line, &clean);
    for (size_t i = 0; i < clean.size; i++) {
        if ((unsigned char)clean.data[i] < 0x20 || clean.data[i] == 0x7f)
            clean.data[i] = '?';
    }
    log->fn(log->ud, level, oras_buf_text(&clean));
    oras_buf_dispose(&clean);
}

void oras_log_write(const oras_log *log, oras_level level, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!oras_log_wants(log, level))
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    write_line(log, level, line);
}
