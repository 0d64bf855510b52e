/* fuzz_question.c - what a client asks the agent, as four different users. */
#include "fuzz_conf.h"

#include "agent/question.h"

#define OWN ((uid_t)999)
#define FRIEND ((uid_t)1001)
#define STRANGER ((uid_t)1002)

static const char conf[] =
    "account \"a@b.example\" { client_id = 1 tenant = t allow_users = { 1001, 65534 } }\n"
    "account \"c@b.example\" { client_id = 1 tenant = t postfix_keys = { relay, RELAY2 } "
    "}\n"
    "account \"d@b.example\" { client_id = 1 tenant = t smtp = \"mx.b.example:25 "
    "starttls\" postfix_keys = { relay } }\n";

static struct accounts *accounts;
static struct permits *permits;

static void
warn(const char *line)
{
    (void)line;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    accounts = fuzz_accounts(conf);
    FUZZ_CHECK(permits_new(accounts, OWN, warn, &permits, NULL) == 0);
    return 0;
}

/* `rejected TOKEN ACCOUNT`: the token stays out of every text. */
static void
token_not_in(const struct err *err, const char *payload, size_t size)
{
    static const char map[] = "rejected ";
    const char *token = payload + sizeof map - 1, *end;

    if (size < sizeof map || memcmp(payload, map, sizeof map - 1) != 0)
        return;
    size -= sizeof map - 1;
    end = memchr(token, ' ', size);
    if (end != NULL)
        size = (size_t)(end - token);
    if (!fuzz_holds_piece(conf, sizeof conf, token, size))
        fuzz_not_in(err, token, size);
}

static void
check_answer(const struct question *q, const char *payload, size_t size, uid_t uid)
{
    FUZZ_CHECK(question_name(q->kind) != NULL);
    FUZZ_CHECK((q->account == NULL) == (q->kind == QUESTION_VERSION));
    FUZZ_CHECK(q->kind != QUESTION_UPSTREAM || q->protocol < PROTOCOL_COUNT);
    if (q->kind == QUESTION_REJECTED)
        FUZZ_CHECK(q->token >= payload && q->token_len <= size &&
                   q->token + q->token_len < payload + size);
    if (q->account != NULL) {
        FUZZ_CHECK(uid == 0 || uid == OWN || uid == FRIEND);
        FUZZ_CHECK(uid != FRIEND || strcmp(q->account->name, "a@b.example") == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uid_t uids[] = {0, OWN, FRIEND, STRANGER, PERMITS_UNMAPPED};
    char *payload = fuzz_copy(data, size);
    int first = 0;

    for (size_t i = 0; i < sizeof uids / sizeof uids[0]; i++) {
        struct question q = {.kind = QUESTION_VERSION};
        struct err err = ERR_INIT;
        int r = question_read(accounts, permits, payload, size, uids[i], &q, &err);

        fuzz_result(r, &err, MAY(ERR_NOACCOUNT) | MAY(ERR_DENIED) | MAY(ERR_PERSON));
        token_not_in(&err, payload, size);
        if (r == 0)
            check_answer(&q, payload, size, uids[i]);
        if (i == 0)
            first = r;
        else /* what root cannot have nobody can, for the same reason */
            FUZZ_CHECK(first == 0 ? r == 0 || r == ERR_DENIED : r == first);
    }
    free(payload);
    return 0;
}
