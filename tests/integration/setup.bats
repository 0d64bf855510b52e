#!/usr/bin/env bats
# `mailbearer setup`: what it prints for every client, what it refuses, and what the build
# refuses in a template. The clients' own tests use the text (clients-*.bats).
#
# Backquotes are part of what is said:
# shellcheck disable=SC2016

load lib.bash
load setup.bash

TEMPLATES=$TOP/token-helper/setup

setup() {
    make_work
    unset MAILBEARER_SOCKET
    export XDG_RUNTIME_DIR=$WORK/run XDG_CONFIG_HOME=$WORK/config HOME=$WORK/home
    mkdir -m 700 "$WORK/run" "$WORK/config" "$WORK/home"
    write_names
}

teardown() {
    stop_all
}

# write_names - a Microsoft account, a Google one, one at a server of our own, one with an app
# password, and one whose provider has SMTP alone.
write_names() {
    (umask 077 && printf 'CANARY-app-password\n' > "$WORK/app-password")
    (umask 077 && cat > "$WORK/mailbearer.conf") <<END
provider "own" {
    token_endpoint = "https://idp.example.net/token"
    scope = "mail"
    imap  = "imap.example.net:1143 starttls"
    pop3  = "pop.example.net:1995 tls"
    smtp  = "smtp.example.net:1465 tls"
}
account "alice@contoso.com" { client_id = 1 }
account "bob@gmail.com" {
    provider = google
    client_id = 1
    client_secret = "CANARY-client-secret"
}
account "work" {
    provider = own
    client_id = 1
    user = "carol@example.net"
    ca_file = "$WORK/ca.pem"
}
account "app" {
    provider = fastmail
    grant = app_password
    app_password_file = "$WORK/app-password"
    user = "dave@fastmail.com"
}
account "hve" {
    provider = microsoft-hve
    client_id = 1
    user = "bulk@contoso.com"
}
END
}

clients() {
    "$MAILBEARER" setup | awk '{ print $1 }'
}

# needs CLIENT - what its template says after @needs.
needs() {
    sed -n 's/^@needs \(.*\)@$/\1/p' "$TEMPLATES/$1.tmpl"
}

# run_setup ARGUMENT... - sets RC; output in $WORK/out, complaints in $WORK/err.
run_setup() {
    RC=0
    "$MAILBEARER" -c "$WORK/mailbearer.conf" setup "$@" > "$WORK/out" 2> "$WORK/err" || RC=$?
}

# complained RC TEXT HINT - nothing printed, two lines on standard error.
complained() {
    expect "$1" "$RC" || { cat "$WORK/err" >&2; return 1; }
    expect '' "$(cat "$WORK/out")"
    expect "mailbearer: $2" "$(sed -n 1p "$WORK/err")"
    expect "mailbearer: to mend it: $3" "$(sed -n 2p "$WORK/err")"
    expect 2 "$(wc -l < "$WORK/err")"
}

# well_formed CLIENT - $WORK/out is notes, then parts; nothing of the template's syntax is left.
well_formed() {
    grep -qE '^# --- (FILE: [^ ]+( [0-7]{3,4})?|COMMANDS)$' "$WORK/out" ||
        { echo "$1: no part" >&2; return 1; }
    refute grep -nE '@[A-Z][A-Z0-9_]+(:[a-z]+)?@|^@(if|else|end|include)' "$WORK/out"
    refute grep -n CANARY "$WORK/out"
    refute awk '/^# --- / { exit 1 } !/^#/ { found = 1; exit } END { exit !found }' "$WORK/out"
}

# works_for ACCOUNT - every client prints something for it.
works_for() {
    local client

    for client in $(clients); do
        run_setup "$client" "$1"
        expect "$client 0" "$client $RC" || { cat "$WORK/err" >&2; return 1; }
        well_formed "$client"
        grep -qF -e "$1" -e "$2" "$WORK/out"
    done
}

@test "the list has a line for each template" {
    "$MAILBEARER" setup > "$WORK/list"
    expect "$(cd "$TEMPLATES" && printf '%s\n' *.tmpl | sed 's/\.tmpl$//' | LC_ALL=C sort)" \
        "$(clients)"
    refute grep -nE '.{81}' "$WORK/list"
    refute grep -nvE '^  [a-z0-9-]+ +[^ ].*$' "$WORK/list"
}

