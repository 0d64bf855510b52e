#!/bin/sh
# packaging/alpine/APKBUILD and packaging/arch/PKGBUILD: their functions are run, with what
# abuild and makepkg do around them imitated, and the files are where these systems want them.
# Prints TAP. $MAILBEARER_BUILD is where it was built: the programs are taken from there, so that
# nothing is compiled; packaging/arch/check.sh builds with the real makepkg.
# What is in single quotes is for the shell that reads the recipe.
# shellcheck disable=SC2016
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=${MAILBEARER_BUILD:-$here/build}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
version=$(sed -n 's/^VERSION = //p' "$here/Makefile")
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
        tail -n 40 "$dir/out" | sed 's/^/# /'
        failures=1
    fi
}

# The tree as a tarball has it, and in it a make that builds nothing: `install` finds the
# programs made, and asked for anything else it notes what it was asked for.
tree() {
    rm -rf "$dir/src" && mkdir -p "$dir/src/mailbearer-$version" "$dir/bin" || return 1
    for entry in "$here"/*; do
        case ${entry##*/} in
        build* | tests) ;;
        *) ln -s "$entry" "$dir/src/mailbearer-$version/" ;;
        esac
    done
    mkdir "$dir/src/mailbearer-$version/tests" && ln -s "$here"/tests/* "$dir/src/mailbearer-$version/tests/"
    mkdir "$dir/src/mailbearer-$version/build"
    for file in libmailbearer.so mailbearer mailbearer-oauth mailbearer-fetch; do
        cp "$build/$file" "$dir/src/mailbearer-$version/build/" || return 1
    done
    real=$(command -v make)
    cat >"$dir/bin/make" <<E
#!/bin/sh
for word; do
    last=\$word
done
echo "make \$*" >>'$dir/asked'
[ "\$last" = install ] || exit 0
unset MAKEFLAGS MFLAGS MAKEOVERRIDES
exec '$real' -o build/libmailbearer.so -o build/mailbearer -o build/mailbearer-oauth -o build/mailbearer-fetch "\$@"
E
    chmod +x "$dir/bin/make"
}

asked() {
    grep -q -- " $1\$" "$dir/asked" && return
    cat "$dir/asked"
    return 1
}

files() {
    (cd "$1" && find . ! -type d ! -path './usr/share/doc/*' | sed 's,^\.,,' | LC_ALL=C sort)
}

# --- Alpine -----------------------------------------------------------------------------

# amove as abuild has it: from the package's folder to the subpackage's, same path.
alpine() {
    env -u MAKEFLAGS PATH="$dir/bin:$PATH" srcdir="$dir/src" pkgdir="$dir/apk/main" here="$here" sh -euc '
        amove() {
            for path; do
                mkdir -p "$subpkgdir/${path%/*}"
                mv "$pkgdir/$path" "$subpkgdir/$path"
            done
        }
        install() {
            while [ "${1:--d}" != "${1#-o}" ] || [ "$1" != "${1#-g}" ]; do shift 2; done
            set -- "$@" ""
            words=
            while [ $# -gt 1 ]; do
                case $1 in
                -o | -g) shift 2 ;;
                *) words="$words $1"; shift ;;
                esac
            done
            command install $words
        }
        . "$here/packaging/alpine/APKBUILD"
        cd "$srcdir/mailbearer-$pkgver"
        '"$1"
}

alpine_functions() {
    rm -f "$dir/asked"
    alpine 'build; check; mkdir -p "$pkgdir"; package
        subpkgdir=${pkgdir%/main}/sasl; mkdir -p "$subpkgdir"; sasl
        subpkgdir=${pkgdir%/main}/fetch; mkdir -p "$subpkgdir"; fetch' &&
        asked all && asked check-unit && asked install
}

alpine_files() {
    { files "$dir/apk/main" | sed 's,^,mailbearer ,'
    files "$dir/apk/sasl" | sed 's,^,sasl ,'
    files "$dir/apk/fetch" | sed 's,^,fetch ,'; } | diff "$here/packaging/alpine/files" - &&
        "$dir/apk/main/usr/bin/mailbearer" --version &&
        [ "$(stat -c %a "$dir/apk/main/etc/mailbearer" "$dir/apk/main/var/lib/mailbearer" | tr '\n' ' ')" = '751 700 ' ]
}

# What abuild refuses: names and fields that are missing, and scripts without a package.
alpine_fields() {
    alpine 'for field in "$pkgname" "$pkgver" "$pkgrel" "$pkgdesc" "$url" "$arch" "$license" "$source"; do
                [ "$field" ]
            done
            [ "${#pkgdesc}" -lt 128 ]
            for script in $install; do
                [ -x "$here/packaging/alpine/$script" ]
                case " $pkgname "$subpackages" " in *"${script%.pre-install}"*) ;; *) exit 1 ;; esac
                sh -n "$here/packaging/alpine/$script"
            done
            for user in $pkgusers; do grep -q "^adduser .* $user " "$here/packaging/alpine/$user.pre-install"; done
            case $sha512sums in *"  ${source##*/}"*) ;; *) exit 1 ;; esac'
}

