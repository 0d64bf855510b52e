/* test_secret.c - the buffer for secrets: what it holds, and what it leaves behind. */
/* link: -Wl,--wrap=free,--wrap=malloc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/error.h"
#include "client/secret.h"

#define WORD "CANARY-secret-0123456789"

/* What free() is given while `watching`: it must hold nothing but zeros. */
static int watching;
static int freed;
static int freed_dirty;
static size_t watch_size;
static int malloc_fails;

void __real_free(void *p);
void __wrap_free(void *p);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void
__wrap_free(void *p)
{
    if (watching && p != NULL) {
        freed++;
        for (size_t i = 0; i < watch_size; i++)
            if (((const char *)p)[i] != '\0')
                freed_dirty++;
    }
    __real_free(p);
}

void *
__wrap_malloc(size_t size)
{
    return malloc_fails ? NULL : __real_malloc(size);
}

static int
reset(void **state)
{
    (void)state;
    watching = freed = freed_dirty = malloc_fails = 0;
    watch_size = 0;
    return 0;
}

static void
watch(const struct secret *s)
{
    watching = 1;
    freed = freed_dirty = 0;
    watch_size = s->cap;
}

static void
holds_what_is_appended(void **state)
{
    struct secret s = SECRET_INIT;

    (void)state;
    assert_string_equal(secret_str(&s), "");
    assert_int_equal(secret_append(&s, "ab\0c", 4), 0);
    assert_int_equal(secret_append_str(&s, "de"), 0);
    assert_int_equal(secret_append_char(&s, 'f'), 0);
    assert_int_equal(s.len, 7);
    assert_memory_equal(s.data, "ab\0cdef", 8);
    assert_int_equal(secret_set(&s, "new", 3), 0);
    assert_string_equal(secret_str(&s), "new");
    assert_int_equal(s.len, 3);
    assert_int_equal(secret_append(&s, NULL, 0), 0);
    secret_clear(&s);
    assert_string_equal(secret_str(&s), "");
    assert_null(s.data);
}

static void
growing_wipes_the_old_place(void **state)
{
    struct secret s = SECRET_INIT;
    char fill[4096];

    (void)state;
    memset(fill, 'x', sizeof(fill));
    assert_int_equal(secret_append_str(&s, WORD), 0);
    watch(&s);
    assert_int_equal(secret_append(&s, fill, sizeof(fill)), 0);
    watching = 0;
    assert_int_equal(freed, 1);
    assert_int_equal(freed_dirty, 0);
    assert_memory_equal(s.data, WORD "xxxx", strlen(WORD) + 4);
    assert_int_equal(s.data[s.len], '\0');
    secret_clear(&s);
}

static void
clearing_wipes_all_of_it(void **state)
{
    struct secret s = SECRET_INIT;

    (void)state;
    assert_int_equal(secret_append_str(&s, WORD), 0);
    /* Bytes that were read into the room behind and never counted. */
    memcpy(s.data + s.len + 1, WORD, strlen(WORD));
    watch(&s);
    secret_clear(&s);
    watching = 0;
    assert_int_equal(freed, 1);
    assert_int_equal(freed_dirty, 0);
}

static void
reset_wipes_and_keeps_the_room(void **state)
{
    struct secret s = SECRET_INIT;
    char *data;

    (void)state;
    assert_int_equal(secret_append_str(&s, WORD), 0);
    data = s.data;
    secret_reset(&s);
    assert_ptr_equal(s.data, data);
    assert_int_equal(s.len, 0);
    for (size_t i = 0; i < s.cap; i++)
        assert_int_equal(s.data[i], 0);
    secret_clear(&s);
    secret_reset(&s);
    assert_int_equal(s.len, 0);
}

static void
consume_moves_up_and_wipes(void **state)
{
    struct secret s = SECRET_INIT;

    (void)state;
    assert_int_equal(secret_append_str(&s, "headTAIL"), 0);
    secret_consume(&s, 4);
    assert_int_equal(s.len, 4);
    assert_memory_equal(s.data, "TAIL\0\0\0\0", 8);
    secret_consume(&s, 0);
    assert_string_equal(secret_str(&s), "TAIL");
    secret_consume(&s, 100);
    assert_int_equal(s.len, 0);
    assert_memory_equal(s.data, "\0\0\0\0", 4);
    secret_clear(&s);
    secret_consume(&s, 1);
}

