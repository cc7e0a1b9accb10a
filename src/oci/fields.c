/* SPDX-License-Identifier: MIT */
#include "oci/fields.h"

#include "oci/date.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

/* distribution-spec, "Warnings": all warnings of a response together. */
#define WARNING_MAX 4096

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* Digits into an int64_t, stopping at its end; NULL if there are none. */
static const char *take_number(const char *at, int64_t *out)
{
    if (*at < '0' || *at > '9')
        return NULL;
    for (*out = 0; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, *at - '0', out))
            *out = INT64_MAX;
    }
    return at;
}

static const char *take_total(const char *at, int64_t *out)
{
    if (*at != '*')
        return take_number(at, out);
    *out = -1;
    return at + 1;
}

static bool parse_range(const char *at, oras_content_range *out)
{
    if (strncasecmp(at, "bytes", 5) != 0 || (at[5] != ' ' && at[5] != '\t'))
        return false;
    at = take_number(skip_blanks(at + 5), &out->first);
    if (!at || *at != '-')
        return false;
    at = take_number(at + 1, &out->last);
    if (!at || *at != '/')
        return false;
    at = take_total(at + 1, &out->total);
    return at && *skip_blanks(at) == '\0';
}

oras_code oras_content_range_parse(const char *value, oras_content_range *out, oras_error *err)
{
    oras_content_range range;

    if (!parse_range(skip_blanks(value), &range) || range.last < range.first ||
        range.last == INT64_MAX || (range.total >= 0 && range.total <= range.last))
        return oras_fail(err, ORAS_C_PROTOCOL,
                         "Content-Range '%.100s', expected 'bytes first-last/total'", value);
    *out = range;
    return ORAS_OK;
}

/* A date in the field's value, which may have blanks around it. */
static bool parse_date(const char *value, int64_t now, int64_t *out)
{
    char text[64]; /* the longest form has 33 characters */
    size_t size = strlen(value);

    while (size && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        size--;
    if (size >= sizeof text)
        return false;
    memcpy(text, value, size);
    text[size] = '\0';
    return oras_date_parse(text, now, out);
}

oras_code oras_retry_after_parse(const char *value, int64_t now, int64_t *seconds, oras_error *err)
{
    const char *at = skip_blanks(value);
    int64_t number;
    const char *end = take_number(at, &number);

    if (end && *skip_blanks(end) == '\0') {
        *seconds = number;
        return ORAS_OK;
    }
    if (!parse_date(at, now, &number))
        return oras_fail(err, ORAS_C_PROTOCOL, "Retry-After '%.100s', expected seconds or a date",
                         value);
    *seconds = number > now ? number - now : 0;
    return ORAS_OK;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* The text between two quotes, `at` behind the first; NULL if it never ends. */
static const char *take_quoted(const char *at, oras_buf *out)
{
    for (; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        if (!is_control(*at))
            oras_buf_append(out, at, 1);
    }
    return *at == '"' ? at + 1 : NULL;
}

bool oras_warning_parse(const char *value, oras_buf *out)
{
    const char *at = skip_blanks(value);
    size_t start = out->size;

    if (strlen(at) > WARNING_MAX || strncmp(at, "299 - \"", 7) != 0)
        return false;
    at = take_quoted(at + 7, out);
    if (at && *skip_blanks(at) == '\0' && out->state == ORAS_BUF_OK && out->size > start)
        return true;
    out->size = start;
    if (out->data)
        out->data[start] = '\0';
    return false;
}

typedef struct text {
    const char *data;
    size_t size;
} text;

/* One link as it is being read. */
typedef struct link {
    text target;
    bool has_rel, matches;
    bool has_anchor; /* then it speaks of something else than what we asked for */
} link_value;

static const char *take_value(const char *at, text *out)
{
    if (*at != '"') {
        out->data = at;
        out->size = strcspn(at, ";, \t");
        return at + out->size;
    }
    out->data = ++at;
    while (*at && *at != '"')
        at += (*at == '\\' && at[1]) ? 2 : 1;
    out->size = (size_t)(at - out->data);
    return *at ? at + 1 : at;
}

/* `rel` is a list of words without case (RFC 8288, 3.3). */
static bool has_word(text list, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = list.data, *end = at + list.size; at < end;) {
        const char *stop = at;

        while (stop < end && *stop != ' ' && *stop != '\t')
            stop++;
        if ((size_t)(stop - at) == size && strncasecmp(at, word, size) == 0)
            return true;
        at = stop + 1;
    }
    return false;
}

static bool is_named(text name, const char *word)
{
    return name.size == strlen(word) && strncasecmp(name.data, word, name.size) == 0;
}

static const char *take_param(const char *at, const char *rel, link_value *link)
{
    text name = {at, strcspn(at, "=;, \t\"<")};
    text value = {at, 0};

    at = skip_blanks(at + name.size);
    if (*at == '=')
        at = take_value(skip_blanks(at + 1), &value);
    if (is_named(name, "anchor"))
        link->has_anchor = true;
    if (is_named(name, "rel") && !link->has_rel) { /* only the first counts */
        link->has_rel = true;
        link->matches = has_word(value, rel);
    }
    return at;
}

/* The link that begins at '<'; gives where it ends, NULL if it never does. */
static const char *take_link(const char *at, const char *rel, link_value *link)
{
    const char *close = strchr(at, '>');

    memset(link, 0, sizeof *link);
    if (!close)
        return NULL;
    link->target = (text){at + 1, (size_t)(close - at - 1)};
    at = skip_blanks(close + 1);
    while (*at == ';')
        at = skip_blanks(take_param(skip_blanks(at + 1), rel, link));
    return at;
}

static bool is_clean(text target)
{
    for (size_t i = 0; i < target.size; i++) {
        if (is_control(target.data[i]) || target.data[i] == ' ' || target.data[i] == '<')
            return false;
    }
    return target.size > 0;
}

bool oras_link_find(const char *value, const char *rel, oras_buf *out)
{
    const char *at = value;
    link_value link;

    while (at) {
        at += strspn(at, ", \t");
        if (*at != '<')
            return false;
        at = take_link(at, rel, &link);
        if (at && link.matches && !link.has_anchor && is_clean(link.target))
            return oras_buf_append(out, link.target.data, link.target.size);
        if (at && *at && *at != ',')
            return false;
    }
    return false;
}
