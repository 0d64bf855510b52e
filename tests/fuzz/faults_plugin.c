/* faults_plugin.c - the plugin in a host, while calls fail. */
#include <unistd.h>

#include "faults.h"
#include "host.h"

static const sasl_client_plug_t *plugs;
static int agent;
static char path[100];

void
fault_setup(const char *dir)
{
    snprintf(path, sizeof path, "%s/agent.sock", dir);
    setenv("MAILBEARER_SOCKET", path, 1);
    agent = host_agent_begin(path);
    plugs = host_plugs();
}

void
fault_teardown(void)
{
    host_agent_end(agent);
}

static void
nothing(void)
{
}

static bool
accepted(void)
{
    return host_exchange(plugs, 0, "agent:alice@b.example", false) == SASL_OK;
}

static bool
refused(void)
{
    return host_exchange(plugs, 1, "agent:", true) == SASL_OK;
}

static bool
literal(void)
{
    return host_exchange(plugs, 0, HOST_TOKEN, true) == SASL_OK;
}

/* The next exchange is not harmed by the one before. */
static void
works(bool done)
{
    (void)done;
    FUZZ_CHECK(accepted());
}

const struct fault_scenario fault_scenarios[] = {
    {"token from the agent", nothing, accepted, works},
    {"refused, and reported", nothing, refused, works},
    {"literal token, refused", nothing, literal, works},
};
const size_t fault_scenario_count = sizeof fault_scenarios / sizeof fault_scenarios[0];
