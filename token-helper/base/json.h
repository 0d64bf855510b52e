/* json.h - the only user of jansson: typed reads and writes.
 *
 * Used by:  accounts/store.c, oauth/reply.c, commands/, agent/
 * Includes: client/, jansson. No I/O.
 *
 * jansson is given an allocator that wipes what it frees (json_setup), since tokens pass
 * through it. Texts read from a struct json are borrowed until json_free().
 */
#ifndef MAILBEARER_JSON_H
#define MAILBEARER_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "../client/error.h"
#include "../client/secret.h"

struct json; /* one JSON object or array element; opaque */

/* Gives jansson the wiping allocator. Once, first thing in main(). */
void json_setup(void);

/* Parses one JSON object. 0, or ERR_PROTOCOL (not JSON, not an object, duplicate keys,
 * nesting above jansson's limit, a NUL in a string), ERR_NOMEM. *json_r: json_free().
 * err tells line and column, never the content. */
int json_parse(const char *bytes, size_t len, struct json **json_r, struct err *err);

/* An empty object to be filled; NULL when out of memory. */
struct json *json_new(void);

/* Frees and sets NULL. Takes NULL. */
void json_free(struct json **json);

/* The names below keep clear of jansson's own (json_string, json_integer, json_object
 * ...): a program that defines one of those would be called by libjansson itself. */

/* True when the key is there, whatever its value; null counts as absent. */
bool json_has(const struct json *json, const char *key);

/* True when the key is there and true. */
bool json_get_true(const struct json *json, const char *key);

/* NULL when absent, null, or not a string. Borrowed. */
const char *json_get_string(const struct json *json, const char *key);

/* True, with *value_r, when the key is an integer, a real that is whole, or a string of
 * decimal digits (managed identity answers numbers as strings). Untouched otherwise. */
bool json_get_integer(const struct json *json, const char *key, int64_t *value_r);

/* The member that is an object, as a borrowed view that lives as long as `json` and must
 * not be freed; NULL when absent or not an object. */
const struct json *json_get_object(const struct json *json, const char *key);

/* Element i of the array `key`, when it is an integer / a string. */
bool json_array_integer(const struct json *json, const char *key, size_t i,
                        int64_t *value_r);
const char *json_array_string(const struct json *json, const char *key, size_t i);

/* Writes. 0, ERR_NOMEM, or ERR_PROTOCOL when a text is not UTF-8 (text that comes from
 * elsewhere is then refused, not stored). A NULL text writes nothing. */
int json_put_string(struct json *json, const char *key, const char *text);
int json_put_integer(struct json *json, const char *key, int64_t value);
int json_put_bool(struct json *json, const char *key, bool value);

/* Puts `member` (taken over and set to NULL, also on failure) under `key` / at the end of
 * the array `key`, which is made when it is not there. */
int json_put_object(struct json *json, const char *key, struct json **member);
int json_append_object(struct json *json, const char *key, struct json **member);

/* Puts a text at the end of the array `key`, which is made when it is not there. */
int json_append_string(struct json *json, const char *key, const char *text);

/* Appends the object as text: on one line, or indented (by 2, with a final newline). Keys
 * stay in the order they were put. 0, ERR_NOMEM, ERR_PROTOCOL (out's maximum). */
int json_write(const struct json *json, bool indented, struct secret *out);

#endif
