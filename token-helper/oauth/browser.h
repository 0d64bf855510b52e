/* browser.h - open an address in the person's browser.
 *
 * Used by:  commands/ (the sign-in with a browser)
 * Includes: client/, libc.
 *
 * $BROWSER, else xdg-open, started without a shell, with nothing of our standard files,
 * in a session of its own so that Ctrl-C here does not end it. Never as root: a browser
 * is the last thing to run with its rights, and it could not reach the person's screen.
 */
#ifndef MAILBEARER_BROWSER_H
#define MAILBEARER_BROWSER_H

#include <stdbool.h>
#include <sys/types.h>

#include "../client/error.h"

/* Is there a screen to show one on? Asks the environment: BROWSER, DISPLAY,
 * WAYLAND_DISPLAY. */
bool browser_has_screen(void);

/* The same, and we are not root. */
bool browser_possible(void);

/* Starts it. $BROWSER is a list of commands, divided by colons, of which the first that
 * can be started is taken; the words of a command are divided by blanks, %s in one stands
 * for the address, which else comes last.
 * 0: *pid_r is the process, to be given to browser_failed(). ERR_DENIED: we are root.
 * ERR_USAGE: no http or https address, or one with blanks, quotes or control characters.
 * ERR_CONFIG: nothing could be started. */
int browser_open(const char *url, pid_t *pid_r, struct err *err);

/* Looks, without waiting, whether it ended and says so in err. False while it runs (*pid
 * stays), when it has done its work, or after that was said once (*pid is then 0). */
bool browser_failed(pid_t *pid, struct err *err);

#endif
