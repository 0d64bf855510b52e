/* faults.h - scenarios that are run once for each call that can fail in them.
 *
 * Used by:  faults_*.c, which define the list; faults.c has main().
 */
#ifndef MAILBEARER_TESTS_FUZZ_FAULTS_H
#define MAILBEARER_TESTS_FUZZ_FAULTS_H

#include "fuzz.h"
#include "wrap.h"

struct fault_scenario {
    const char *name;
    /* Unharmed, each time: what the scenario begins with. */
    void (*before)(void);
    /* What is tried, while one call goes wrong. True: all of it was done. It checks what
     * it is told (codes, texts); what goes wrong here must be told, or not matter. */
    bool (*run)(void);
    /* Unharmed again: what must hold whatever happened, and work from now on. Leaves
     * nothing behind of what `before` made. */
    void (*after)(bool done);
};

extern const struct fault_scenario fault_scenarios[];
extern const size_t fault_scenario_count;

/* How often a refresh token was lost since the call that went wrong stood between the
 * provider's rotation and us: reported, since nobody can help it. */
extern long fault_lost;

/* Something to be told with FAULTS_TRACE. */
void fault_note(const char *text);

/* Once, first; `dir` is a new directory, which is the current one and goes in the end. */
void fault_setup(const char *dir);
void fault_teardown(void);

#endif