@test "the clients that were promised are there" {
    local name

    clients > "$WORK/names"
    for name in postfix postfix-senders postfix-socketmap postfix-transport fetchmail \
        fetchmail-pop3 fetchmail7 fetchmail7-pop3 mutt neomutt msmtp mpop mbsync mbsync-tunnel getmail \
        offlineimap aerc alpine s-nail git git-msmtp exim opensmtpd nullmailer curl imapfilter \
        fdm nmh emacs dovecot sendmail liferay swaks local-port; do
        grep -qx "$name" "$WORK/names" || { echo "$name is missing" >&2; return 1; }
    done
}

@test "every client, for a Microsoft account" {
    works_for alice@contoso.com alice@contoso.com
    run_setup msmtp alice@contoso.com
    grep -q 'smtp.office365.com' "$WORK/out"
}

@test "every client, for a Google account" {
    works_for bob@gmail.com bob@gmail.com
    run_setup postfix bob@gmail.com
    grep -qx 'relayhost = \[smtp.gmail.com\]:587' "$WORK/out"
}

@test "every client, for an account with servers of its own" {
    local client

    works_for work carol@example.net
    for client in $(clients); do
        run_setup "$client" work
        refute grep -nE 'office365|outlook|gmail' "$WORK/out"
    done
    run_setup postfix work
    grep -qx 'relayhost = \[smtp.example.net\]:1465' "$WORK/out"
    grep -qx 'smtp_tls_wrappermode = yes' "$WORK/out"
    grep -qx "smtp_tls_CAfile = $WORK/ca.pem" "$WORK/out"
    grep -qx '\[smtp.example.net\]:1465 carol@example.net:agent:work' "$WORK/out"
    run_setup curl work
    grep -q -- '--ssl-reqd imap://imap.example.net:1143/' "$WORK/out"
    grep -q 'pop3s://pop.example.net:1995/' "$WORK/out"
    grep -q 'smtps://smtp.example.net:1465' "$WORK/out"
}

@test "an app password: what wants a token refuses, a tunnel or a port does not" {
    local client wants

    for client in $(clients); do
        wants=" $(needs "$client") "
        run_setup "$client" app
        if [[ $wants = *" token "* ]]; then
            complained 78 \
                "app: $client is for a token, and this account has an app password" \
                'give the program the password itself, or take a client of `mailbearer setup` that uses mailbearer-fetch'
        else
            expect "$client 0" "$client $RC"
            well_formed "$client"
        fi
    done
    run_setup mbsync-tunnel app
    expect 0 "$RC"
}

@test "a server that the account has not: 78, and what to add" {
    local client wants

    for client in $(clients); do
        wants=" $(needs "$client") "
        run_setup "$client" hve
        case $wants in
        *" imap "*) complained 78 'hve: hve has no imap server' \
            'add to its section: imap = "HOST:PORT tls"' ;;
        *" pop3 "*) complained 78 'hve: hve has no pop3 server' \
            'add to its section: pop3 = "HOST:PORT tls"' ;;
        *) expect "$client 0" "$client $RC" && well_formed "$client" ;;
        esac
    done
}

@test "an unknown client: 64, and the nearest one" {
    run_setup neomut alice@contoso.com
    complained 64 'neomut: unknown client; did you mean `neomutt`?' \
        'see which there are: mailbearer setup'
    run_setup zzzzzz alice@contoso.com
    complained 64 'zzzzzz: unknown client' 'see which there are: mailbearer setup'
}

@test "an unknown account: 66" {
    run_setup mutt nobody@contoso.com
    complained 66 "nobody@contoso.com: no such account in $WORK/mailbearer.conf" \
        'add it there, or see which there are: mailbearer status'
}

@test "wrong arguments: 64 and the help; --help is no error" {
    run_setup mutt
    expect 64 "$RC"
    expect_in "$(cat "$WORK/err")" 'usage: mailbearer setup [CLIENT ACCOUNT]'
    run_setup mutt alice@contoso.com more
    expect 64 "$RC"
    run_setup --nonsense
    expect 64 "$RC"
    run_setup --help
    expect 0 "$RC"
    expect_in "$(cat "$WORK/out")" 'usage: mailbearer setup [CLIENT ACCOUNT]'
}

@test "a wrong accounts file is told as it is" {
    echo 'account "x" { client_ix = 1 }' >> "$WORK/mailbearer.conf"
    run_setup mutt alice@contoso.com
    expect 78 "$RC"
    expect_in "$(cat "$WORK/err")" 'unknown key `client_ix`'
}

