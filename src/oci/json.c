/* SPDX-License-Identifier: MIT */
#include "oci/json.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void oras_json_use_allocator(void)
{
    json_malloc_t taking;
    json_free_t giving;

    json_get_alloc_funcs(&taking, &giving);
    if (taking == malloc && giving == free)
        json_set_alloc_funcs(oras_alloc, oras_dealloc);
}

/* jansson recurses once a level, so depth is judged before it sees a byte. Brackets in
 * strings do not count; everything else that is wrong is jansson's to find. */
static bool is_too_deep(const char *text, size_t size, int max_depth)
{
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < size; i++) {
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                in_string = false;
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '[' || text[i] == '{') {
            if (++depth > max_depth)
                return true;
        } else if (text[i] == ']' || text[i] == '}') {
            depth--;
        }
    }
    return false;
}

/* What a document must not begin with or hold, in words better than jansson's. */
static oras_code check_bytes(const char *text, size_t size, oras_error *err)
{
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return oras_fail(err, ORAS_C_CONTENT, "JSON begins with a byte order mark");
    if (memchr(text, '\0', size))
        return oras_fail(err, ORAS_C_CONTENT, "JSON holds a NUL byte, expected UTF-8 text");
    return ORAS_OK;
}

/* jansson's own text quotes the document, which may be a token. */
static const char *reason(enum json_error_code code)
{
    switch (code) {
    case json_error_invalid_utf8:
        return "invalid UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something stands behind the value";
    case json_error_duplicate_key:
        return "duplicate key";
    case json_error_numeric_overflow:
        return "number out of range";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "NUL in a string";
    default:
        return "invalid syntax";
    }
}

oras_code oras_json_decode(const char *text, size_t size, int max_depth, json_t **out,
                           oras_error *err)
{
    json_error_t error = {0};
    oras_code code = check_bytes(text, size, err);
    unsigned long refusals = oras_alloc_refusals();
    json_t *value;

    if (code)
        return code;
    if (max_depth <= 0)
        max_depth = ORAS_JSON_DEPTH;
    if (max_depth > ORAS_JSON_DEPTH_MAX)
        max_depth = ORAS_JSON_DEPTH_MAX;
    if (is_too_deep(text, size, max_depth))
        return oras_fail(err, ORAS_C_LIMIT, "JSON is nested deeper than %d levels", max_depth);
    value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    /* where memory runs out in the midst of a document, jansson finds fault with the document */
    if (!value && (oras_alloc_refusals() != refusals || !*error.text ||
                   json_error_code(&error) == json_error_out_of_memory))
        return oras_fail_memory(err);
    if (!value)
        return oras_fail(err, ORAS_C_CONTENT, "no valid JSON at line %d, column %d: %s", error.line,
                         error.column, reason(json_error_code(&error)));
    *out = value;
    return ORAS_OK;
}
