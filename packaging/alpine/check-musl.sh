#!/bin/sh
# mailbearer with musl, on a system with glibc (Debian's musl-gcc): everything compiles, the
# plugin links libc alone and loads, and the unit tests pass of all that needs libc, jansson
# and libconfuse only. These two and cmocka are built here from Debian's sources. Prints TAP.
#
# usage: packaging/alpine/check-musl.sh FOLDER
#
# FOLDER keeps sources, libraries and objects for the next time. What this cannot show is what
# needs libcurl or OpenSSL (packaging/alpine/musl-tests has the rest): these have no musl build
# here. On Alpine itself the APKBUILD runs every unit test.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mkdir -p "$1" && folder=$(cd "$1" && pwd) || exit 64
mirror=${MAILBEARER_MIRROR:-http://deb.debian.org/debian}
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0
failures=0

# check TITLE COMMAND...
check() {
    title=$1
    shift
    count=$((count + 1))
    if "$@" >"$dir/out" 2>&1 </dev/null; then
        echo "ok $count - $title"
    else
        echo "not ok $count - $title"
        tail -n 40 "$dir/out" | cut -c 1-200 | sed 's/^/# /'
        failures=1
    fi
}

# Debian's musl has been built without its crypt(3), which Alpine's has: the declaration is
# enough to compile. What password_hash.c does with it is tested by test_password_plain.c.
crypt_header() {
    [ -e "/usr/include/$(uname -m)-linux-musl/crypt.h" ] ||
        printf '%s\n' 'struct crypt_data { int initialized; char buffer[256]; };' \
            'char *crypt_r(const char *key, const char *setting, struct crypt_data *data);' >"$folder/include/crypt.h"
}

# From lists of our own: the system's need no deb-src line.
sources() {
    set -- cmocka jansson libconfuse
    for package; do
        if [ ! -d "$folder/src/$package" ]; then
            apt_source "$@" || return 1
            break
        fi
    done
}

apt_source() {
    rm -rf "$folder/apt" "$folder/src"
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/src"
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $codename main" \
        >"$folder/apt/sources.list"
    cd "$folder/apt" && for words in update "source --download-only --tar-only $*"; do
        # shellcheck disable=SC2086
        apt-get -q -o Dir::Etc::SourceList="$folder/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
            -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" \
            -o APT::Sandbox::User=root $words || return 1
    done
    for package; do
        mkdir "$folder/src/$package" &&
            tar -C "$folder/src/$package" --strip-components=1 -xf "$folder/apt/$package"_*.orig.tar.?z || return 1
    done
    rm -rf "$folder/apt/lists" "$folder/apt/cache"
}

# Headers of libraries and of the kernel say nothing about the libc; musl-gcc looks neither
# for them nor in /usr/include.
headers() {
    rm -rf "$folder/include" && mkdir -p "$folder/include" && cd "$folder/include" || return 1
    for header in sasl curl openssl linux asm asm-generic; do
        for place in /usr/include "/usr/include/$(gcc -print-multiarch)"; do
            [ -d "$place/$header" ] || continue
            mkdir -p "$header" && cp -r "$place/$header/." "$header/" || return 1
        done
        [ -d "$header" ] || { echo "no headers $header"; return 1; }
    done
    crypt_header
}

# library NAME FLAGS FILE...: a library of musl's. Shared: what a test replaces by ld --wrap it
# must replace in our code alone.
library() {
    name=$1 flags=$2
    shift 2
    rm -rf "$folder/o/$name" "$folder/lib/lib$name.so"
    mkdir -p "$folder/o/$name" "$folder/lib"
    # shellcheck disable=SC2086
    cd "$folder/o/$name" &&
        musl-gcc -std=gnu11 -O2 -g -fPIC -w -D_GNU_SOURCE -DHAVE_CONFIG_H -I. $flags -c "$@" &&
        musl-gcc -shared -Wl,-soname,"lib$name.so" -o "$folder/lib/lib$name.so" ./*.o
}

# Their configure would find what every POSIX system has.
configured() {
    for word in "$@"; do
        echo "#define $word"
    done
}

build_cmocka() {
    mkdir -p "$folder/conf/cmocka"
    configured 'HAVE_INTTYPES_H 1' 'HAVE_MALLOC_H 1' 'HAVE_STRINGS_H 1' 'HAVE_UNISTD_H 1' 'HAVE_STDINT_H 1' \
        'HAVE_SETJMP_H 1' 'HAVE_SIGNAL_H 1' 'HAVE_TIME_H 1' 'HAVE_STRSIGNAL 1' 'HAVE_STRUCT_TIMESPEC 1' \
        'HAVE_CLOCK_GETTIME 1' 'HAVE_CLOCK_REALTIME 1' 'HAVE_GCC_THREAD_LOCAL_STORAGE 1' \
        "WORDS_SIZEOF_VOID_P $(($(getconf LONG_BIT) / 8))" >"$folder/conf/cmocka/config.h"
    cp "$folder/src/cmocka/include"/*.h "$folder/include/" &&
        library cmocka "-I$folder/conf/cmocka -I$folder/src/cmocka/include" "$folder/src/cmocka/src/cmocka.c"
}

build_jansson() {
    mkdir -p "$folder/conf/jansson"
    sed -e 's/@json_inline@/inline/; s/@json_have_localeconv@/1/; s/@[a-z_]*@/1/' \
        "$folder/src/jansson/src/jansson_config.h.in" >"$folder/include/jansson_config.h"
    configured 'HAVE_FCNTL_H 1' 'HAVE_UNISTD_H 1' 'HAVE_STDINT_H 1' 'HAVE_SYS_STAT_H 1' 'HAVE_SYS_TIME_H 1' \
        'HAVE_SYS_TYPES_H 1' 'HAVE_OPEN 1' 'HAVE_CLOSE 1' 'HAVE_READ 1' 'HAVE_GETTIMEOFDAY 1' 'HAVE_GETPID 1' \
        'HAVE_ATOMIC_BUILTINS 1' 'HAVE_SCHED_YIELD 1' 'HAVE_SCHED_H 1' 'USE_URANDOM 1' 'INITIAL_HASHTABLE_ORDER 3' \
        >"$folder/conf/jansson/jansson_private_config.h"
    cp "$folder/src/jansson/src/jansson.h" "$folder/include/" &&
        library jansson "-I$folder/conf/jansson -I$folder/include" "$folder/src/jansson/src"/*.c
}

build_libconfuse() {
    mkdir -p "$folder/conf/confuse"
    configured 'HAVE_STRINGS_H 1' 'HAVE_UNISTD_H 1' 'HAVE_SYS_STAT_H 1' 'HAVE_STRING_H 1' 'HAVE_FMEMOPEN 1' \
        'HAVE_REALLOCARRAY 1' 'HAVE_STRDUP 1' 'HAVE_STRNDUP 1' 'HAVE_STRCASECMP 1' 'PACKAGE "confuse"' \
        'PACKAGE_VERSION "0"' 'PACKAGE_STRING "confuse"' >"$folder/conf/confuse/config.h"
    cp "$folder/src/libconfuse/src/confuse.h" "$folder/include/" &&
        flex -Pcfg_yy -o "$folder/conf/confuse/lexer.c" "$folder/src/libconfuse/src/lexer.l" &&
        library confuse "-I$folder/conf/confuse -I$folder/src/libconfuse/src" \
            "$folder/src/libconfuse/src/confuse.c" "$folder/conf/confuse/lexer.c"
}

# pkg-config's answers are for glibc's.
run_make() {
    env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u CFLAGS -u CPPFLAGS -u LDFLAGS \
        make --no-print-directory -C "$top" -j2 CC=musl-gcc BUILD="$folder/build" WERROR=1 \
        LIB_CFLAGS="-isystem $folder/include" CRYPT_LIBS= "$@"
}

# The plugin, as a mail program with musl would load it.
plugin_alone() {
    readelf -d "$folder/build/libmailbearer.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$dir/needed"
    cat "$dir/needed"
    [ "$(cat "$dir/needed")" = libc.so ] &&
        [ "$(nm -D --defined-only "$folder/build/libmailbearer.so" | awk '{ print $3 }')" = sasl_client_plug_init ]
}

# The mains are each its own program's; plugin.o is loaded, not linked.
objects_archive() {
    rm -f "$folder/build/all.a"
    find "$folder/build/token-helper" "$folder/build/fetch-helper" "$folder/build/sasl-plugin" -name '*.o' \
        ! -path '*/front/main.o' ! -path '*/commands/main.o' ! -path '*/fetch-helper/main.o' \
        ! -name plugin.o -exec ar rcs "$folder/build/all.a" {} +
    find "$folder/build/tests/unit" -name '*.o' ! -name 'test_*' -exec ar rcs "$folder/build/kit.a" {} +
}

link_flags() {
    sed -n '1,5s,.*/\* *link: *\(.*[^ ]\) *\*/.*,\1,p' "$top/tests/unit/$1.c"
}

# link_test TEST: takes from the archives what it needs, and nothing that is not there.
link_test() {
    mkdir -p "$folder/build/tests"
    # shellcheck disable=SC2046
    musl-gcc -pie -g -pthread -o "$folder/build/tests/$1" "$folder/build/tests/unit/$1.o" $(link_flags "$1") \
            "$folder/build/kit.a" "$folder/build/all.a" "$folder/build/kit.a" "$folder/build/all.a" \
            -L"$folder/lib" -Wl,-rpath,"$folder/lib" -lcmocka -lconfuse -ljansson
}

unit_test() {
    link_test "$1" || return 1
    (cd "$top" && BUILD="$folder/build" MAILBEARER_BUILD="$folder/build" CC=musl-gcc CMOCKA_MESSAGE_OUTPUT=TAP \
        timeout 120 "$folder/build/tests/$1")
}

for tool in musl-gcc flex apt-get; do
    command -v $tool >/dev/null || { echo "Bail out! $tool is missing: packaging/install-deps.sh packages"; exit 69; }
done
echo "1..$(($(wc -l <"$here/musl-tests") + 8))"
check 'sources of the libraries' sources
check 'headers' headers
check 'cmocka' build_cmocka
check 'jansson' build_jansson
check 'libconfuse' build_libconfuse
check 'everything compiles, warnings as errors, and the plugin links' \
    run_make "$folder/build/libmailbearer.so" objects
check 'the plugin needs libc alone and exports one symbol' plugin_alone
check 'objects' objects_archive
[ $failures = 0 ] || exit 1
while read -r name; do
    check "$name" unit_test "$name"
done <"$here/musl-tests"
exit $failures