# nasty NAME - an account of that name is added.
nasty() {
    printf 'account "%s" {\n    client_id = 1\n    user = "alice@contoso.com"\n}\n' "$1" \
        >> "$WORK/mailbearer.conf"
}

# commands_parse - the shell can read the printed commands.
commands_parse() {
    rm -rf "$WORK/cut"
    cut_setup "$WORK/cut" "$WORK/cut/home" < "$WORK/out"
    [[ ! -e $WORK/cut/commands ]] || sh -n "$WORK/cut/commands"
}

# What is printed for a name is either refused with 78, or a shell still sees it as one word.
@test "names with blanks and quotes are escaped or refused, by every client" {
    local client name

    for name in 'a b' 'it'\''s' '$(id)`id`' '100%#;x' 'jörg'; do
        nasty "$name"
        for client in $(clients); do
            run_setup "$client" "$name"
            case $RC in
            0) well_formed "$client" && commands_parse ;;
            78) expect_in "$(sed -n 1p "$WORK/err")" 'cannot be written there: it has ' ;;
            *) echo "$client: $RC" >&2; return 1 ;;
            esac
        done
    done
    run_setup fetchmail 'a b'
    complained 78 "a b: fetchmail: FETCH_IMAP ($BUILD/mailbearer-fetch -c $WORK/mailbearer.conf imap a b) cannot be written there: it has a blank" \
        'give the account a plainer name, and its mailbox as `user`; -c takes a plainer path'
}

# The quotes that sh needs would end those that the program has: nothing is printed then.
@test "a name that sh quotes does not break out of the quotes around a command" {
    local name client

    for name in 'a b' '$(touch pwned)' "it'\$(touch pwned)'"; do
        nasty "$name"
        for client in swaks getmail offlineimap offlineimap-tunnel fdm fdm-pop3 aerc; do
            run_setup "$client" "$name"
            [[ $RC = 78 || $name != *"'"* ]] || { cat "$WORK/out" >&2; return 1; }
            [[ $RC = 78 || $client != swaks ]] || { cat "$WORK/out" >&2; return 1; }
        done
    done
    run_setup swaks 'a b'
    complained 78 "a b: swaks: FETCH_SMTP ($BUILD/mailbearer-fetch -c $WORK/mailbearer.conf smtp a b) cannot be written there: it has what sh needs quoted" \
        'give the account a plainer name, and its mailbox as `user`; -c takes a plainer path'
}

@test "a name like an option: 64 and the help" {
    nasty -x
    run_setup curl -x
    expect 64 "$RC"
    expect '' "$(cat "$WORK/out")"
    expect_in "$(cat "$WORK/err")" 'usage: mailbearer setup [CLIENT ACCOUNT]'
}

@test "a shared mailbox: who signs in and which account sends are named" {
    local client

    cat >> "$WORK/mailbearer.conf" <<'END'
account "team" {
    client_id = 1
    user = "team@contoso.com"
    login_hint = "alice@contoso.com"
}
account "sales" {
    client_id = 1
    user = "sales@contoso.com"
    login_hint = "eve@contoso.com"
}
END
    for client in msmtp postfix postfix-transport exim git local-port; do
        run_setup "$client" team
        expect_in "$(cat "$WORK/out")" '# alice@contoso.com signs in for the shared mailbox team@contoso.com.'
        expect_in "$(cat "$WORK/out")" '# the account alice@contoso.com, which needs the SendAs permission'
    done
    run_setup msmtp sales
    expect_in "$(cat "$WORK/out")" '# eve@contoso.com signs in for the shared mailbox sales@contoso.com.'
    expect_in "$(cat "$WORK/out")" "# an account of the former's own"
    refute grep -q 'Of a shared mailbox there are two accounts' "$WORK/out"
    run_setup msmtp alice@contoso.com
    refute grep -q 'signs in for' "$WORK/out"
    expect_in "$(cat "$WORK/out")" 'Of a shared mailbox there are two accounts'
}

@test "allow_users: root is not named, who always may" {
    local client

    for client in $(clients); do
        run_setup "$client" alice@contoso.com
        refute grep -n 'allow_users = { root }' "$WORK/out"
    done
    run_setup fetchmail alice@contoso.com
    expect_in "$(cat "$WORK/out")" 'allow_users = { fetchmail }'
}

