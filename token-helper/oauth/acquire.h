/* acquire.h - get an account a new access token, in steps.
 *
 * Used by:  agent/keeper.c, which runs begin and save on its worker thread and the
 * request in its event loop; commands/cmd_token.c by acquire_token(), which blocks.
 * Includes: http.h, request.h, reply.h, accounts/, client/.
 *
 *   begin    take the account's lock, read its record again; perhaps somebody else has
 *            refreshed it meanwhile. Hold disk space, read the client secret.
 *   request  compose the next request: the token's, discovery's before it     (no I/O)
 *   reply    take the answer into the record; perhaps another request follows (no I/O)
 *   save     write the record, give the lock back
 *
 * The lock is held from begin to save, so a refresh token is used by one process at a
 * time.
 */
#ifndef MAILBEARER_ACQUIRE_H
#define MAILBEARER_ACQUIRE_H

#include "../accounts/accounts.h"
#include "../accounts/freshness.h"
#include "../accounts/store.h"
#include "credential.h"
#include "discovery.h"
#include "http.h"

#define ACQUIRE_HTTP_MS 20000

/* What is asked for next. */
enum acquire_step {
    ACQUIRE_METADATA_OPENID, /* the issuer's endpoints (discovery.h) ... */
    ACQUIRE_METADATA_OAUTH,  /* ... in the other place */
    ACQUIRE_TOKEN,
};

struct acquire {
    const struct account *account; /* borrowed */
    enum acquire_step step;
    struct deadline http;       /* for all requests together */
    struct endpoints endpoints; /* found by discovery */
    struct secret proof;        /* answers Azure Arc's challenge (managed_identity.h) */
    struct secret url;          /* of the request under way, where it had to be made */
    struct store_lock lock;
    struct record record;
    struct store_stamp stamp; /* of the record's file as read, then as written */
    struct credential credential;
    bool busy;       /* begin: another process held the lock until the deadline */
    bool unsaved;    /* the record could not be written: memory only */
    bool unreadable; /* the store's file could not be read: it is not written either, for
                        it may be a newer version's */
    struct err trouble; /* why, or why it might not be (unsaved, no space) */
};

/* Which stored token satisfies the caller without a request. */
struct acquire_want {
    bool look_only; /* only read the record, whatever it holds, and write what could not
                       be written last time */
    bool due_is_stale;             /* refresh ahead of time: TOKEN_DUE is not enough */
    const struct secret *not_this; /* a token that a server refused; NULL: none */
    int64_t newer_than;  /* a token obtained before this is not enough; 0: any age */
    bool ignore_failure; /* ask even if the last failure is recent (--refresh, but
                            never within Retry-After or back-off) */
    const struct record *memory; /* what this process has in memory; NULL: nothing. Used
                                    when the store cannot be read, and, if memory_newer,
                                    while the store's file is still memory_stamp's */
    const struct store_stamp *memory_stamp;
    bool memory_newer; /* memory could not be written last time */
    int64_t mended_at; /* when the accounts file was last changed or read again: a failure
                          that a person had to mend, noted before, is forgotten */
    bool may_lose_memory; /* this process ends soon: what cannot be stored is lost */
};

void acquire_init(struct acquire *a, const struct account *account);

/* 0 with *request_r false: the record is good as it is, the lock is free again.
 * 0 with *request_r true:  the lock is held; go on with request, reply, save.
 * ERR_TIMEOUT: another process holds the lock (deadline NULL: not waited for).
 * ERR_STORE:   the store cannot be read; or cannot be written, and the token about to be
 *              refreshed could then be lost (may_lose_memory).
 * the last failure's code: it is too early to ask again; the record is filled in.
 * ERR_PERSON:  nobody has signed in yet.
 * ERR_CONFIG, ERR_PERSON, ERR_TEMP, ERR_TIMEOUT, ERR_NOMEM from the credential.
 * An account of grant app_password never needs a request: its password is read and is the
 * "token"; nothing of it is stored. */
int acquire_begin(struct acquire *a, const struct store *store,
                  const struct acquire_want *want, const struct deadline *deadline,
                  int64_t now, bool *request_r, struct err *err);

/* Composes the request that comes next. 0; ERR_TIMEOUT: no time is left for it;
 * ERR_NOMEM, ERR_CONFIG. The request borrows from `a` until http_start() returns. */
int acquire_request(struct acquire *a, struct http_request *request_r, struct err *err);

/* Takes the reply, or the transfer's failure (exactly one is not NULL), into a->record; a
 * failure is noted there as well. *more_r: it was not the last, another request follows.
 * Returns as reply_token() or discovery_read(). */
int acquire_reply(struct acquire *a, const struct http_reply *reply,
                  const struct err *failed, int64_t now, bool *more_r, struct err *err);

/* Writes the record and gives the lock back. 0; ERR_STORE: a->unsaved is set and
 * a->trouble says why, the record in memory is the newest there is. */
int acquire_save(struct acquire *a, const struct store *store);

/* Gives the lock back and wipes. */
void acquire_clear(struct acquire *a);

/* All of it, blocking, until the deadline. 0: a->record has a token to hand out (perhaps
 * the old one, as last resort; a->trouble then says why). Otherwise as above. */
int acquire_token(struct acquire *a, const struct store *store,
                  const struct acquire_want *want, const struct deadline *deadline,
                  struct err *err);

#endif