# --- Arch -------------------------------------------------------------------------------

arch() {
    env -u MAKEFLAGS PATH="$dir/bin:$PATH" srcdir="$dir/src" pkgdir="$dir/arch" here="$here" bash -euc '
        . "$here/packaging/arch/PKGBUILD"
        cd "$srcdir"
        '"$1"
}

arch_functions() {
    rm -f "$dir/asked"
    arch 'build; check; mkdir -p "$pkgdir"; package' && asked all && asked check-unit && asked install
}

arch_files() {
    files "$dir/arch" | diff "$here/packaging/arch/files" - && "$dir/arch/usr/bin/mailbearer" --version
}

# Folders that Arch's packages do not have.
arch_places() {
    said=$(cd "$dir/arch" && find . -maxdepth 3 \( -path './usr/libexec' -o -path './usr/sbin' -o -path ./bin \
        -o -path ./lib -o -path './usr/lib64' -o -path './usr/local' -o -path ./var -o -path ./run \))
    echo "$said"
    [ -z "$said" ]
}

arch_fields() {
    arch '[ "${#source[@]}" = "${#sha256sums[@]}" ] && [ "${#pkgdesc}" -lt 80 ]
        [ "$(declare -F | awk "{ print \$3 }" | grep -v "^_" | tr "\n" " ")" = "build check package " ]'
}

versions() {
    for word in "$(sed -n 's/^pkgver=//p' "$here/packaging/alpine/APKBUILD")" \
        "$(sed -n 's/^pkgver=//p' "$here/packaging/arch/PKGBUILD")" \
        "$(sed -n 's/^Version: *//p' "$here/packaging/rpm/mailbearer.spec")"; do
        [ "$word" = "$version" ] || { echo "a version is $word"; return 1; }
    done
}

# A function that fails is seen.
planted() {
    sed 's/^\t_make all$/\t_make all; false/' "$here/packaging/alpine/APKBUILD" >"$dir/APKBUILD"
    ! cmp -s "$dir/APKBUILD" "$here/packaging/alpine/APKBUILD" || return 1
    ! PATH="$dir/bin:$PATH" sh -euc '. "$1"; cd "$2"; build' - "$dir/APKBUILD" "$dir/src/mailbearer-$version"
}

echo 1..14
check 'they have the version of the Makefile' versions
check 'a tree to work on' tree
check 'APKBUILD parses' sh -n "$here/packaging/alpine/APKBUILD"
check 'APKBUILD: shellcheck' shellcheck -s sh -e SC2034,SC2154 "$here/packaging/alpine/APKBUILD"
check 'APKBUILD: fields and scripts' alpine_fields
check 'APKBUILD: its functions' alpine_functions
check 'APKBUILD: every file, in its package' alpine_files
check 'APKBUILD: found, a function that fails' planted
check 'PKGBUILD parses' bash -n "$here/packaging/arch/PKGBUILD"
check 'PKGBUILD: shellcheck' shellcheck -s bash -e SC2034,SC2154 "$here/packaging/arch/PKGBUILD"
check 'PKGBUILD: fields' arch_fields
check 'PKGBUILD: its functions' arch_functions
check 'PKGBUILD: every file' arch_files
check 'PKGBUILD: no folder that Arch does not have' arch_places
exit $failures
