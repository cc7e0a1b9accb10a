/* SPDX-License-Identifier: MIT
 * What is taken is valid, not too deep, and written down again it is the same value. */
#include "fuzz.h"
#include "oci/json.h"
#include "oci/utf8.h"

static void check_value(const json_t *value, int depth)
{
    if (json_is_object(value) || json_is_array(value))
        REQUIRE(depth < ORAS_JSON_DEPTH);
    if (json_is_string(value)) {
        REQUIRE(oras_utf8_is_valid(json_string_value(value), json_string_length(value)));
        REQUIRE(strlen(json_string_value(value)) == json_string_length(value));
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        check_value(json_array_get(value, i), depth + 1);
    if (json_is_object(value)) {
        json_t *object = (json_t *)value;

        for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
            REQUIRE(oras_utf8_is_valid(json_object_iter_key(at), strlen(json_object_iter_key(at))));
            check_value(json_object_iter_value(at), depth + 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value, *again;
    oras_error err = ORAS_ERROR_INIT;
    char *text;

    if (oras_json_decode((const char *)data, size, 0, &value, &err)) {
        REQUIRE(err.message[0] && !strpbrk(err.message, "\r\n"));
        REQUIRE(strcmp(err.class_name, "content") == 0 || strcmp(err.class_name, "limit") == 0);
        return 0;
    }
    check_value(value, 0);
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    REQUIRE(text);
    REQUIRE(!oras_json_decode(text, strlen(text), 0, &again, &err));
    REQUIRE(json_equal(value, again));
    free(text);
    json_decref(value);
    json_decref(again);
    return 0;
}
