/* templates.h - the templates of `mailbearer setup`, as make-templates.awk writes them.
 *
 * Used by:  render.c, front/cmd_setup.c and the generated templates.c.
 * Includes: libc only.
 *
 * A template is a file CLIENT.tmpl in this folder; README.md says what stands in it. All
 * of it is constant, in the order of the names (strcmp).
 */
#ifndef MAILBEARER_TEMPLATES_H
#define MAILBEARER_TEMPLATES_H

#include <stddef.h>

/* What the account must have; bit n of the first three is 1 << enum protocol. */
#define SETUP_NEEDS_SMTP 1u
#define SETUP_NEEDS_IMAP 2u
#define SETUP_NEEDS_POP3 4u
#define SETUP_NEEDS_TOKEN 8u

struct setup_template {
    const char *name;    /* the client */
    const char *title;   /* one line for the list */
    const char *quoting; /* a kind of names.def */
    unsigned needs;      /* SETUP_NEEDS_* */
    const char *text;    /* whole lines, includes taken in */
};

extern const struct setup_template setup_templates[];
extern const size_t setup_template_count;

#endif