@test "a command with a nasty name is one that the shell reads back" {
    local name="it's \"x; \$y\`z"

    printf 'account "%s" {\n    client_id = 1\n    user = "alice@contoso.com"\n}\n' \
        "it's \\\"x; \$y\`z" >> "$WORK/mailbearer.conf"
    run_setup curl "$name"
    expect 0 "$RC"
    # The program of the commands is replaced by one that shows its arguments.
    mkdir "$WORK/fake"
    sed "s,^$MAILBEARER ,show ," "$WORK/out" | grep '^show' | head -n 1 | sed 's/ | sed.*//' \
        > "$WORK/line"
    # shellcheck disable=SC2317
    show() { printf '%s\n' "$@"; }
    # shellcheck disable=SC1091
    expect "$(printf '%s\n' -c "$WORK/mailbearer.conf" token "$name")" "$(. "$WORK/line")"
}

@test "programs are named by the path of the running one, with -c where that was given" {
    run_setup mbsync-tunnel alice@contoso.com
    expect_in "$(cat "$WORK/out")" \
        "\"$BUILD/mailbearer-fetch -c $WORK/mailbearer.conf imap alice@contoso.com\""
    (cd "$WORK" && "$MAILBEARER" setup -c ./mailbearer.conf mbsync-tunnel alice@contoso.com) \
        > "$WORK/relative"
    cmp "$WORK/out" "$WORK/relative"
    mkdir "$WORK/config/mailbearer"
    cp "$WORK/mailbearer.conf" "$WORK/config/mailbearer/"
    chown -R nobody "$WORK/config" "$WORK/home" "$WORK/run" "$WORK/app-password"
    chmod 711 "$WORK"
    # A user's own accounts file, found by itself: no -c.
    mkdir "$WORK/bin"
    cp "$BUILD"/mailbearer{,-fetch} "$WORK/bin/"
    setpriv --reuid nobody --regid nogroup --clear-groups \
        "$WORK/bin/mailbearer" setup mbsync-tunnel alice@contoso.com > "$WORK/own"
    expect_in "$(cat "$WORK/own")" "\"$WORK/bin/mailbearer-fetch imap alice@contoso.com\""
}

@test "an account that only the agent knows: nobody's accounts file is read" {
    cp "$MAILBEARER" "$WORK/mailbearer"
    start_agent
    chmod 711 "$WORK"
    # Another user, who may have it, and one who may not.
    sed -i 's/^account "alice@contoso.com" { /&\n    allow_users = { 61200 }\n    /' \
        "$WORK/mailbearer.conf"
    kill -HUP "$(sed -n 's/ agent$//p' "$WORK/pids")"
    retry_until 10 as_other 61200 msmtp alice@contoso.com
    as_other 61200 msmtp alice@contoso.com > "$WORK/out"
    expect_in "$(cat "$WORK/out")" 'host smtp.office365.com'
    expect_in "$(cat "$WORK/out")" 'the account needs: allow_users = { '
    RC=0
    as_other 61201 msmtp alice@contoso.com > "$WORK/out" 2> "$WORK/err" || RC=$?
    expect 77 "$RC"
    expect '' "$(cat "$WORK/out")"
    RC=0
    as_other 61200 msmtp nobody@contoso.com > "$WORK/out" 2> "$WORK/err" || RC=$?
    expect 66 "$RC"
    # A protocol it has not, told by the agent: the accounts file is what is to be changed.
    sed -i 's/^account "hve" {/&\n    allow_users = { 61200 }/' "$WORK/mailbearer.conf"
    kill -HUP "$(sed -n 's/ agent$//p' "$WORK/pids")"
    retry_until 10 as_other 61200 msmtp hve
    RC=0
    as_other 61200 fetchmail hve > "$WORK/out" 2> "$WORK/err" || RC=$?
    expect 78 "$RC"
    expect_in "$(cat "$WORK/err")" 'hve has no imap server'
}

# as_other UID CLIENT ACCOUNT - a user with no accounts file and no home.
as_other() {
    setpriv --reuid "$1" --regid "$1" --clear-groups env -i \
        MAILBEARER_SOCKET="$MAILBEARER_SOCKET" HOME=/nonexistent \
        "$WORK/mailbearer" setup "${@:2}"
}

# --- the build ----------------------------------------------------------------------------

