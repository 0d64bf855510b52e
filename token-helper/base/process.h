/* process.h - what each of our programs does first.
 *
 * Used by:  front/main.c, commands/main.c, fetch-helper/main.c
 * Includes: libc.
 */
#ifndef MAILBEARER_PROCESS_H
#define MAILBEARER_PROCESS_H

/* Opens standard input, output and error where the caller closed them: the next file
 * opened would take their place, and a token or an error text be written into it. Closes
 * the process to others: not traceable, no core file, since tokens pass through it
 * (LeakSanitizer must look into it in the builds it is part of). 0, or -1: not even
 * /dev/null can be opened. */
int process_begin(void);

#endif
