/* test_browser.c - what is started for an address, and as whom. */
/* link: -Wl,--wrap=getuid -Wl,--wrap=geteuid */
#include <poll.h>
#include <signal.h>

#include "oauth/browser.h"
#include "scratch.h"

static char dir[SCRATCH_PATH_MAX];
static uid_t uid = 1000;

uid_t __wrap_getuid(void);
uid_t __wrap_geteuid(void);

uid_t
__wrap_getuid(void)
{
    return uid;
}

uid_t
__wrap_geteuid(void)
{
    return uid;
}

static int
setup(void **state)
{
    char path[SCRATCH_PATH_MAX];
    static const char script[] =
        "#!/bin/sh\n"
        "d=$(dirname \"$0\")\n"
        "for a; do printf '<%s>' \"$a\"; done > \"$d/words.new\"\n"
        "echo lost; echo lost >&2; read -r line && exit 8\n"
        "ps -o sid= -p $$ | tr -d ' ' | grep -qx $$ || exit 7\n"
        "mv \"$d/words.new\" \"$d/words\"\n";

    (void)state;
    scratch_make(dir);
    scratch_write(scratch_path(path, dir, "browser"), script, sizeof script - 1, 0700);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static int
clean(void **state)
{
    char path[SCRATCH_PATH_MAX];

    (void)state;
    unsetenv("BROWSER");
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
    remove(scratch_path(path, dir, "words"));
    uid = 1000;
    return 0;
}

static void
set_browser(const char *format)
{
    char value[3 * SCRATCH_PATH_MAX];

    /* every @ stands for the directory */
    value[0] = '\0';
    for (; *format != '\0'; format++) {
        char one[2] = {*format, '\0'};

        strcat(value, *format == '@' ? dir : one);
    }
    setenv("BROWSER", value, 1);
}

/* Waits until it has ended; true when that was a failure. */
static bool
ended_badly(pid_t pid, struct err *err)
{
    for (int i = 0; i < 1000 && pid != 0; i++) {
        if (browser_failed(&pid, err))
            return true;
        poll(NULL, 0, 5);
    }
    assert_int_equal(pid, 0);
    return false;
}

static void
words_are(const char *expected)
{
    char path[SCRATCH_PATH_MAX], words[512];

    scratch_read(scratch_path(path, dir, "words"), words, sizeof words);
    assert_string_equal(words, expected);
}

static void
starts(const char *browser, const char *words)
{
    struct err err = ERR_INIT;
    pid_t pid = 0;

    clean(NULL);
    set_browser(browser);
    if (browser_open("https://x.example/?a=b&c=%20", &pid, &err) != 0 ||
        ended_badly(pid, &err))
        fail_msg("%s: %s", browser, err.text);
    words_are(words);
}

static void
commands(void **state)
{
    (void)state;
    starts("@/browser", "<https://x.example/?a=b&c=%20>");
    starts("@/browser --new", "<--new><https://x.example/?a=b&c=%20>");
    starts("@/browser  --url=%s\t--quiet",
           "<--url=https://x.example/?a=b&c=%20><--quiet>");
    starts("@/absent:@/browser", "<https://x.example/?a=b&c=%20>");
    /* no shell looks at it */
    starts("@/browser $HOME;x `y`", "<$HOME;x><`y`><https://x.example/?a=b&c=%20>");
}

static void
what_cannot_be_started(void **state)
{
    struct err err = ERR_INIT;
    pid_t pid = 0;

    (void)state;
    set_browser("/nonexistent/browser");
    assert_int_equal(browser_open("https://x.example/", &pid, &err), ERR_CONFIG);
    assert_string_equal(err.text,
                        "no browser could be started (/nonexistent/browser): No "
                        "such file or directory");
    set_browser(" : ");
    assert_int_equal(browser_open("https://x.example/", &pid, &err), ERR_CONFIG);
    assert_int_equal(pid, 0);
    set_browser("false");
    assert_int_equal(browser_open("https://x.example/", &pid, &err), 0);
    assert_true(ended_badly(pid, &err));
    assert_string_equal(err.text, "the browser's program ended with status 1");
}

static void
what_is_no_address(void **state)
{
    static const char *const wrong[] = {"",
                                        "file:///etc/passwd",
                                        "javascript:x",
                                        "-x",
                                        "https://x.example/ y",
                                        "https://x.example/\"",
                                        "https://x.example/`id`",
                                        "https://x.example/\n",
                                        "https://x.example/$(id)"};
    struct err err = ERR_INIT;
    char path[SCRATCH_PATH_MAX];
    pid_t pid = 0;

    (void)state;
    set_browser("@/browser");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(browser_open(wrong[i], &pid, &err), ERR_USAGE);
    assert_int_equal(pid, 0);
    assert_false(scratch_exists(scratch_path(path, dir, "words")));
}

static void
never_as_root(void **state)
{
    struct err err = ERR_INIT;
    pid_t pid = 0;

    (void)state;
    set_browser("@/browser");
    setenv("DISPLAY", ":0", 1);
    uid = 0;
    assert_true(browser_has_screen());
    assert_false(browser_possible());
    assert_int_equal(browser_open("https://x.example/", &pid, &err), ERR_DENIED);
    assert_int_equal(pid, 0);
}

static void
where_there_is_a_screen(void **state)
{
    (void)state;
    assert_false(browser_has_screen());
    assert_false(browser_possible());
    setenv("DISPLAY", "", 1);
    assert_false(browser_possible());
    setenv("DISPLAY", ":0", 1);
    assert_true(browser_possible());
    unsetenv("DISPLAY");
    setenv("WAYLAND_DISPLAY", "wayland-0", 1);
    assert_true(browser_possible());
    unsetenv("WAYLAND_DISPLAY");
    set_browser("w3m");
    assert_true(browser_possible());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(commands, clean),
        cmocka_unit_test_setup(what_cannot_be_started, clean),
        cmocka_unit_test_setup(what_is_no_address, clean),
        cmocka_unit_test_setup(never_as_root, clean),
        cmocka_unit_test_setup(where_there_is_a_screen, clean),
    };

    return cmocka_run_group_tests_name("browser", tests, setup, teardown);
}
