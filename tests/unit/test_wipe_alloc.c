/* test_wipe_alloc.c - blocks are wiped before they go back to libc. */
/* link: -Wl,--wrap=free,--wrap=malloc,--wrap=calloc */
#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wipe_alloc.h"

/* free(3) is wrapped, and looks at the whole block while it still may. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *block);

#define MARK 0xa5

static int frees;       /* blocks given back since reset() */
static int marks_freed; /* bytes with the mark in them */
static bool refuse;     /* malloc and calloc answer NULL */

void *
__wrap_malloc(size_t size)
{
    return refuse ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return refuse ? NULL : __real_calloc(count, size);
}

void
__wrap_free(void *block)
{
    const unsigned char *bytes = block;
    size_t i;

    if (block != NULL) {
        frees++;
        for (i = 0; i < malloc_usable_size(block); i++)
            marks_freed += bytes[i] == MARK;
    }
    __real_free(block);
}

static int
reset(void **state)
{
    (void)state;
    frees = 0;
    marks_freed = 0;
    refuse = false;
    return 0;
}

/* The other tests mean something only if this one passes. */
static void
the_wrapped_free_sees_marks(void **state)
{
    char *block = malloc(64);

    (void)state;
    assert_non_null(block);
    memset(block, MARK, 64);
    __asm__ volatile("" : : "r"(block) : "memory"); /* else the stores are left out */
    free(block);
    assert_int_equal(frees, 1);
    assert_true(marks_freed >= 64);
}

static void
free_wipes(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 16, 100, 4096, 100000};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *block = wipe_malloc(sizes[i]);

        assert_non_null(block);
        assert_int_equal((uintptr_t)block % _Alignof(max_align_t), 0);
        memset(block, MARK, sizes[i]);
        wipe_free(block);
        assert_int_equal(frees, (int)i + 1);
        assert_int_equal(marks_freed, 0);
    }
    wipe_free(NULL);
    assert_int_equal(frees, (int)i);
}

static void
realloc_wipes_what_it_leaves(void **state)
{
    unsigned char *block = wipe_realloc(NULL, 50);
    unsigned char *moved;
    size_t i;

    (void)state;
    assert_non_null(block);
    memset(block, MARK, 50);
    moved = wipe_realloc(block, 5000);
    assert_non_null(moved);
    assert_int_equal(frees, 1);
    assert_int_equal(marks_freed, 0);
    for (i = 0; i < 50; i++)
        assert_int_equal(moved[i], MARK);

    /* Smaller: the part behind is wiped in place, the part in front stays. */
    memset(moved, MARK, 5000);
    block = wipe_realloc(moved, 10);
    assert_ptr_equal(block, moved);
    assert_int_equal(block[9], MARK);
    for (i = 10; i < 5000; i++)
        assert_int_equal(block[i], 0);
    /* And again larger, within the same room. */
    block = wipe_realloc(block, 200);
    assert_non_null(block);
    assert_int_equal(block[9], MARK);
    wipe_free(block);
    assert_int_equal(marks_freed, 0);
}

static void
realloc_to_nothing_is_a_block(void **state)
{
    char *block = wipe_malloc(10);

    (void)state;
    block = wipe_realloc(block, 0);
    assert_non_null(block);
    wipe_free(block);
    assert_int_equal(frees, 1);
}

static void
calloc_is_zero_and_sees_overflow(void **state)
{
    unsigned char *block = wipe_calloc(30, 10);
    size_t huge = SIZE_MAX / 2 + 2;
    size_t i;

    (void)state;
    assert_non_null(block);
    for (i = 0; i < 300; i++)
        assert_int_equal(block[i], 0);
    memset(block, MARK, 300);
    wipe_free(block);
    assert_int_equal(marks_freed, 0);
    assert_null(wipe_calloc(huge, 2));
    assert_null(wipe_malloc(SIZE_MAX));
    assert_null(wipe_malloc(SIZE_MAX - 8)); /* the header would make it wrap round */
}

static void
strdup_copies(void **state)
{
    char *copy = wipe_strdup("opaque");

    (void)state;
    assert_non_null(copy);
    assert_string_equal(copy, "opaque");
    memset(copy, MARK, 6);
    wipe_free(copy);
    assert_int_equal(marks_freed, 0);
}

static void
without_memory(void **state)
{
    char *block = wipe_malloc(8);

    (void)state;
    assert_non_null(block);
    memcpy(block, "stays", 6);
    refuse = true;
    assert_null(wipe_malloc(8));
    assert_null(wipe_calloc(1, 8));
    assert_null(wipe_strdup("x"));
    assert_null(wipe_realloc(block, 9000));
    refuse = false;
    assert_string_equal(block, "stays");
    assert_int_equal(frees, 0);
    wipe_free(block);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_wrapped_free_sees_marks, reset),
        cmocka_unit_test_setup(free_wipes, reset),
        cmocka_unit_test_setup(realloc_wipes_what_it_leaves, reset),
        cmocka_unit_test_setup(realloc_to_nothing_is_a_block, reset),
        cmocka_unit_test_setup(calloc_is_zero_and_sees_overflow, reset),
        cmocka_unit_test_setup(strdup_copies, reset),
        cmocka_unit_test_setup(without_memory, reset),
    };

    return cmocka_run_group_tests_name("wipe_alloc", tests, NULL, NULL);
}
