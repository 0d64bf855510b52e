/* postfix_relays.c - where Postfix sends mail. */
#include <stdio.h>
#include <string.h>

#include "postfix_gather.h"
#include "postfix_search.h"

/* True for a transport that is smtp(8): that reads the smtp_* settings. */
static bool
is_smtp(const struct postfix_facts *facts, const char *name)
{
    const struct postfix_service *s = postfix_service_find(&facts->config, name);

    return s != NULL && strncmp(s->command, "smtp", 4) == 0 &&
           (s->command[4] == '\0' || s->command[4] == ' ');
}

static bool
has_relay(const struct postfix_facts *facts, const struct postfix_relay *relay)
{
    for (size_t i = 0; i < facts->relay_count; i++) {
        const struct postfix_relay *r = &facts->relays[i];

        if (strcmp(r->hop.text, relay->hop.text) == 0 &&
            strcmp(r->service, relay->service) == 0 &&
            strcmp(r->sender, relay->sender) == 0)
            return true;
    }
    return false;
}

/* One or more next hops, of that transport. */
static void
add(struct postfix_facts *facts, const char *hops, const char *service,
    const char *sender, const char *origin)
{
    const char *word;
    size_t len;

    if (!is_smtp(facts, service) || strlen(service) >= POSTFIX_NAME_MAX ||
        strlen(sender) >= ENTRY_TEXT_MAX)
        return;
    while ((word = words_next(&hops, &len)) != NULL) {
        struct postfix_relay relay = {.origin = origin};

        snprintf(relay.service, sizeof relay.service, "%s", service);
        snprintf(relay.sender, sizeof relay.sender, "%s", sender);
        if (!nexthop_parse(word, len, &relay.hop) || has_relay(facts, &relay))
            continue;
        if (facts->relay_count == POSTFIX_RELAYS_MAX)
            facts->more_relays = true;
        else
            facts->relays[facts->relay_count++] = relay;
    }
}

/* TRANSPORT[:NEXTHOP]; without a next hop the relayhost's. */
static void
add_transport(struct postfix_facts *facts, const char *transport, const char *sender,
              const char *origin)
{
    char name[POSTFIX_NAME_MAX];
    const char *hop;

    if (!transport_split(transport, name, sizeof name, &hop))
        return;
    if (hop[0] != '\0')
        add(facts, hop, name, sender, origin);
    else
        add(facts, postfix_value(&facts->config, NULL, "relayhost"), name, sender,
            "relayhost");
}

enum map_use { MAP_TRANSPORTS, MAP_SENDER_RELAYS, MAP_SENDER_TRANSPORTS };

static void
add_entry(struct postfix_facts *facts, enum map_use use, const char *setting,
          const char *key, const char *value)
{
    char name[POSTFIX_NAME_MAX];
    const char *hop;

    if (use == MAP_SENDER_RELAYS) {
        if (transport_split(postfix_value(&facts->config, NULL, "default_transport"),
                            name, sizeof name, &hop))
            add(facts, value, name, key, setting);
    } else if (use == MAP_SENDER_TRANSPORTS) {
        add_transport(facts, value, key, setting);
    } else if (transport_split(value, name, sizeof name, &hop) && hop[0] != '\0') {
        /* Without a next hop the recipient's domain is it: that is no relay. */
        add(facts, hop, name, "", setting);
    }
}

/* All entries of the tables in that setting. */
static void
add_map(struct postfix_search *s, enum map_use use, const char *setting)
{
    const char *list = postfix_value(&s->facts->config, NULL, setting), *word;
    size_t len;

    while ((word = words_next(&list, &len)) != NULL) {
        struct secret text = SECRET_INIT;
        struct postfix_table_fact *fact;
        struct postfix_table table;
        char *at, *key, *value;

        if (!table_parse(word, len, &table))
            continue;
        fact = search_table(s->facts, &table);
        if (search_list(s, &table, fact, &text))
            for (at = text.data; table_next(&at, &key, &value);)
                add_entry(s->facts, use, setting, key, value);
        secret_clear(&text);
        table_clear(&table);
    }
}

void
postfix_gather_relays(struct postfix_facts *facts)
{
    const struct postfix_config *c = &facts->config;
    struct postfix_search s = {.facts = facts,
                               .tools.config_dir = facts->config_dir,
                               .tools.deadline = &facts->deadline};

    snprintf(s.tools.postmap, sizeof s.tools.postmap, "%s/postmap",
             postfix_value(c, NULL, "command_directory"));
    add_transport(facts, postfix_value(c, NULL, "default_transport"), "",
                  "default_transport");
    if (postfix_value(c, NULL, "relay_domains")[0] != '\0')
        add_transport(facts, postfix_value(c, NULL, "relay_transport"), "",
                      "relay_transport");
    add_map(&s, MAP_TRANSPORTS, "transport_maps");
    add_map(&s, MAP_SENDER_RELAYS, "sender_dependent_relayhost_maps");
    add_map(&s, MAP_SENDER_TRANSPORTS, "sender_dependent_default_transport_maps");
    for (size_t i = 0; i < facts->relay_count; i++) {
        struct postfix_relay *relay = &facts->relays[i];
        const struct postfix_service *by = postfix_service_find(c, relay->service);

        relay->chrooted = by != NULL && postfix_service_chrooted(c, by);
        search_entry(&s, relay);
        search_policy(&s, relay);
    }
    search_orphans(&s);
}
