/* keeper.c - see keeper.h: which accounts there are. */
#include "keeper.h"

#include <stdlib.h>
#include <string.h>

#include "../base/wallclock.h"
#include "../client/deadline.h"
#include "keeper_private.h"

void
generation_release(struct generation *g)
{
    if (g == NULL || --g->users > 0)
        return;
    accounts_free(&g->accounts);
    free(g);
}

int
keeper_new(const struct store *store, struct http *http, struct worker *worker,
           struct keeper **keeper_r, struct err *err)
{
    struct keeper *k = calloc(1, sizeof *k);

    if (k == NULL)
        return err_set(err, ERR_NOMEM, "out of memory");
    if ((k->slots = slots_new()) == NULL) {
        free(k);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    k->env = (struct flight_env){store, http, worker};
    *keeper_r = k;
    return 0;
}

void
keeper_set_watch(struct keeper *k, struct hooks *hooks, const struct expiry *expiry)
{
    k->hooks = hooks;
    k->expiry = expiry;
}

void
keeper_drop(struct entry *e)
{
    if (e->flight != NULL)
        generation_release(e->flight_generation);
    entry_free(e);
}

void
keeper_set_probes(struct keeper *k, const struct probes *probes)
{
    k->probes = probes;
}

void
keeper_free(struct keeper **keeper)
{
    struct keeper *k = *keeper;
    struct entry *e;

    if (k == NULL)
        return;
    for (size_t i = 0; i < k->count; i++)
        keeper_drop(k->entry[i]);
    while ((e = k->gone) != NULL) {
        k->gone = e->next;
        keeper_drop(e);
    }
    free(k->entry);
    generation_release(k->generation);
    slots_free(&k->slots);
    free(k);
    *keeper = NULL;
}

const struct accounts *
keeper_accounts(const struct keeper *k)
{
    return k->generation->accounts;
}

unsigned
keeper_flights(const struct keeper *k)
{
    return k->flights;
}

static int
compare_entry(const void *name, const void *entry)
{
    return strcmp(name, (*(struct entry *const *)entry)->name);
}

struct entry *
keeper_find(const struct keeper *k, const char *name)
{
    struct entry **e = k->count == 0 ? NULL
                                     : bsearch(name, k->entry, k->count, sizeof *k->entry,
                                               compare_entry);

    return e != NULL ? *e : NULL;
}

/* Entries stand in the order of the accounts, so the name need not be looked for: this is
 * done for each question. */
struct entry *
keeper_entry(const struct keeper *k, const struct account *account)
{
    return k->entry[account - k->generation->accounts->account];
}

static struct entry *
entry_new(const char *name)
{
    struct entry *e = calloc(1, sizeof *e);

    if (e != NULL && (e->name = strdup(name)) == NULL) {
        free(e);
        e = NULL;
    }
    return e;
}

/* An account that is not in the new file: those who wait are told so. */
static void
retire(struct keeper *k, struct entry *e)
{
    struct err err = ERR_INIT;

    e->account = NULL;
    slots_drop(k->slots, &e->slot);
    err_set(&err, ERR_NOACCOUNT, "the account was removed from the accounts file");
    entry_answer_all(e, false, &err, deadline_now(), 0);
    if (e->flight == NULL) {
        entry_free(e);
        return;
    }
    e->next = k->gone;
    k->gone = e;
}

/* Fills `list` with the old entries that stay and new ones for the rest. */
static int
match_entries(struct keeper *k, const struct accounts *accounts, struct entry **list)
{
    for (size_t i = 0; i < accounts->count; i++) {
        list[i] = keeper_find(k, accounts->account[i].name);
        if (list[i] == NULL && (list[i] = entry_new(accounts->account[i].name)) == NULL) {
            while (i-- > 0)
                if (list[i]->account == NULL)
                    entry_free(list[i]);
            return ERR_NOMEM;
        }
    }
    return 0;
}

int
keeper_set_accounts(struct keeper *k, struct accounts *accounts, struct err *err)
{
    struct generation *g = calloc(1, sizeof *g);
    struct entry **list = calloc(accounts->count + 1, sizeof *list);

    if (g == NULL || list == NULL || match_entries(k, accounts, list) != 0) {
        free(g);
        free(list);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < k->count; i++)
        if (accounts_find(accounts, k->entry[i]->name) == NULL)
            retire(k, k->entry[i]);
    for (size_t i = 0; i < accounts->count; i++) {
        list[i]->account = &accounts->account[i];
        list[i]->record.failure = (struct failure){.err = ERR_INIT};
        list[i]->same = token_same_settings(&list[i]->record, list[i]->account);
    }
    generation_release(k->generation);
    *g = (struct generation){accounts, 1, wallclock_now()};
    k->generation = g;
    free(k->entry);
    k->entry = list;
    k->count = accounts->count;
    k->load_next = 0;
    k->ahead_next = 0;
    return 0;
}
