#!/bin/sh
# Compilers, analysers and formatters over the whole tree. Prints TAP: one test a tool, and
# what the tool said where it found something.
#
# Versions differ in what they find; the ones of Debian 12 count. $MAILBEARER_BUILD is the
# build directory, below which the compilers work in folders of their own.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${MAILBEARER_BUILD:-$PWD/build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
jobs=$(getconf _NPROCESSORS_ONLN)
count=0
failures=0

# check TITLE COMMAND...: passes when the command does and, for a tool whose exit status
# does not tell, its output is empty.
check() {
    title=$1
    shift
    count=$((count + 1))
    if "$@" >"$dir/out" 2>&1; then
        echo "ok $count - $title"
    else
        echo "not ok $count - $title"
        sed 's/^/# /' "$dir/out"
        failures=1
    fi
}

# sources PATTERN...: files of the tree with such a name, those not added yet included.
sources() {
    for pattern; do
        find sasl-plugin token-helper fetch-helper tests packaging .ci -type f -name "$pattern"
    done | LC_ALL=C sort
}

# programs REGEX: files without a suffix whose first line names that interpreter.
programs() {
    sources '*' | grep -vE '\.[a-z0-9]+$' | while IFS= read -r file; do
        sed q "$file" | grep -qE "^#! ?(/usr)?/bin/(env )?$1" && printf '%s\n' "$file"
    done
}

shell_scripts() {
    sources '*.sh' '*.bash' '*.bats'
    programs '(ba|da)?sh'
}

python_files() {
    sources '*.py'
    programs python3
}

# compile CC NAME: everything, tests too, with warnings as errors, in a folder of its own.
# The flags of a `make check` around us (its BUILD above all) are not for this one.
compile() {
    env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES make --no-print-directory -s -j "$jobs" \
        BUILD="$build/lint-$2" CC="$1" CFLAGS=-O2 WERROR=1 all unit-tests
}

includes() {
    pkg-config --cflags libconfuse jansson libcurl libcrypto libsasl2
}

# tidy_files OPTION...: the files on standard input, one process each.
tidy_files() {
    # shellcheck disable=SC2046
    xargs -P "$jobs" -I{} clang-tidy --quiet --checks="${checks:-}" {} -- "$@" -std=c11 -D_GNU_SOURCE \
        -Itoken-helper '-DMAILBEARER_VERSION="0"' '-DMAILBEARER_LIBEXECDIR="/"' '-DMAILBEARER_BINDIR="/"' \
        '-DMAILBEARER_SYSCONFDIR="/"' '-DMAILBEARER_LOCALSTATEDIR="/"' \
        '-DMAILBEARER_RUNDIR="/"' $(includes)
}

# In tests a failed assertion ends the function by longjmp, which the analyser cannot know.
tidy() {
    sources '*.c' | grep -vE '/(client/error|accounts/words)\.c$|^tests/unit/' |
        tidy_files -include tests/lint_err.h &&
        printf '%s\n' token-helper/client/error.c token-helper/accounts/words.c | tidy_files &&
        sources '*.c' | grep '^tests/unit/' |
        checks='-clang-analyzer-*,-cert-err34-c' tidy_files
}

# The configuration is one: definitions as the Makefile gives them.
run_cppcheck() {
    # shellcheck disable=SC2046
    cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j "$jobs" -D_GNU_SOURCE \
        --enable=warning,performance,portability --suppressions-list=tests/cppcheck.suppress \
        '-DMAILBEARER_VERSION="0"' '-DMAILBEARER_LIBEXECDIR="/"' '-DMAILBEARER_BINDIR="/"' \
        '-DMAILBEARER_SYSCONFDIR="/"' '-DMAILBEARER_LOCALSTATEDIR="/"' \
        '-DMAILBEARER_RUNDIR="/"' -Itoken-helper $(sources '*.c')
}

run_shellcheck() {
    # shellcheck disable=SC2046
    shellcheck $(shell_scripts | grep -v '\.bats$') || return 1
    # Each bats test is a subshell: what it sets is meant to be lost.
    # shellcheck disable=SC2046
    shellcheck -e SC2030,SC2031 $(sources '*.bats')
}

format() {
    # shellcheck disable=SC2046
    clang-format --dry-run -Werror $(sources '*.c' '*.h')
}

python() {
    python_files | while IFS= read -r file; do
        /usr/bin/python3 -c 'import sys
compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec")' "$file" || return 1
    done
}

pages() {
    find token-helper sasl-plugin fetch-helper -name '*.[1-8]' -print0 |
        xargs -0 mandoc -Tlint -Wwarning
}

# Lines nobody should see in a finished tree.
leftovers() {
    ! grep -rnIE '(TO''DO|FIX''ME|X''XX)( |:|$)|[[:blank:]]+$' sasl-plugin token-helper \
        fetch-helper tests packaging docs .ci Makefile README.md --include='*.[ch]' \
        --include='*.sh' --include='*.bash' --include='*.bats' --include='*.py' \
        --include='*.md' --include='Makefile' --include='*.mk' --exclude=check-runner.sh
}

echo 1..10
check "gcc, warnings as errors" compile gcc gcc
check "clang, warnings as errors" compile clang clang
check "clang-tidy" tidy
check "cppcheck" run_cppcheck
check "shellcheck" run_shellcheck
check "clang-format" format
check "python compiles" python
check "mandoc" pages
check "nothing left to do, no blanks at the end of lines" leftovers
# shellcheck disable=SC2016
check "makefile: help names every target" sh -c '
    for target in all check check-unit check-integration check-asan lint bench install; do
        make -s help | grep -q "^  $target " || { echo "$target is missing"; exit 1; }
    done'
exit $failures
