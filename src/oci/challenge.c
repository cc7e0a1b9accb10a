/* SPDX-License-Identifier: MIT */
#include "oci/challenge.h"

#include <string.h>

static void skip(oras_slice *s, size_t size)
{
    s->data += size;
    s->size -= size;
}

static void skip_blanks(oras_slice *s)
{
    while (s->size && (*s->data == ' ' || *s->data == '\t'))
        skip(s, 1);
}

/* RFC 9110, 5.6.1: a recipient accepts empty list members. */
static void skip_commas(oras_slice *s)
{
    while (s->size && (*s->data == ' ' || *s->data == '\t' || *s->data == ','))
        skip(s, 1);
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token(char c)
{
    return is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token68(char c)
{
    return is_alnum(c) || (c && strchr("-._~+/", c));
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool at_comma_or_end(oras_slice s)
{
    skip_blanks(&s);
    return s.size == 0 || *s.data == ',';
}

static oras_slice take(oras_slice *s, bool (*belongs)(char))
{
    oras_slice taken = {s->data, 0};

    while (s->size && belongs(*s->data)) {
        skip(s, 1);
        taken.size++;
    }
    return taken;
}

/* From behind the opening quote to behind the closing one; false if there is none or control
 * characters stand between them. */
static bool take_quoted(oras_slice *s, oras_slice *out)
{
    bool clean = true;

    out->data = s->data;
    for (; s->size; skip(s, 1)) {
        if (*s->data == '"') {
            out->size = (size_t)(s->data - out->data);
            skip(s, 1);
            return clean;
        }
        if (*s->data == '\\' && s->size > 1)
            skip(s, 1);
        clean = clean && !is_control(*s->data);
    }
    return false;
}

/* Unquoted values should be tokens, but realms are sent bare too. */
static bool is_bare(char c)
{
    return !is_control(c) && c != ',' && c != '"' && c != ' ' && c != '\t';
}

static bool take_value(oras_slice *s, oras_slice *out)
{
    if (s->size && *s->data == '"') {
        skip(s, 1);
        return take_quoted(s, out);
    }
    *out = take(s, is_bare);
    return out->size > 0;
}

/* name BWS "=" BWS value, with a comma or the end behind it. */
static bool take_param(oras_slice *s, oras_challenge_pair *out)
{
    out->name = take(s, is_token);
    skip_blanks(s);
    if (out->name.size == 0 || s->size == 0 || *s->data != '=')
        return false;
    skip(s, 1);
    skip_blanks(s);
    return take_value(s, &out->value) && at_comma_or_end(*s);
}

static bool is_equals(char c)
{
    return c == '=';
}

static bool take_token68(oras_slice *s, oras_slice *out)
{
    oras_slice at = *s;
    oras_slice text = take(&at, is_token68);

    text.size += take(&at, is_equals).size;
    if (text.size == 0 || *text.data == '=' || !at_comma_or_end(at))
        return false;
    *out = text;
    *s = at;
    return true;
}

/* After a comma: "token BWS =" goes on with parameters, anything else is a new scheme. */
static bool at_param(oras_slice s)
{
    if (take(&s, is_token).size == 0)
        return false;
    skip_blanks(&s);
    return s.size && *s.data == '=';
}

/* Up to the next comma that is not in quotes. */
static void pass_over(oras_slice *s)
{
    oras_slice ignored;

    while (s->size && *s->data != ',') {
        if (*s->data == '"') {
            skip(s, 1);
            take_quoted(s, &ignored);
        } else {
            skip(s, 1);
        }
    }
}

/* All parameters; false if one is broken. */
static bool take_params(oras_slice *s, oras_slice *out)
{
    oras_challenge_pair pair;

    out->data = s->data;
    do {
        if (!take_param(s, &pair))
            return false;
        out->size = (size_t)(s->data - out->data);
        skip_commas(s);
    } while (at_param(*s));
    return true;
}

static bool take_challenge(oras_slice *s, oras_challenge *out)
{
    memset(out, 0, sizeof *out);
    out->scheme = take(s, is_token);
    if (out->scheme.size == 0)
        return false;
    if (at_comma_or_end(*s))
        return true;
    if (*s->data != ' ' && *s->data != '\t')
        return false;
    skip_blanks(s);
    return take_token68(s, &out->token68) || take_params(s, &out->params);
}

/* What is left of a challenge that turned out broken: it must not be read as another one. */
static void pass_over_challenge(oras_slice *s)
{
    pass_over(s);
    skip_commas(s);
    while (at_param(*s)) {
        pass_over(s);
        skip_commas(s);
    }
}

bool oras_challenge_next(oras_challenge_cursor *cursor, oras_challenge *out)
{
    skip_commas(cursor);
    while (cursor->size) {
        if (take_challenge(cursor, out))
            return true;
        pass_over_challenge(cursor);
    }
    return false;
}

bool oras_challenge_param(oras_slice *params, oras_challenge_pair *out)
{
    skip_commas(params);
    return params->size && take_param(params, out);
}

size_t oras_slice_unescape(oras_slice slice, char *out)
{
    size_t size = 0;

    for (size_t i = 0; i < slice.size; i++) {
        if (slice.data[i] == '\\' && i + 1 < slice.size)
            i++;
        out[size++] = slice.data[i];
    }
    return size;
}
