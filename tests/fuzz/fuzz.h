/* fuzz.h - what the fuzz targets share.
 *
 * Used by:  tests/fuzz/fuzz_*.c (one target each), replay.c (which runs a target over
 * files). Includes: client/ and libc, so that targets of client/ alone need nothing else.
 *
 * The inputs of fuzz_NAME.c are in tests/fuzz/corpus/NAME/; the file `seeds` names those
 * of tests/cases/ that are inputs as well. A target's first lines may hold linker flags,
 * as those of unit tests do. A target leaves nothing behind from one input to the next; a
 * property that does not hold ends the process.
 */
#ifndef MAILBEARER_TESTS_FUZZ_H
#define MAILBEARER_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/error.h"
#include "client/secret.h"

/* The target. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Optional: once, before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

#define FUZZ_CHECK(condition)                                                            \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,            \
                    #condition);                                                         \
            abort();                                                                     \
        }                                                                                \
    } while (0)

/* A set of results: MAY(ERR_TEMP) | MAY(ERR_PROTOCOL). Success is always in it. */
#define MAY(code) (1u << (code))

/* What a function returned, and the struct err that was ERR_INIT before: 0 and nothing
 * written; or one of these codes, the same in err, a text, and no control characters. */
void fuzz_result(int r, const struct err *err, unsigned may);

/* NUL-terminated within `size`, UTF-8, no control characters. */
void fuzz_plain(const char *text, size_t size);

/* err holds no part of FUZZ_PIECE bytes of this. */
#define FUZZ_PIECE 16u
void fuzz_not_in(const struct err *err, const char *bytes, size_t len);

/* True when buf[0..len) holds a piece (or, of a shorter one, all) of `bytes`. */
bool fuzz_holds_piece(const char *buf, size_t buf_len, const char *bytes, size_t len);

/* The bytes as a C string, in an allocation of just that size; fuzz_free() it. */
char *fuzz_string(const uint8_t *data, size_t size);

/* The bytes in an allocation of just that size, so that reading beyond is seen. */
char *fuzz_copy(const uint8_t *data, size_t size);

void fuzz_set(struct secret *to, const void *bytes, size_t len);

/* The next byte of the input, 0 when there is none: what chooses between cases. */
uint8_t fuzz_choice(const uint8_t **data, size_t *size);

#endif
