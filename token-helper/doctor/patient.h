/* patient.h - the account under examination: what its checks share. Private to
 * doctor_account().
 *
 * The checks run in this order, each in a file of its own, and go on where they can; in
 * quotes what the report calls them:
 *
 *   - local_check.c: accounts file, store, files it names ("accounts", "store", "files")
 *   - agent_check.c: who listens, and who serves the account ("agent")
 *   - network.c: names, connections, certificates, the clock ("network", "clock")
 *   - grant.c: a token ("grant")
 *   - claims.c: what is in it ("token")
 *   - mail_check.c: the sign-in at each server ("smtp", "imap", "pop3")
 */
#ifndef MAILBEARER_PATIENT_H
#define MAILBEARER_PATIENT_H

#include "../accounts/context.h"
#include "../base/json.h"
#include "../client/deadline.h"
#include "../mail/server.h"
#include "../oauth/store_key.h"
#include "doctor.h"

/* One of the account's servers. */
struct patient_server {
    bool asked;                /* by its option; a finding if it cannot be checked */
    bool wanted;               /* is to be checked */
    bool reachable;            /* network.c came as far as TLS */
    struct mail_server server; /* host NULL: the account has none; texts are borrowed */
};

#define PATIENT_GUID_SIZE 37

struct patient {
    const struct doctor_request *request;
    struct report *report;
    struct deadline deadline; /* for all of it */
    struct context context;
    struct store_key *key;
    bool store_open;
    const struct account *account; /* NULL: only an agent knows it */
    int where;                     /* enum agent_where: agents that may serve it */
    bool served;                   /* one of them does */
    struct err missing;            /* why there is no account here, when there is none */
    bool unknown;                  /* nobody knows it: nothing more can be checked */
    struct json *upstream[PROTOCOL_COUNT]; /* what the agent says of it without a file */
    struct patient_server mail[PROTOCOL_COUNT];
    struct secret token; /* or the app password; empty: none could be had */
    int64_t expires_at;  /* of the token; 0: not known */
    bool microsoft;      /* by its provider, or by its token */
    bool renewed;        /* after a refusal, another one was asked for already */
    bool delay_told;     /* the report says that changes take their time */
    char object_id[PATIENT_GUID_SIZE]; /* of the enterprise application that the token is
                                          for; "": not known, or it is a person's */
};

/* The account's name as it was typed. */
#define PATIENT_NAME(p) ((p)->request->account)

/* Reads accounts file and store; sets context, account, mail. As root the process becomes
 * the state directory's owner. */
void local_check(struct patient *p);

/* Asks the agents; sets served, and where no file has the account, mail. */
void agent_check(struct patient *p);

/* Looks at the token endpoint and all servers wanted, at the same time; sets
 * reachable. */
void network_check(struct patient *p);

/* Gets a token; sets token and expires_at. */
void grant_check(struct patient *p);

/* Another token than `refused`, which a server did not take. 0 with *fresh_r (which may
 * be the same one again), or why there is none. */
int grant_fresh(struct patient *p, const struct secret *refused, const struct deadline *d,
                struct secret *fresh_r, struct err *err);

/* Looks into the token; a server it is not made for is no longer wanted, unless it was
 * asked for. */
void claims_check(struct patient *p);

/* Signs in at each server that is wanted. */
void mail_check(struct patient *p);

/* Milliseconds a step may take: `most`, and no more than leaves `rest` to those behind
 * it, but 1 s in any case while there is as much. */
int patient_share(const struct patient *p, int most, int rest);

/* Is it a password instead of a token? */
bool patient_has_password(const struct patient *p);

/* Seconds in words for a finding: "59 min", "3 days". Returns buf. */
#define PATIENT_SPAN_MAX 32
char *patient_span(int64_t seconds, char buf[PATIENT_SPAN_MAX]);

#endif
