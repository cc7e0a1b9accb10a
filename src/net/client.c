/* SPDX-License-Identifier: MIT
 * Who may run now: curl is given only as many transfers a host as the client allows, in the
 * order in which they came; what waits, waits here and can be taken back for nothing. */
#define _GNU_SOURCE
#include "net/client.h"

#include "base/alloc.h"
#include "net/connect_to.h"
#include "net/internal.h"

#include <string.h>

#define DEFAULT_PER_HOST 16
#define TICK_MS          100

static bool copy_text(const char *text, char **out)
{
    if (!text)
        return true;
    *out = oras_strdup(text);
    return *out != NULL;
}

static bool copy_options(oras_client *client, const oras_client_options *options)
{
    client->insecure = options->insecure;
    client->per_host = options->per_host > 0 ? options->per_host : DEFAULT_PER_HOST;
    return copy_text(options->ca_file, &client->ca_file) &&
           copy_text(options->cert, &client->cert) && copy_text(options->key, &client->key) &&
           copy_text(options->cert_origin, &client->cert_origin) &&
           copy_text(options->proxy, &client->proxy) &&
           copy_text(options->user_agent ? options->user_agent : "oras-lua/0.1.0",
                     &client->user_agent);
}

static void end_client(oras_client *client)
{
    while (client->n_idle > 0)
        curl_easy_cleanup(client->idle[--client->n_idle]);
    while (client->hosts) {
        oras_host *host = client->hosts;

        client->hosts = host->next;
        oras_dealloc(host);
    }
    if (client->ticking)
        oras_loop_timer_stop(client->loop, &client->tick);
    oras_loop_unpost(client->loop, &client->room);
    oras_dealloc(client->ca_file);
    oras_dealloc(client->cert);
    oras_dealloc(client->key);
    oras_dealloc(client->cert_origin);
    oras_dealloc(client->proxy);
    oras_proxy_env_dispose(&client->env);
    curl_slist_free_all(client->connect_to);
    oras_dealloc(client->user_agent);
    oras_dealloc(client);
}

static oras_code add_places(oras_client *client, const oras_client_options *options,
                            oras_error *err)
{
    oras_code code = ORAS_OK;

    for (int i = 0; i < options->n_resolve && !code; i++)
        code = oras_connect_to_add(options->resolve[i], &client->connect_to, err);
    return code;
}

static void on_tick(void *ud)
{
    oras_client *client = ud;
    int64_t now = oras_loop_now();

    client->ticking = false;
    client->n_refs++; /* a transfer that fails now may be the last to hold it */
    for (oras_transfer *at = client->running, *next; at; at = next) {
        next = at->next_running;
        oras_transfer_tick(at, now);
    }
    if (client->running && !client->ticking) {
        client->ticking = true;
        oras_loop_timer_start(client->loop, &client->tick, TICK_MS);
    }
    oras_client_unref(client);
}

oras_code oras_client_new(oras_loop *loop, const oras_client_options *options, oras_client **out,
                          oras_error *err)
{
    oras_client *client = oras_alloc_zero(1, sizeof *client);
    oras_code code = ORAS_OK;

    if (!client)
        return oras_fail_memory(err);
    client->n_refs = 1;
    client->loop = loop;
    client->tick = (oras_timer){.fn = on_tick, .ud = client};
    if (!copy_options(client, options) || (!client->proxy && !oras_proxy_env_read(&client->env)))
        code = oras_fail_memory(err);
    if (!code)
        code = add_places(client, options, err);
    if (code)
        end_client(client);
    else
        *out = client;
    return code;
}

oras_client *oras_client_ref(oras_client *client)
{
    client->n_refs++;
    return client;
}

void oras_client_unref(oras_client *client)
{
    if (client && --client->n_refs == 0)
        end_client(client);
}

static oras_host *find_host(oras_client *client, const char *origin)
{
    oras_host *host = client->hosts;

    while (host && strcmp(host->origin, origin) != 0)
        host = host->next;
    if (host)
        return host;
    host = oras_alloc_zero(1, sizeof *host);
    if (!host)
        return NULL;
    memcpy(host->origin, origin, strlen(origin) + 1);
    host->next = client->hosts;
    client->hosts = host;
    return host;
}

static void link_running(oras_client *client, oras_transfer *transfer)
{
    transfer->prev_running = NULL;
    transfer->next_running = client->running;
    if (client->running)
        client->running->prev_running = transfer;
    client->running = transfer;
    transfer->host->n_running++;
    if (!client->ticking) {
        client->ticking = true;
        oras_loop_timer_start(client->loop, &client->tick, TICK_MS);
    }
}

