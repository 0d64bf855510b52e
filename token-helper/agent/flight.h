/* flight.h - one refresh under way: worker, network, worker.
 *
 * Used by:  agent/keeper.c
 * Includes: oauth/acquire.h, worker.h.
 *
 * The steps of acquire.h, driven by events: begin and save run on the worker, the request
 * in the event loop. All that a flight uses is its own copy, so that the keeper may
 * change or drop the entry meanwhile.
 */
#ifndef MAILBEARER_FLIGHT_H
#define MAILBEARER_FLIGHT_H

#include "../accounts/accounts.h"
#include "../oauth/acquire.h"
#include "worker.h"

/* What a keeper's flights share. */
struct flight_env {
    const struct store *store;
    struct http *http;
    struct worker *worker;
};

struct flight {
    struct job job; /* first, so that a job leads back to its flight */
    const struct flight_env *env;
    struct acquire acquire;
    struct acquire_want want;
    struct secret refused; /* a server refused this token: another is wanted */
    struct record memory;  /* what we had; newer than the store's when `unsaved` */
    struct store_stamp memory_stamp;
    bool request; /* begin found that a token must be fetched */
    bool fetched; /* a new token came from the network */
    int result;   /* 0 or ERR_*; the record is usable in any case */
    struct err err;
    void (*landed)(struct flight *flight); /* called once, in the event loop */
    void *arg;
};

/* Starts; `want` and what it points to are taken from the flight's own fields, which the
 * caller has filled in (account, refused, memory, want.due_is_stale, landed, arg).
 * 0, or ERR_TEMP when the worker has no room: landed is not called. */
int flight_start(struct flight *flight, const struct flight_env *env, struct err *err);

struct flight *flight_new(const struct account *account);
void flight_free(struct flight **flight);

#endif
