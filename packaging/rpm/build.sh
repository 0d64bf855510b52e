#!/bin/sh
# Builds the source and binary rpm packages of a tarball, as `make dist` makes it.
#
# usage: packaging/rpm/build.sh TARBALL FOLDER [RPMBUILD-OPTION...]
#
# FOLDER gets them, in SRPMS and RPMS, and is emptied first. Where rpm is not the system's
# own, the names of BuildRequires mean nothing and Fedora's macros are missing: they are not
# looked at, and packaging/rpm/macros.check has the macros.
set -eu
umask 022
tarball=$(readlink -f "$1")
mkdir -p "$2"
folder=$(readlink -f "$2")
shift 2
name=${tarball##*/}
name=${name%.tar.gz}
rm -rf "${folder:?}"/*
mkdir "$folder/SOURCES"
cp "$tarball" "$folder/SOURCES/"
tar -C "$folder" -xzf "$tarball" "$name/packaging"
for user in mailbearer mailbearer-fetch; do
    cp "$folder/$name/packaging/sysusers.d/$user.conf" "$folder/SOURCES/$user.sysusers"
done
if ! rpm -q --quiet systemd-rpm-macros 2>/dev/null; then
    set -- --nodeps --load "$folder/$name/packaging/rpm/macros.check" "$@"
fi
# What make was called with is not for this build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CC CFLAGS CPPFLAGS LDFLAGS
exec rpmbuild -ba --define "_topdir $folder" "$@" "$folder/$name/packaging/rpm/mailbearer.spec"
