/* lint_err.h - tells clang's analyser that these return the code they say they return; it
 * looks at one file at a time and would follow failures on as if they were successes.
 *
 * Used by:  tests/lint.sh, in front of every file but those that define them.
 */
#ifndef MAILBEARER_LINT_ERR_H
#define MAILBEARER_LINT_ERR_H

#include "../token-helper/accounts/words.h"
#include "../token-helper/client/error.h"

#define err_set(err, code, ...) ((void)(err), (void)(__VA_ARGS__), (code))
#define err_from_line(err, code, line, len)                                              \
    ((void)(err), (void)(line), (void)(len), (code))
#define config_error(err, file, line, ...)                                               \
    ((void)(err), (void)(file), (void)(line), (void)(__VA_ARGS__), (int)ERR_CONFIG)
#define config_unknown(err, file, line, what, word, words, count)                        \
    ((void)(err), (void)(file), (void)(line), (void)(what), (void)(word), (void)(words), \
     (void)(count), (int)ERR_CONFIG)
#define config_unknown_section(err, file, line, word)                                    \
    ((void)(err), (void)(file), (void)(line), (void)(word), (int)ERR_CONFIG)
#define config_unknown_key(err, file, line, kind, word)                                  \
    ((void)(err), (void)(file), (void)(line), (void)(kind), (void)(word), (int)ERR_CONFIG)
#define config_nomem(err) ((void)(err), (int)ERR_NOMEM)

#endif
