/* SPDX-License-Identifier: MIT */
#include "oci/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(const unsigned char *in, size_t size, char *out)
{
    unsigned bits = (unsigned)in[0] << 16;

    if (size > 1)
        bits |= (unsigned)in[1] << 8;
    if (size > 2)
        bits |= in[2];
    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = size > 1 ? alphabet[bits >> 6 & 63] : '=';
    out[3] = size > 2 ? alphabet[bits & 63] : '=';
}

bool oras_base64_encode(const void *data, size_t size, oras_buf *out)
{
    const unsigned char *in = data;

    if (size > SIZE_MAX / 4 - 4)
        return oras_buf_reserve(out, SIZE_MAX);
    if (!oras_buf_reserve(out, (size + 2) / 3 * 4))
        return false;
    for (size_t at = 0; at < size; at += 3, out->size += 4)
        encode_group(in + at, size - at, out->data + out->size);
    out->data[out->size] = '\0';
    return true;
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Four characters of which `size` carry data; false for a foreign one or stray bits. */
static bool decode_group(const char *in, size_t size, char *out)
{
    unsigned bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < size ? value_of(in[i]) : 0;

        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned)value;
    }
    if ((size == 2 && (bits & 0xffff)) || (size == 3 && (bits & 0xff)))
        return false;
    out[0] = (char)(bits >> 16);
    if (size > 2)
        out[1] = (char)(bits >> 8 & 0xff);
    if (size > 3)
        out[2] = (char)(bits & 0xff);
    return true;
}

/* Characters that carry data in the group at `at`: 4, or 3 or 2 in a padded last one. */
static size_t group_size(const char *text, size_t size, size_t at)
{
    if (at + 4 < size || text[at + 3] != '=')
        return 4;
    return text[at + 2] == '=' ? 2 : 3;
}

oras_code oras_base64_decode(const char *text, size_t size, oras_buf *out, oras_error *err)
{
    size_t start = out->size;

    if (size % 4)
        return oras_fail(err, ORAS_C_CONTENT,
                         "base64 text of %zu characters, expected a multiple of 4", size);
    if (!oras_buf_reserve(out, size / 4 * 3))
        return oras_buf_check(out, "base64 data", err);
    for (size_t at = 0; at < size; at += 4) {
        size_t n = group_size(text, size, at);

        if (!decode_group(text + at, n, out->data + out->size)) {
            out->size = start;
            out->data[start] = '\0';
            return oras_fail(err, ORAS_C_CONTENT, "no valid base64 at character %zu", at + 1);
        }
        out->size += n - 1;
    }
    out->data[out->size] = '\0';
    return ORAS_OK;
}
