#!/bin/sh
# Installs what building, testing or checking mailbearer needs, as far as it is missing.
# When everything is there nothing is done and the network is not touched.
#
# usage: packaging/install-deps.sh [build|test|demo|lint|deb|chroot|packages|all]... (default: build)
# `deb` is what `make deb` needs besides, `chroot` what `make check-deb` and `make check-readme`
# need, `packages` what `make check-packaging` needs; none of these is part of all.
#
# As root it installs; as anybody else it prints the command for root and exits 77.
# Debian and Ubuntu are complete and tested. For other systems the names that we are sure
# of are installed and the rest is named, to be found by hand.
set -u

MARK='made by mailbearer packaging/install-deps.sh, safe to remove'
POLICY=/usr/sbin/policy-rc.d

say() {
    printf 'install-deps: %s\n' "$*" >&2
}

family() {
    for tool in apt-get dnf apk pacman zypper; do
        if command -v $tool >/dev/null 2>&1; then
            echo $tool
            return
        fi
    done
    echo none
}

# packages FAMILY SET: the names of one set; "?what" is something whose name we do not know.
packages() {
    case $1:$2 in
    apt-get:build)
        echo build-essential pkg-config libsasl2-dev libssl-dev libcrypt-dev libcurl4-openssl-dev \
            libjansson-dev libconfuse-dev ;;
    apt-get:demo)
        echo bash python3 openssl ca-certificates postfix dovecot-core dovecot-submissiond \
            dovecot-imapd dovecot-pop3d libsasl2-modules fetchmail curl procps ;;
    apt-get:test)
        echo bash libcmocka-dev bats python3 openssl ca-certificates postfix dovecot-core \
            dovecot-imapd dovecot-pop3d dovecot-submissiond libsasl2-modules \
            cyrus-clients isync fetchmail mutt bsdutils curl procps iproute2 util-linux chromium \
            systemd zsh fish \
            git-email libauthen-sasl-perl libio-socket-ssl-perl libmailtools-perl swaks msmtp \
            emacs-nox m4 \
            neomutt mpop getmail6 offlineimap3 aerc alpine s-nail imapfilter fdm nmh \
            tmux selinux-policy-dev checkpolicy semodule-utils apparmor bzip2 ;;
    apt-get:deb)
        echo debhelper git libcmocka-dev openssl procps python3 systemd ;;
    apt-get:chroot)
        echo debootstrap util-linux git ;;
    apt-get:packages)
        echo rpm rpmlint cpio makepkg libarchive-tools fakeroot musl-tools flex semodule-utils \
            setools debian-archive-keyring bzip2 git ;;
    apt-get:lint)
        echo clang clang-tidy clang-format libclang-rt-dev cppcheck shellcheck mandoc \
            valgrind git ;;

    dnf:build)
        echo gcc make pkgconf-pkg-config cyrus-sasl-devel openssl-devel libxcrypt-devel libcurl-devel \
            jansson-devel libconfuse-devel ;;
    dnf:demo)
        echo bash python3 openssl ca-certificates postfix dovecot cyrus-sasl-plain \
            fetchmail curl procps-ng ;;
    dnf:test)
        echo bash libcmocka-devel bats python3 openssl ca-certificates postfix dovecot \
            cyrus-sasl cyrus-sasl-plain isync curl procps-ng iproute util-linux systemd zsh fish \
            '?imtest' \
            git-email swaks msmtp emacs-nox m4 \
            fetchmail mutt neomutt offlineimap alpine s-nail nmh tmux selinux-policy-devel \
            bzip2 '?apparmor_parser' '?mpop' \
            '?getmail6' '?aerc' '?imapfilter' '?fdm' ;;
    dnf:chroot)
        echo debootstrap util-linux git ;;
    dnf:lint)
        echo clang clang-tools-extra compiler-rt cppcheck ShellCheck mandoc valgrind git ;;

    apk:build)
        echo build-base pkgconf cyrus-sasl-dev openssl-dev curl-dev jansson-dev \
            confuse-dev ;;
    apk:demo)
        echo bash python3 openssl ca-certificates postfix dovecot dovecot-pop3d fetchmail \
            curl procps '?dovecot-submissiond' ;;
    apk:test)
        echo bash cmocka-dev bats python3 openssl ca-certificates postfix dovecot \
            dovecot-pop3d cyrus-sasl isync curl procps iproute2 util-linux zsh fish \
            '?dovecot-submissiond' '?imtest' '?systemd-analyze' \
            git-email swaks msmtp emacs-nox m4 \
            fetchmail mutt neomutt mpop aerc alpine tmux apparmor bzip2 '?selinux-policy-devel' \
            '?getmail6' '?offlineimap' \
            '?s-nail' '?imapfilter' '?fdm' '?nmh' ;;
    apk:chroot)
        echo debootstrap util-linux git ;;
    apk:lint)
        echo clang clang-extra-tools compiler-rt cppcheck shellcheck mandoc valgrind git ;;

    pacman:build)
        echo base-devel libsasl openssl libxcrypt curl jansson confuse ;;
    pacman:demo)
        echo bash python openssl ca-certificates postfix dovecot fetchmail curl \
            procps-ng ;;
    pacman:test)
        echo bash cmocka bats python openssl ca-certificates postfix dovecot isync curl \
            procps-ng iproute2 util-linux systemd zsh fish '?imtest' \
            git perl-authen-sasl perl-io-socket-ssl perl-mailtools swaks msmtp emacs-nox m4 \
            fetchmail mutt neomutt mpop offlineimap aerc s-nail imapfilter fdm tmux \
            apparmor bzip2 '?selinux-policy-devel' '?getmail6' '?alpine' '?nmh' ;;
    pacman:chroot)
        echo debootstrap util-linux git ;;
    pacman:lint)
        # Arch's mandoc replaces man-db; that is for the administrator to decide.
        echo clang compiler-rt cppcheck shellcheck valgrind git '?mandoc' ;;

    zypper:build)
        echo gcc make pkgconf-pkg-config cyrus-sasl-devel libopenssl-devel libxcrypt-devel libcurl-devel \
            libjansson-devel libconfuse-devel ;;
    zypper:demo)
        echo bash python3 openssl ca-certificates postfix cyrus-sasl-plain \
            fetchmail curl procps '?dovecot' ;;
    zypper:test)
        echo bash libcmocka-devel python3 openssl ca-certificates postfix cyrus-sasl \
            cyrus-sasl-plain isync curl procps iproute2 util-linux systemd zsh fish '?bats' '?dovecot' \
            '?imtest' \
            git-email msmtp emacs-nox m4 '?swaks' \
            fetchmail mutt neomutt alpine tmux apparmor-parser bzip2 selinux-policy-devel \
            '?mpop' '?getmail6' '?offlineimap' \
            '?aerc' '?s-nail' '?imapfilter' '?fdm' '?nmh' ;;
    zypper:chroot)
        echo debootstrap util-linux git ;;
    zypper:lint)
        echo clang cppcheck ShellCheck mandoc valgrind git ;;

    *:packages)
        echo '?check-packaging is for Debian' ;;
    *:deb)
        echo '?debhelper' ;;
    esac
}

