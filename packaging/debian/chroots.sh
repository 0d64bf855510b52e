# shellcheck shell=sh
# chroots.sh - clean Debian chroots, kept apart by overlays, and the packages built in them.
#
# Used by:  check.sh, readme-trial.sh; in a mount namespace of their own, as root
# Needs:    tarball (as `make dist` makes it), folder (for chroots and packages); what works
#           on a release also release, base ($folder/$release/base) and broken (empty)
# Sets:     count, failures, broken; where and root are the functions' own

# What is set by or for those who source this file.
# shellcheck disable=SC2034,SC2154
mirror=${MAILBEARER_MIRROR:-http://deb.debian.org/debian}
count=0
failures=0

# begin_release NAME: what is said and done from now on is for that release; the source is
# unpacked in $folder/NAME/source.
begin_release() {
    release=$1
    base=$folder/$release/base
    broken=
    mkdir -p "$folder/$release"
    : >"$folder/$release/log"
    rm -rf "$folder/$release/source"
    mkdir "$folder/$release/source"
    tar -C "$folder/$release/source" --strip-components=1 -xzf "$tarball"
}

# result STATUS TITLE: what the step printed is in $folder/log.
result() {
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $release: $2"
    else
        echo "not ok $count - $release: $2"
        tail -n 40 "$folder/log" | cut -c 1-200 | sed 's/^/# /'
        failures=1
        broken=yes
    fi
    cat "$folder/log" >>"$folder/$release/log"
}

# check TITLE COMMAND...
# What comes after a failed step has nothing to work with.
check() {
    title=$1
    shift
    if [ "$broken" ]; then
        echo "not tried: a step before it failed" >"$folder/log"
        result 1 "$title"
        return
    fi
    "$@" >"$folder/log" 2>&1 </dev/null
    result $? "$title"
}

# inside ROOT COMMAND...: in that chroot, with its own processes; services are not started.
inside() {
    root=$1
    shift
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child sh -c '
        mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" || exit 1
        root=$1
        shift
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
            LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"' sh "$root" "$@"
}

# apt ROOT WORD PACKAGES: the names are split.
apt() {
    # shellcheck disable=SC2086
    inside "$1" apt-get -q -y -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
        --no-install-recommends "$2" $3
}

# base: $base, Debian without anything that it does not need.
base() {
    [ ! -e "$base.done" ] || return 0
    rm -rf "$base"
    debootstrap --variant=minbase "$release" "$base" "$mirror" || return 1
    cp /etc/resolv.conf "$base/etc/resolv.conf"
    # Without it localhost is asked of the network.
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$base/etc/hosts"
    printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d"
    chmod 755 "$base/usr/sbin/policy-rc.d"
    : >"$base.done"
}

# layer NAME LOWER...: a folder $folder/$release/NAME that shows LOWER, and keeps changes
# apart. They are there until the next layer of that name, or for good where NAME.done exists.
layer() {
    where=$folder/$release/$1
    shift
    lower=
    for below; do
        lower=${lower:+$lower:}$below
    done
    [ -e "$where.done" ] || rm -rf "$where.upper"
    mkdir -p "$where" "$where.upper" "$where.work"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$where.upper,workdir=$where.work" "$where"
}

build_needs() {
    cmp -s "$folder/$release/source/packaging/debian/control" "$folder/$release/tools.done" ||
        rm -f "$folder/$release/tools.done"
    layer tools "$base" || return 1
    [ ! -e "$folder/$release/tools.done" ] || return 0
    apt "$folder/$release/tools" update '' &&
        apt "$folder/$release/tools" install 'build-essential lintian' &&
        cp -r "$folder/$release/source/packaging/debian" "$folder/$release/tools/root/debian" &&
        inside "$folder/$release/tools" sh -c 'mkdir /root/needs && mv /root/debian /root/needs/ &&
            cd /root/needs && apt-get -q -y --no-install-recommends build-dep .' &&
        cp "$folder/$release/source/packaging/debian/control" "$folder/$release/tools.done"
}

# build NUMBER: as a user, in a folder, time zone, locale and umask of its own.
# The second goes without the tests: that must make no difference either.
build() {
    layer "build$1" "$folder/$release/tools" || return 1
    build=$folder/$release/build$1
    cp "$tarball" "$build/tmp/" && cp "$folder/$release/source/packaging/debian/build.sh" "$build/tmp/" || return 1
    case $1 in
    1) surroundings='umask 022; export TZ=UTC LC_ALL=C.UTF-8' ;;
    2) surroundings='umask 027; export TZ=Asia/Kolkata LC_ALL=C USER=somebody DEB_BUILD_OPTIONS=nocheck' ;;
    esac
    inside "$build" sh -c "$surroundings; useradd -m builder$1 2>/dev/null; mkdir -p /home/builder$1/out &&
        chown builder$1 /home/builder$1/out && chmod 644 /tmp/mailbearer-*.tar.gz && chmod 755 /tmp/build.sh &&
        HOME=/home/builder$1 setpriv --reuid builder$1 --regid builder$1 --init-groups \
        sh /tmp/build.sh /tmp/${tarball##*/} /home/builder$1/out/place$1"
}

# keep_packages NUMBER: what that build made, to $folder/$release/packages.
keep_packages() {
    rm -rf "$folder/$release/packages"
    mkdir "$folder/$release/packages" &&
        find "$folder/$release/build$1/home/builder$1/out/place$1" -maxdepth 1 -type f \
            -exec cp {} "$folder/$release/packages/" \;
}