# build_says TEXT LINE... - a template x.tmpl of these lines (a good head in front, unless
# HEAD is empty) is refused so, by every awk there is.
build_says() {
    local said=$1 awk
    local -a command

    shift
    cp "$TEMPLATES/names.def" "$WORK/"
    printf '%s' "${HEAD-$'@title a title@\n@quoting raw@\n'}" > "$WORK/x.tmpl"
    printf '%s\n' "$@" >> "$WORK/x.tmpl"
    for awk in gawk mawk 'busybox awk' awk; do
        read -ra command <<< "$awk"
        command -v "${command[0]}" > /dev/null || continue
        RC=0
        "${command[@]}" -f "$TEMPLATES/make-templates.awk" "$WORK/names.def" "$WORK/x.tmpl" \
            > "$WORK/out" 2> "$WORK/err" || RC=$?
        expect "$awk: $said" "$awk: $(sed "s,^$WORK/,," "$WORK/err")"
        expect "${SAID_RC-1}" "$RC"
        [[ $RC = 0 || ! -s $WORK/out ]]
    done
}

@test "the build refuses what is wrong in a template, with file and line" {
    local part='# --- FILE: /x'

    SAID_RC=0 build_says '' "$part" '@ACCOUNT@' '@if PROXY@' '@USER:word@' '@else@' '@end@'
    build_says 'x.tmpl:4: unknown name: ACOUNT' "$part" '@ACOUNT@'
    build_says 'x.tmpl:4: unknown quoting: words' "$part" '@ACCOUNT:words@'
    build_says 'x.tmpl:4: unknown name: NOBODY' "$part" '@if NOBODY@' '@end@'
    build_says 'x.tmpl: @if without @end@, opened at '"$WORK/x.tmpl:4" "$part" '@if USER@'
    build_says 'x.tmpl:4: not understood, or out of place: @end@' "$part" '@end@'
    build_says 'x.tmpl:6: not understood, or out of place: @else@' "$part" '@if USER@' '@else@' \
        '@else@' '@end@'
    build_says 'x.tmpl:4: not understood, or out of place: @if user@' "$part" '@if user@'
    build_says 'x.tmpl:4: not understood, or out of place: @needs imap@' "$part" '@needs imap@'
    build_says 'x.tmpl:3: before the first part, lines begin with #' 'text' "$part"
    build_says 'x.tmpl: it has no part: # --- FILE: PATH or # --- COMMANDS' '# a note'
    build_says 'x.tmpl:3: a part begins with `# --- FILE: PATH [MODE]` or `# --- COMMANDS`' \
        '# --- FILE /x'
    build_says 'x.tmpl:3: a part begins with `# --- FILE: PATH [MODE]` or `# --- COMMANDS`' \
        '# --- FILE: /x 999'
    build_says 'x.tmpl:4: not plain ASCII, or a control character' "$part" 'ü'
    build_says 'x.tmpl:4: a blank at the end' "$part" 'x '
    build_says "x.tmpl:4: cannot read $WORK/none.inc" "$part" '@include none.inc@'
    build_says 'x.tmpl:9: @if more than 6 deep' '@if USER@' '@if USER@' '@if USER@' \
        '@if USER@' '@if USER@' '@if USER@' '@if USER@'
}

@test "the build refuses a wrong head" {
    local part='# --- FILE: /x'

    HEAD='' build_says 'x.tmpl: @title and @quoting are needed' "$part"
    HEAD='' build_says 'x.tmpl:1: unknown quoting: words' '@quoting words@' "$part"
    build_says 'x.tmpl:3: unknown need: imaps' '@needs imaps@' "$part"
    build_says 'x.tmpl:3: said twice: @title b@' '@title b@' "$part"
    HEAD='' build_says 'x.tmpl:1: the title is longer than 56 characters' \
        "@title $(printf '%057d' 0)@" "$part"
}

@test "every awk makes the same of our templates" {
    local awk
    local -a command files

    mapfile -t files < <(cd "$TEMPLATES" && printf '%s\n' *.tmpl | sed 's/\.tmpl$//' |
        LC_ALL=C sort | sed "s,.*,$TEMPLATES/&.tmpl,")
    for awk in gawk mawk 'busybox awk' awk; do
        read -ra command <<< "$awk"
        command -v "${command[0]}" > /dev/null || continue
        "${command[@]}" -f "$TEMPLATES/make-templates.awk" "$TEMPLATES/names.def" "${files[@]}" \
            > "$WORK/out"
        [[ -e $WORK/first ]] || cp "$WORK/out" "$WORK/first"
        cmp "$WORK/out" "$WORK/first"
    done
}
