/* context.c - see context.h. */
#include "context.h"

int
context_accounts(struct context *context, struct err *err)
{
    int r = place_find(context->config, &context->place, err);

    return r != 0 ? r : accounts_read(context->place.config, &context->accounts, err);
}

int
context_account(const struct context *context, const char *name,
                const struct account **account_r, struct err *err)
{
    const struct account *account = accounts_find(context->accounts, name);

    if (account == NULL) {
        err_set(err, ERR_NOACCOUNT, "no such account in %s", context->place.config);
        err_hint(err, "add it there, or see which there are: mailbearer status");
        return ERR_NOACCOUNT;
    }
    *account_r = account;
    return 0;
}

const char *
context_state_directory(const struct context *context)
{
    return context->accounts->state_directory != NULL ? context->accounts->state_directory
                                                      : context->place.state;
}

int
context_store(struct context *context, struct err *err)
{
    const char *directory = context_state_directory(context);
    int r = place_enter(directory, err);

    return r != 0 ? r : store_open(directory, &context->store, err);
}

void
context_close(struct context *context)
{
    accounts_free(&context->accounts);
    store_close(&context->store);
}
