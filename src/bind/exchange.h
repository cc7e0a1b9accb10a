/* SPDX-License-Identifier: MIT
 * One exchange as Lua sees it: what lua_client.c, exchange_spec.c and exchange_response.c share. */
#ifndef ORAS_BIND_EXCHANGE_H
#define ORAS_BIND_EXCHANGE_H

#include "bind/wait.h"
#include "net/transfer.h"

/* user values of the box; the box keeps alive what the transfer borrows */
enum { EXCHANGE_SINK = 1, EXCHANGE_BODY, EXCHANGE_PROGRESS, EXCHANGE_N_VALUES = EXCHANGE_PROGRESS };

typedef struct oras_exchange {
    oras_context *context;
    oras_transfer *transfer;
    oras_sink *sink;     /* what the transfer writes to; NULL: nothing */
    oras_signal signal;  /* done, or what is asked for below */
    oras_signal *reader; /* of the body, once it is handed out; NULL before */
    bool progress_ended; /* it was told that all is there */
    bool has_progress, progress_due;
    bool streams; /* hand out when the headers are there */
    bool has_headers, is_done;
    bool kept; /* handed out: leaving the function does not end it */
} oras_exchange;

/** Read the table at `spec` into the transfer of the box at `box`; raises for misuse, gives
 * the failure otherwise. [-0, +0] */
oras_code oras_exchange_read_spec(lua_State *L, int spec, int box, oras_error *err);

/** Push the response table of the exchange at `box`. [-0, +1] */
void oras_exchange_push_response(lua_State *L, int box);

/** The hop at idx; raises if it is something else. */
const oras_hop *oras_lua_check_hop(lua_State *L, int idx);

/** Make the userdata types of responses. [-0, +0] */
void oras_exchange_open_types(lua_State *L);

#endif
