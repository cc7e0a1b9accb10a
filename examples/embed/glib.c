/* SPDX-License-Identifier: MIT
 * A runtime as a GSource of GLib's main loop: ./glib REFERENCE...
 * cc glib.c $(pkg-config --cflags --libs oras glib-2.0) */
#include <glib.h>
#include <oras.h>
#include <stdio.h>

typedef struct oras_source {
    GSource source; /* first */
    oras_runtime *rt;
    GMainLoop *loop; /* to be ended when no call is left */
    gpointer tag;
    int failed;
} oras_source;

static gboolean prepare(GSource *source, gint *timeout)
{
    *timeout = oras_timeout_ms(((oras_source *)source)->rt);
    return *timeout == 0;
}

static gboolean check(GSource *source)
{
    oras_source *s = (oras_source *)source;

    return g_source_query_unix_fd(source, s->tag) || oras_timeout_ms(s->rt) == 0;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer ud)
{
    oras_source *s = (oras_source *)source;
    oras_error err = ORAS_ERROR_INIT;
    int pending = 0;

    (void)callback;
    (void)ud;
    s->failed |= oras_step(s->rt, &pending, &err) != ORAS_OK;
    if (pending == 0 || s->failed)
        g_main_loop_quit(s->loop);
    return G_SOURCE_CONTINUE;
}

static oras_source *attach(oras_runtime *rt, GMainLoop *loop)
{
    static GSourceFuncs functions = {.prepare = prepare, .check = check, .dispatch = dispatch};
    oras_source *s = (oras_source *)g_source_new(&functions, sizeof *s);

    s->rt = rt;
    s->loop = loop;
    s->failed = 0;
    s->tag = g_source_add_unix_fd(&s->source, oras_pollfd(rt), G_IO_IN);
    g_source_attach(&s->source, NULL);
    return s;
}

static int print_result(oras_call *call)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    if (oras_call_result(call, &json, &err))
        fprintf(stderr, "%s: %s\n", err.class_name, err.message);
    else
        puts(json);
    oras_free(json);
    oras_call_free(call);
    return err.code;
}

int main(int argc, char **argv)
{
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    oras_source *source;
    oras_call *calls[16] = {NULL};
    char args[1024];
    int n = 0, failed;

    if (oras_runtime_new(NULL, &rt, &err))
        return fprintf(stderr, "%s\n", err.message), 1;
    for (int i = 1; i < argc && n < 16; i++) {
        snprintf(args, sizeof args, "[\"%s\"]", argv[i]);
        if (!oras_call_start(rt, "conda", "inspect", args, &calls[n], &err))
            n++;
    }
    source = attach(rt, loop);
    if (n > 0)
        g_main_loop_run(loop);
    failed = source->failed;
    for (int i = 0; i < n; i++)
        failed |= print_result(calls[i]) != ORAS_OK;
    g_source_destroy(&source->source);
    g_source_unref(&source->source);
    g_main_loop_unref(loop);
    oras_runtime_free(rt);
    return failed || err.code;
}
