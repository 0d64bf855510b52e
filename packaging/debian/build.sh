#!/bin/sh
# Builds the Debian packages of a tarball, as `make dist` makes it.
#
# usage: packaging/debian/build.sh TARBALL FOLDER [DPKG-BUILDPACKAGE-OPTION...]
#
# FOLDER gets the source and binary packages, and is emptied first. With the same tarball the
# packages are the same, bit for bit: times in them are that of debian/changelog.
set -eu
# The modes of debian/ are in the source package.
umask 022
tarball=$(readlink -f "$1")
mkdir -p "$2"
folder=$(readlink -f "$2")
shift 2
name=${tarball##*/}
name=${name%.tar.gz}
version=${name#mailbearer-}
rm -rf "${folder:?}"/*
cp "$tarball" "$folder/mailbearer_$version.orig.tar.gz"
tar -C "$folder" -xzf "$tarball"
cd "$folder/$name"
cp -a packaging/debian debian
rm debian/build.sh debian/check.sh debian/chroots.sh debian/readme-trial.sh
# What make was called with is not for this build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
exec dpkg-buildpackage -us -uc -F "-j$(nproc)" "$@"