static void unlink_running(oras_client *client, oras_transfer *transfer)
{
    if (transfer->prev_running)
        transfer->prev_running->next_running = transfer->next_running;
    else
        client->running = transfer->next_running;
    if (transfer->next_running)
        transfer->next_running->prev_running = transfer->prev_running;
    if (!transfer->rests)
        transfer->host->n_running--;
    transfer->rests = false;
}

static CURL *take_handle(oras_client *client)
{
    return client->n_idle > 0 ? client->idle[--client->n_idle] : curl_easy_init();
}

/* A handle that spoke to a proxy may remember how it logged in there: it is not used again. */
static void give_handle(oras_client *client, CURL *easy, bool reusable)
{
    if (reusable && client->n_idle < (int)(sizeof client->idle / sizeof client->idle[0])) {
        curl_easy_reset(easy);
        client->idle[client->n_idle++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

/* One of them may be Authorization: wiped before it goes. */
static void free_sent_headers(oras_transfer *transfer)
{
    for (struct curl_slist *at = transfer->sent_headers; at; at = at->next)
        explicit_bzero(at->data, strlen(at->data));
    curl_slist_free_all(transfer->sent_headers);
    transfer->sent_headers = NULL;
}

static void drop_handle(oras_client *client, oras_transfer *transfer)
{
    give_handle(client, transfer->easy, !transfer->proxy);
    transfer->easy = NULL;
    transfer->owner.fd = CURL_SOCKET_BAD;
    free_sent_headers(transfer);
}

static oras_code activate(oras_client *client, oras_transfer *transfer, oras_error *err)
{
    oras_code code;

    transfer->easy = take_handle(client);
    if (!transfer->easy)
        return oras_fail_memory(err);
    code = oras_request_prepare(transfer, err);
    if (!code)
        code = oras_loop_add(client->loop, transfer->easy, err);
    if (code) {
        drop_handle(client, transfer);
        return code;
    }
    transfer->state = STATE_RUNNING;
    transfer->started = transfer->window_start = oras_loop_now();
    transfer->window_sent = 0;
    link_running(client, transfer);
    return ORAS_OK;
}

oras_code oras_client_enter(oras_client *client, oras_transfer *transfer, oras_error *err)
{
    char origin[ORAS_ORIGIN_TEXT_MAX];

    oras_origin_print(&transfer->url.origin, origin);
    transfer->host = find_host(client, origin);
    if (!transfer->host)
        return oras_fail_memory(err);
    if (transfer->host->n_running < client->per_host)
        return activate(client, transfer, err);
    transfer->state = STATE_QUEUED;
    transfer->next_waiting = NULL;
    if (transfer->host->last)
        transfer->host->last->next_waiting = transfer;
    else
        transfer->host->first = transfer;
    transfer->host->last = transfer;
    return ORAS_OK;
}

static void unlink_waiting(oras_host *host, const oras_transfer *transfer)
{
    oras_transfer *before = NULL;

    for (oras_transfer *at = host->first; at; before = at, at = at->next_waiting) {
        if (at != transfer)
            continue;
        if (before)
            before->next_waiting = at->next_waiting;
        else
            host->first = at->next_waiting;
        if (host->last == at)
            host->last = before;
        return;
    }
}

static void start_next(oras_client *client, oras_host *host)
{
    while (host->first && host->n_running < client->per_host) {
        oras_transfer *next = host->first;
        oras_error err = ORAS_ERROR_INIT;

        unlink_waiting(host, next);
        if (activate(client, next, &err))
            oras_transfer_fail(next, &err, false);
    }
}

void oras_client_leave(oras_client *client, oras_transfer *transfer)
{
    if (transfer->state == STATE_QUEUED) {
        unlink_waiting(transfer->host, transfer);
    } else if (transfer->state == STATE_RUNNING) {
        oras_loop_remove(client->loop, transfer->easy);
        drop_handle(client, transfer);
        unlink_running(client, transfer);
        transfer->state = STATE_FINISHING;
        start_next(client, transfer->host);
    }
}

static void on_room(void *ud)
{
    oras_client *client = ud;

    client->n_refs++; /* a transfer that cannot start may be the last to hold it */
    for (oras_host *host = client->hosts; host; host = host->next)
        start_next(client, host);
    oras_client_unref(client);
}

void oras_client_rest(oras_client *client, oras_transfer *transfer)
{
    if (transfer->rests)
        return;
    transfer->rests = true;
    transfer->host->n_running--;
    client->room.fn = on_room;
    client->room.ud = client;
    oras_loop_post(client->loop, &client->room);
}

void oras_client_go_on(oras_transfer *transfer)
{
    if (transfer->rests)
        transfer->host->n_running++;
    transfer->rests = false;
}
