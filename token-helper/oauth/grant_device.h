/* grant_device.h - a sign-in on another device: the device authorization grant (RFC
 * 8628). No I/O, no clock: a state machine that is told the time.
 *
 * Used by:  commands/ (the sign-in with a device code), tests/fuzz
 * Includes: request.h, reply.h, base/json.h, accounts/, client/.
 *
 *   begin_request, begin   ask for a code, show it to the person
 *   wait                   how long until the next question
 *   poll_request, poll     has the person signed in by now?
 *
 * Milliseconds are of one clock that does not step (client/deadline.h).
 */
#ifndef MAILBEARER_GRANT_DEVICE_H
#define MAILBEARER_GRANT_DEVICE_H

#include "../accounts/accounts.h"
#include "../accounts/store.h"
#include "credential.h"
#include "http.h"
#include "reply.h"

#define DEVICE_INTERVAL_S 5 /* where the provider gives none (RFC 8628 3.2) */
#define DEVICE_SLOWER_S 5   /* for good, with each slow_down (3.5) */
#define DEVICE_INTERVAL_MOST_S 60
#define DEVICE_LIFE_S 900 /* where the provider gives none: Microsoft's */
#define DEVICE_LIFE_MOST_S 3600
#define DEVICE_USER_CODE_MAX 64
#define DEVICE_ADDRESS_MAX 512

struct grant_device {
    struct secret device_code;
    char user_code[DEVICE_USER_CODE_MAX + 1];       /* printable */
    char address[DEVICE_ADDRESS_MAX + 1];           /* where to type it; http or https */
    char address_with_code[DEVICE_ADDRESS_MAX + 1]; /* "": the provider has none */
    int64_t interval_ms;
    int64_t next_ms;    /* not to be asked before */
    int64_t expires_ms; /* the code's end */
    int faults;         /* questions in a row without an answer */
    bool other_way;     /* it is over, and another way to sign in may do */
    struct err trouble; /* why the last question had none; ERR_NONE: it had one */
};

/* Asks the device authorization endpoint for a code; an assertion is addressed to the
 * token endpoint. 0, with *request_r as request_token(); ERR_NOMEM, ERR_CONFIG. */
int grant_device_begin_request(const struct account *account, const char *endpoint,
                               const char *token_endpoint, const char *scope,
                               const struct credential *credential, int64_t now,
                               struct http_request *request_r, struct err *err);

/* Takes the answer. 0: *device_r is filled in. ERR_PERSON, ERR_TEMP, ERR_PROTOCOL: as
 * reply_token(), with what to do instead; ERR_NOMEM. */
int grant_device_begin(const struct reply_input *in, int64_t now_ms,
                       struct grant_device *device_r, struct err *err);

/* Milliseconds until the next question, 0 when it is due; -1: the code has ended. */
int64_t grant_device_wait(const struct grant_device *device, int64_t now_ms);

/* The question. Returns as grant_device_begin_request(). */
int grant_device_poll_request(const struct grant_device *device,
                              const struct account *account, const char *token_endpoint,
                              const struct credential *credential, int64_t now,
                              struct http_request *request_r, struct err *err);

/* What came of it; `in` is NULL when nothing came, and `failed` says why. retry_after is
 * the reply's, in seconds.
 * 0 with *again_r true: not yet, or not understood (then device->trouble says what): ask
 * again after grant_device_wait(). 0 with *again_r false: the person has signed in,
 * `record` has the tokens as reply_token() takes them.
 * ERR_PERSON, ERR_PROTOCOL, ERR_NOMEM: it is over. */
int grant_device_poll(struct grant_device *device, const struct reply_input *in,
                      const struct err *failed, int64_t retry_after, int64_t now_ms,
                      bool *again_r, struct record *record, struct err *err);

/* ERR_PERSON: the code ended before anybody signed in. */
int grant_device_expired(const struct account *account, struct err *err);

void grant_device_clear(struct grant_device *device);

#endif