is_installed() {
    case $1 in
    apt-get)
        case $2 in
        libclang-rt-dev)
            # Older releases have no such package: it is part of clang itself there.
            command -v clang >/dev/null 2>&1 &&
                [ -e "$(clang -print-file-name="libclang_rt.asan-$(uname -m).a")" ] &&
                return 0 ;;
        chromium)
            # Not every release has it (Ubuntu has a snap instead): its tests are skipped.
            for list in /var/lib/apt/lists/*_Packages*; do
                [ -e "$list" ] && ! apt-cache show chromium >/dev/null 2>&1 && return 0
                break
            done ;;
        esac
        dpkg-query -W -f '${Status}' "$2" 2>/dev/null | grep -q '^install ok installed$' ;;
    dnf | zypper) rpm -q --quiet --whatprovides "$2" >/dev/null 2>&1 ;;
    apk) apk info -e "$2" >/dev/null 2>&1 ;;
    pacman) pacman -Qq "$2" >/dev/null 2>&1 || pacman -Qqg "$2" >/dev/null 2>&1 ;;
    esac
}

install_command() {
    case $1 in
    apt-get) echo "apt-get install -y --no-install-recommends" ;;
    dnf) echo "dnf install -y" ;;
    apk) echo "apk add" ;;
    pacman) echo "pacman -S --needed --noconfirm" ;;
    zypper) echo "zypper --non-interactive install" ;;
    esac
}

# Debian starts every service it installs. Ours are for tests with their own configuration:
# none may run on this machine because of us. The file that prevents it is there only while
# apt-get runs; an administrator's own is left alone.
policy_put() {
    if [ -e $POLICY ] && ! grep -qF "$MARK" $POLICY; then
        return
    fi
    printf '#!/bin/sh\n# %s\nexit 101\n' "$MARK" >$POLICY && chmod 755 $POLICY
}

policy_remove() {
    if [ -e $POLICY ] && grep -qF "$MARK" $POLICY; then
        rm -f $POLICY
    fi
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 "$@" </dev/null
}

apt_install() {
    case " $* " in
    *" postfix "*)
        # No configuration: the machine's own mail must not change because of our tests.
        # (Before debconf itself is configured there is nothing to tell.)
        if command -v debconf-set-selections >/dev/null 2>&1; then
            echo 'postfix postfix/main_mailer_type select No configuration' |
                debconf-set-selections
        fi ;;
    esac
    trap policy_remove EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    policy_put
    if ! apt_get -s install --no-install-recommends "$@" >/dev/null 2>&1; then
        apt_get update || return 1
        # The names that some releases do not have: what needs them does without.
        for absent in libclang-rt-dev chromium; do
            apt-cache show $absent >/dev/null 2>&1 && continue
            for name; do
                shift
                [ "$name" = $absent ] || set -- "$@" "$name"
            done
        done
    fi
    [ $# -gt 0 ] || return 0
    # A list that is too old names files that are gone: fetch it, and try once more.
    apt_get install -y --no-install-recommends "$@" ||
        { apt_get update && apt_get install -y --no-install-recommends "$@"; } || return 1
    case " $* " in
    *" dovecot-core "*)
        [ ! -d /run/systemd/system ] ||
            say "dovecot was not started, but will be at the next boot unless you" \
                "run: systemctl disable dovecot.service dovecot.socket" ;;
    esac
}

sets=
for set in "${@:-build}"; do
    case $set in
    build | test | demo | lint | deb | chroot | packages) sets="$sets $set" ;;
    all) sets="$sets build test demo lint" ;;
    *)
        say "unknown: $set"
        say "usage: packaging/install-deps.sh [build|test|demo|lint|deb|chroot|packages|all]..."
        exit 64 ;;
    esac
done

system=$(family)
if [ "$system" = none ]; then
    say "no package manager known here (apt-get, dnf, apk, pacman, zypper)"
    say "wanted: C compiler, make, pkg-config and the headers of libsasl2, OpenSSL, libcurl," \
        "jansson, libconfuse; for tests cmocka, bats, python3, postfix, dovecot"
    exit 69
fi

missing=
unknown=
for set in $sets; do
    for package in $(packages "$system" "$set"); do
        case " $missing $unknown " in *" $package "* | *" ${package#\?} "*) continue ;; esac
        case $package in
        \?*) unknown="$unknown ${package#\?}" ;;
        *) is_installed "$system" "$package" || missing="$missing $package" ;;
        esac
    done
done

if [ -n "$unknown" ]; then
    say "the package name on this system is not known to us, please see to it yourself:$unknown"
fi
if [ -z "$missing" ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    say "missing:$missing"
    say "run as root: $(install_command "$system")$missing"
    exit 77
fi
say "installing:$missing"
# The lists hold plain names: splitting them is meant.
# shellcheck disable=SC2086
if [ "$system" = apt-get ]; then
    apt_install $missing
else
    $(install_command "$system") $missing </dev/null
fi || {
    say "could not install:$missing"
    exit 69
}
