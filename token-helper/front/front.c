/* front.c - see front.h. */
#include "front.h"

#include <unistd.h>

#include "../accounts/place.h"

/* Root and the user mailbearer have no agent of their own. */
int
front_agents(const char *config)
{
    struct place place;

    if (config != NULL)
        return AGENT_NAMED; /* the default agents may serve other accounts */
    if (place_find(NULL, &place, NULL) == 0 && place.system)
        return AGENT_SYSTEM;
    return AGENT_USER;
}

bool
front_has_config(const char *config)
{
    struct place place;

    return config != NULL ||
           (place_find(NULL, &place, NULL) == 0 && access(place.config, F_OK) == 0);
}