static void
the_maximum_is_hard(void **state)
{
    struct secret s = SECRET_INIT;

    (void)state;
    s.max = 10;
    assert_int_equal(secret_append_str(&s, "0123456789"), 0);
    assert_int_equal(secret_append_char(&s, 'x'), ERR_PROTOCOL);
    assert_string_equal(secret_str(&s), "0123456789");
    assert_int_equal(secret_reserve(&s, SIZE_MAX), ERR_PROTOCOL);
    assert_int_equal(secret_set(&s, "0123456789x", 11), ERR_PROTOCOL);
    assert_int_equal(s.len, 0);
    assert_string_equal(secret_str(&s), "");
    secret_clear(&s);
    assert_int_equal(s.max, 10);
    s.max = 0;
    assert_int_equal(secret_reserve(&s, SECRET_MAX_DEFAULT), 0);
    assert_int_equal(secret_reserve(&s, SECRET_MAX_DEFAULT + 1), ERR_PROTOCOL);
    secret_clear(&s);
}

static void
out_of_memory_is_an_error(void **state)
{
    struct secret s = SECRET_INIT;

    (void)state;
    malloc_fails = 1;
    assert_int_equal(secret_append_char(&s, 'x'), ERR_NOMEM);
    assert_null(s.data);
    malloc_fails = 0;
    assert_int_equal(secret_append_str(&s, WORD), 0);
    malloc_fails = 1;
    assert_int_equal(secret_reserve(&s, 100000), ERR_NOMEM);
    malloc_fails = 0;
    assert_string_equal(secret_str(&s), WORD);
    secret_clear(&s);
}

static void
move_leaves_nothing(void **state)
{
    struct secret a = SECRET_INIT;
    struct secret b = SECRET_INIT;
    const char *data;

    (void)state;
    assert_int_equal(secret_append_str(&a, "one"), 0);
    assert_int_equal(secret_append_str(&b, WORD), 0);
    a.max = 50;
    data = b.data;
    watch(&a);
    secret_move(&a, &b);
    watching = 0;
    assert_int_equal(freed, 1);
    assert_int_equal(freed_dirty, 0);
    assert_ptr_equal(a.data, data);
    assert_int_equal(a.max, 50);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    secret_move(&a, &a);
    assert_string_equal(secret_str(&a), WORD);
    secret_clear(&a);
}

static void
equal_and_control(void **state)
{
    struct secret a = SECRET_INIT;
    struct secret b = SECRET_INIT;
    static const char bad[] = {'\0', '\x01', '\t', '\n', '\r', '\x1f', '\x7f'};

    (void)state;
    assert_true(secret_equal(&a, &b));
    assert_int_equal(secret_set(&a, "abc", 3), 0);
    assert_false(secret_equal(&a, &b));
    assert_int_equal(secret_set(&b, "abc", 3), 0);
    assert_true(secret_equal(&a, &b));
    assert_int_equal(secret_set(&b, "abd", 3), 0);
    assert_false(secret_equal(&a, &b));
    assert_int_equal(secret_set(&b, "Abc", 3), 0);
    assert_false(secret_equal(&a, &b));
    assert_false(secret_has_control(&a));
    assert_int_equal(secret_set(&a, "\xc3\xbc ~", 4), 0);
    assert_false(secret_has_control(&a));
    for (size_t i = 0; i < sizeof(bad); i++) {
        assert_int_equal(secret_set(&a, "xx", 2), 0);
        assert_int_equal(secret_append_char(&a, bad[i]), 0);
        assert_true(secret_has_control(&a));
    }
    secret_clear(&a);
    secret_clear(&b);
}

/* Every byte at every place of a word, among every neighbour that matters. */
static void
control_at_every_place(void **state)
{
    static const unsigned char around[] = {0x20, 0x21, 0x7e, 0x80, 0x9f, 0xa0, 0xff};
    struct secret s = SECRET_INIT;

    (void)state;
    for (size_t n = 0; n < sizeof(around); n++)
        for (size_t at = 0; at < 19; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[19];

                memset(text, around[n], sizeof(text));
                text[at] = (char)byte;
                assert_int_equal(secret_set(&s, text, sizeof(text)), 0);
                assert_int_equal(secret_has_control(&s), byte < 0x20 || byte == 0x7f);
            }
    secret_clear(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(holds_what_is_appended, reset),
        cmocka_unit_test_setup(growing_wipes_the_old_place, reset),
        cmocka_unit_test_setup(clearing_wipes_all_of_it, reset),
        cmocka_unit_test_setup(reset_wipes_and_keeps_the_room, reset),
        cmocka_unit_test_setup(consume_moves_up_and_wipes, reset),
        cmocka_unit_test_setup(the_maximum_is_hard, reset),
        cmocka_unit_test_setup(out_of_memory_is_an_error, reset),
        cmocka_unit_test_setup(move_leaves_nothing, reset),
        cmocka_unit_test_setup(equal_and_control, reset),
        cmocka_unit_test_setup(control_at_every_place, reset),
    };

    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
