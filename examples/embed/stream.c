/* SPDX-License-Identifier: MIT
 * A blob of a registry to standard output, or standard input into a blob, piece by piece:
 * cc stream.c $(pkg-config --cflags --libs oras)
 *
 *     ./stream stream.lua get localhost:5000/demo sha256:... > file
 *     ./stream stream.lua put localhost:5000/demo < file */
#include <oras.h>
#include <stdio.h>
#include <string.h>

static int64_t write_bytes(void *ud, const void *data, size_t size, oras_error *err)
{
    if (fwrite(data, 1, size, ud) == size)
        return (int64_t)size;
    oras_error_set(err, "io", "standard output takes no more");
    return ORAS_FAILED;
}

/* All was verified: only now what was written counts. */
static int end(void *ud, oras_error *err)
{
    return fflush(ud) ? (oras_error_set(err, "io", "standard output takes no more"), 1) : 0;
}

static int64_t read_bytes(void *ud, void *data, size_t capacity, oras_error *err)
{
    size_t n = fread(data, 1, capacity, stdin);

    (void)ud;
    if (n == 0 && ferror(stdin)) {
        oras_error_set(err, "io", "standard input cannot be read");
        return ORAS_FAILED;
    }
    return n > 0 ? (int64_t)n : ORAS_END;
}

int main(int argc, char **argv)
{
    oras_stream_functions functions = ORAS_STREAM_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    oras_stream *stream = NULL;
    char args[1024], *json = NULL;

    if (argc < 4)
        return fprintf(stderr, "usage: %s stream.lua get|put REPOSITORY [DIGEST]\n", argv[0]), 2;
    functions.ud = stdout;
    functions.write = write_bytes;
    functions.end = end;
    functions.read = read_bytes;
    if (argc > 4)
        snprintf(args, sizeof args, "[\"%s\", \"%s\"]", argv[3], argv[4]);
    else
        snprintf(args, sizeof args, "[\"%s\"]", argv[3]);
    if (oras_runtime_new(NULL, &rt, &err) || oras_stream_new(rt, &functions, &stream, &err) ||
        oras_stream_call(stream, argv[1], argv[2], args, &json, &err))
        fprintf(stderr, "%s: %s\n", err.class_name, err.message);
    else if (strcmp(json, "null") != 0)
        puts(json);
    oras_free(json);
    oras_stream_free(stream);
    oras_runtime_free(rt);
    return err.code;
}
