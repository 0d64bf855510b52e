/* catalogue_table.h - the tables make-table.awk writes from catalogue.tsv.
 *
 * Used by:  catalogue.c, catalogue_search.c and the generated catalogue_table.c alone.
 * Includes: catalogue.h.
 *
 * All of it is constant. A `row` is an index into catalogue_rows.
 */
#ifndef MAILBEARER_CATALOGUE_TABLE_H
#define MAILBEARER_CATALOGUE_TABLE_H

#include "catalogue.h"

/* first..last, both included; the tables of these are sorted and do not overlap. */
struct catalogue_number {
    int32_t first, last;
    uint16_t row;
};

struct catalogue_name {
    const char *name;
    uint16_t row;
};

/* A text to look for, in lower case. ' ' is a run of white space; the bytes below have a
 * meaning of their own. `weight` is how much of it is literal: the larger wins. */
struct catalogue_pattern {
    const char *text;
    uint16_t row;
    uint16_t weight;
};

#define CATALOGUE_GAP '\001'   /* any text up to the next status code; once at most */
#define CATALOGUE_RANGE '\002' /* "n-m" follows, then CATALOGUE_RANGE_END */
#define CATALOGUE_RANGE_END '\003'
#define CATALOGUE_GOES_ON '\004' /* no word boundary is asked for here */

extern const struct catalogue_entry catalogue_rows[];
extern const size_t catalogue_row_count;

extern const struct catalogue_number catalogue_aadsts_numbers[];
extern const size_t catalogue_aadsts_count;
extern const struct catalogue_number catalogue_http_numbers[];
extern const size_t catalogue_http_count;
extern const struct catalogue_name catalogue_names[];
extern const size_t catalogue_name_count;

/* The patterns whose text begins with the character c are those from
 * catalogue_pattern_first[c] up to, not including, catalogue_pattern_first[c + 1]. */
extern const struct catalogue_pattern catalogue_patterns[];
extern const uint16_t catalogue_pattern_first[129];

#endif
