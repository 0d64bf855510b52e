/* render.h - a template with an account's values in it.
 *
 * Used by:  front/cmd_setup.c
 * Includes: templates.h, setup_values.h, quote.h. No I/O. README.md is the syntax.
 */
#ifndef MAILBEARER_RENDER_H
#define MAILBEARER_RENDER_H

#include "setup_values.h"
#include "templates.h"

/* Appends what the template becomes. 0; ERR_CONFIG: a value has a character that cannot
 * be written where the template wants it, or the template names what has no value (err
 * tells which); ERR_NOMEM. On failure `out` is as it was. */
int render(const struct setup_template *template, const struct setup_values *values,
           struct secret *out, struct err *err);

/* The template of that name, or NULL. */
const struct setup_template *render_find(const char *name);

#endif
