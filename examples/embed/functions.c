/* SPDX-License-Identifier: MIT
 * A provider calls functions of this program, and asks it who to be at a registry:
 * cc functions.c $(pkg-config --cflags --libs oras) */
#include <oras.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* functions.environment(name) in Lua: what the environment has, or nil */
static oras_code environment(void *ud, const char *args, oras_reply *reply, oras_error *err)
{
    const char *value;
    char name[64], json[256];

    (void)ud;
    if (sscanf(args, "[\"%63[A-Z_]\"]", name) != 1)
        return oras_error_set(err, "usage", "environment takes a name, not %s", args);
    value = getenv(name);
    if (!value)
        return ORAS_OK;
    snprintf(json, sizeof json, "%d", (int)strlen(value));
    return oras_reply_json(reply, json, err);
}

/* Asked when a registry wants to know, before any file. */
static oras_code credentials(void *ud, const char *host, const char *repository,
                             oras_credentials *out)
{
    (void)ud;
    (void)host;
    (void)repository;
    out->username = getenv("REGISTRY_USER");
    out->password = getenv("REGISTRY_PASSWORD");
    return ORAS_OK;
}

int main(int argc, char **argv)
{
    oras_options options = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    char args[1024], *json = NULL;

    if (argc != 3)
        return fprintf(stderr, "usage: %s functions.lua REFERENCE\n", argv[0]), 2;
    options.credentials = credentials;
    snprintf(args, sizeof args, "[\"%s\"]", argv[2]);
    if (oras_runtime_new(&options, &rt, &err) ||
        oras_register(rt, "environment", environment, NULL, &err) ||
        oras_call_json(rt, argv[1], "describe", args, &json, &err))
        fprintf(stderr, "%s: %s\n", err.class_name, err.message);
    else
        puts(json);
    oras_free(json);
    oras_runtime_free(rt);
    return err.code;
}
