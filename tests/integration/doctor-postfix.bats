#!/usr/bin/env bats
#
# mailbearer doctor --postfix, against Postfix's own postconf and postmap, a jail filled as
# Debian fills it, and an agent that is asked as smtp(8) would. A good configuration gives
# nothing but good marks; each fault is named with its remedy, and where that is a command,
# doing what it says makes all well again.

load lib.bash
load agent.bash
load postfix.bash
load setup.bash

setup_file() {
    make_ground
    make_certificates localhost
    export DOVECOT_SUBMISSION=587 # nothing connects there
    make_postfix
    write_accounts
    cp -a "$POSTFIX_ETC" "$WORK/good"
    start_agent "$AGENT_SOCKET"
    export_work
}

setup() {
    postfix_paths
    rm -rf "$POSTFIX_ETC"
    cp -a "$WORK/good" "$POSTFIX_ETC"
    write_accounts
    make_sasl_path
    export LC_ALL=C.UTF-8
}

teardown_file() {
    stop_all
}

# doctor ARGUMENT... - sets RC; standard output in $WORK/out.token, standard error in
# $WORK/err.
doctor() {
    settle
    mailbearer doctor --postfix --config-dir "$POSTFIX_ETC" "$@"
}

# settle - makes what has just been written a minute old: Postfix waits before it reads a
# file that may still be being written. None is left younger than another made after it.
settle() {
    find "$POSTFIX_ETC" -type f -newermt '-1 minute' -exec touch -d '-1 minute' {} +
}

# fault NAME=VALUE... - spoils main.cf.
fault() {
    postfix_set "$@"
}

# all_well - nothing but good marks.
all_well() {
    doctor
    expect '' "$(grep -E '^  (✗|!)' "$WORK/out.token")"
    expect 0 "$RC"
    expect '' "$(cat "$WORK/err")"
    expect_in "$(out)" 'nothing wrong was found'
}

# finds STATUS FINDING [REMEDY] - the one finding: its mark and part of its text.
finds() {
    doctor
    expect "$1" "$RC" || { out >&2; return 1; }
    expect 1 "$(grep -cE '^  (✗|!)' "$WORK/out.token")" || { out >&2; return 1; }
    expect_in "$(grep -E '^  (✗|!)' "$WORK/out.token")" "$2"
    expect_in "$(remedy)" "${3:-}"
}

# remedy - of the first finding that has one.
remedy() {
    sed -n 's/^      to mend it: //p' "$WORK/out.token" | head -n 1
}

# mended - doing what the remedy says makes all well.
mended() {
    bash -c "$(remedy)"
    all_well
}

# documented - the settings of docs/postfix.md, section 3, a line each.
documented() {
    sed -n '/^## 3/,/^and /s/^    \([a-z_A-Z]* = .*\)/\1/p' "$TOP/docs/postfix.md"
}

@test "the configuration of docs/postfix.md: only good marks" {
    local line

    expect_in "$(documented)" 'smtp_sasl_mechanism_filter = xoauth2'
    expect_in "$(documented)" 'relayhost = [smtp.office365.com]:587'
    while read -r line; do
        fault "${line/\/etc\/postfix\//$POSTFIX_ETC/}"
    done < <(documented)
    fault smtp_tls_CAfile=
    sed -i 's/^.*\]:587/[smtp.office365.com]:587/' "$POSTFIX_ETC/sasl_passwd"
    finds 78 "✗ smtp_tls_CApath /etc/ssl/certs is not in the jail $QUEUE" 'smtp_tls_CAfile = '
    mkdir -p "$QUEUE/etc/ssl/certs"
    : > "$QUEUE/etc/ssl/certs/00000000.0"
    all_well
    rm -r "$QUEUE/etc/ssl"
    expect_in "$(out)" '✓ [smtp.office365.com]:587: at most 2 at a time'
}

# as_printed CLIENT - the configuration without any relay, and what setup prints for one.
as_printed() {
    local file

    rm -rf "$POSTFIX_ETC" "$WORK/cut"
    cp -a "$WORK/good" "$POSTFIX_ETC"
    rm "$POSTFIX_ETC/sasl_passwd"
    sed -i -E '/^(relayhost|smtp_tls_(security|CAfile)|smtp_sasl_)/d' "$POSTFIX_ETC/main.cf"
    print_setup "$1" relay@contoso.com | sed "s,/etc/postfix/,$POSTFIX_ETC/,g" |
        cut_setup "$WORK/cut" "$WORK/cut"
    for file in "$WORK/cut$POSTFIX_ETC"/*; do
        cat "$file" >> "$POSTFIX_ETC/${file##*/}"
    done
}

@test "what setup prints for Postfix: only good marks" {
    local client

    for client in postfix postfix-senders postfix-socketmap postfix-transport; do
        as_printed "$client"
        all_well || { echo "$client:" >&2; out >&2; return 1; }
        expect_in "$(out)" '✓ [localhost]:587: TLS is demanded, level secure'
    done
    # The service's own setting is what counts, also when it is wrong.
    postconf -c "$POSTFIX_ETC" -P mailbearer/unix/smtp_tls_CAfile=/nowhere.pem
    finds 78 '✗ smtp_tls_CAfile /nowhere.pem cannot be read, or is empty' \
        "postconf -c $POSTFIX_ETC -P 'mailbearer/unix/smtp_tls_CAfile = "
}

@test "a good configuration, chrooted: every line" {
    all_well
    diff - "$WORK/out.token" << END
postfix
  ✓ Postfix $(postconf -h mail_version), configured in $POSTFIX_ETC
  ✓ it was built with Cyrus SASL
plugin
  ✓ $WORK/sasl2/libmailbearer.so
relay
  ✓ [localhost]:587 (relayhost, service smtp): relay@contoso.com, token of the account relay@contoso.com
sasl
  ✓ the service smtp signs in by XOAUTH2
tls
  ✓ [localhost]:587: TLS is demanded, level secure
accounts
  ✓ relay@contoso.com, which postfix may ask for
agent
  ✓ as postfix, in the jail $QUEUE: a token for relay@contoso.com

nothing wrong was found
END
}

@test "as JSON: the same findings, for machines" {
    doctor --format json
    expect 0 "$RC"
    expect 0 "$(json_get status < "$WORK/out.token")"
    expect postfix "$(json_get findings/0/check < "$WORK/out.token")"
    expect ok "$(json_get findings/0/level < "$WORK/out.token")"
    fault smtp_sasl_auth_enable=no
    doctor --format json
    expect 78 "$RC"
    expect 78 "$(json_get status < "$WORK/out.token")"
    expect failure "$(json_get findings/4/level < "$WORK/out.token")"
    expect 78 "$(json_get findings/4/code < "$WORK/out.token")"
    expect "postconf -c $POSTFIX_ETC -e 'smtp_sasl_auth_enable = yes'" \
        "$(json_get findings/4/remedy < "$WORK/out.token")"
}

@test "words for marks where the locale is not UTF-8, and no colour in a file" {
    LC_ALL=C doctor
    expect 0 "$RC"
    expect_in "$(out)" '  ok   it was built with Cyrus SASL'
    refute grep -q $'\033' "$WORK/out.token"
}

@test "MAIL_CONFIG names the configuration, and the remedies name it" {
    fault smtp_sasl_auth_enable=no
    export MAIL_CONFIG=$POSTFIX_ETC
    settle
    mailbearer doctor --postfix
    expect 78 "$RC"
    expect "postconf -c $POSTFIX_ETC -e 'smtp_sasl_auth_enable = yes'" "$(remedy)"
}

@test "what is not there: Postfix, the directory" {
    run_quiet env MAIL_CONFIG=/nowhere "$MAILBEARER" doctor --postfix
    expect 75 "$RC"
    expect_in "$(out)" 'postconf ended with status 1'
    expect_in "$(cat "$WORK/err")" '/nowhere'
}

@test "wrong arguments: 64, and nothing on standard output" {
    local -a wrong=('doctor' 'doctor --postfix x' 'doctor --postfix --smtp'
        'doctor --postfix --format xml' 'doctor --postfix --config-dir'
        'doctor x --config-dir /etc' 'doctor x y' 'doctor --postfix --nonsense')
    local arguments

    for arguments in "${wrong[@]}"; do
        # shellcheck disable=SC2086
        mailbearer $arguments
        expect 64 "$RC"
        expect '' "$(out)"
        expect_in "$(cat "$WORK/err")" 'see: mailbearer doctor --help'
    done
    mailbearer doctor --help
    expect 0 "$RC"
    expect_in "$(out)" 'usage: mailbearer doctor ACCOUNT'
}

@test "the plugin is absent, is another's, is no plugin" {
    rm "$WORK/sasl2/libmailbearer.so"
    finds 78 "✗ libmailbearer.so is not where libsasl2 looks: $WORK/sasl2" \
        "make install SASL_PLUGIN_DIR=$WORK/sasl2"
    cp "$WORK/sasl2/libplain.so" "$WORK/sasl2/libmailbearer.so"
    all_well
    echo nonsense > "$WORK/sasl2/libmailbearer.so"
    doctor
    expect 78 "$RC"
    expect_in "$(out)" 'libmailbearer.so is no shared object for this kind of machine'
    cp "$BUILD/libmailbearer.so" "$WORK/sasl2/libmailbearer.so"
    chown postfix "$WORK/sasl2/libmailbearer.so"
    finds 78 'may be changed by others than root' "chown root:root $WORK/sasl2/libmailbearer.so"
    mended
}

@test "another plugin for XOAUTH2" {
    cp "$BUILD/libmailbearer.so" "$WORK/sasl2/libother.so"
    finds 78 "✗ $WORK/sasl2/libother.so offers XOAUTH2 as well" 'remove it'
    rm "$WORK/sasl2/libother.so"
    all_well
}

@test "settings: each fault has its line, its exit status, and a command that mends it" {
    local one
    local -a faults=(
        '78|smtp_sasl_auth_enable=no|✗ smtp_sasl_auth_enable is no'
        '78|smtp_sasl_type=dovecot|✗ smtp_sasl_type is dovecot'
        '78|smtp_sasl_mechanism_filter=plain|✗ smtp_sasl_mechanism_filter is plain'
        '0|smtp_sasl_mechanism_filter=|! smtp_sasl_mechanism_filter is not set'
        '78|smtp_sasl_tls_security_options=noplaintext|✗ smtp_sasl_tls_security_options is noplaintext'
        '78|smtp_sasl_auth_cache_name=texthash:/x|✗ smtp_sasl_auth_cache_name is texthash:/x'
        '0|smtp_sasl_auth_soft_bounce=no|! smtp_sasl_auth_soft_bounce is no'
        '78|smtp_tls_security_level=may|✗ [localhost]:587: TLS is not demanded (level may'
        '78|smtp_tls_security_level=|✗ [localhost]:587: TLS is not demanded (level none'
        '0|smtp_tls_security_level=encrypt|! [localhost]:587: level encrypt takes any certificate'
        '78|smtp_tls_wrappermode=yes|✗ [localhost]:587: smtp_tls_wrappermode is for port 465'
    )

    for one in "${faults[@]}"; do
        IFS='|' read -r status setting text <<< "$one"
        fault "$setting"
        finds "$status" "$text" "postconf -c $POSTFIX_ETC -e '${setting%%=*} = "
        mended
    done
}

@test "an -o in master.cf is seen, and mended there" {
    postconf -c "$POSTFIX_ETC" -P smtp/unix/smtp_sasl_mechanism_filter=plain
    finds 78 '✗ smtp_sasl_mechanism_filter is plain (service smtp)' \
        "postconf -c $POSTFIX_ETC -P 'smtp/unix/smtp_sasl_mechanism_filter = xoauth2'"
    mended
}

@test "no relay; one without brackets; one that no entry is for" {
    fault relayhost=
    doctor
    expect 78 "$RC"
    expect_in "$(out)" '✗ mail goes to no relay'
    fault "relayhost=[localhost]:588"
    doctor
    expect 78 "$RC"
    expect_in "$(out)" '✗ no entry for [localhost]:588: the one for this host is spelled [localhost]:587'
    expect "in the table of smtp_sasl_password_maps, write [localhost]:588 for [localhost]:587" \
        "$(remedy)"
    fault relayhost=localhost:587
    doctor
    expect_in "$(out)" '! localhost:587 has no brackets'
    bash -c "$(remedy)"
    all_well
}

@test "the table: absent, not made, older than its source, of each type that Postfix has" {
    local type

    mv "$POSTFIX_ETC/sasl_passwd" "$POSTFIX_ETC/away"
    doctor
    expect 78 "$RC"
    expect_in "$(out)" "✗ texthash:$POSTFIX_ETC/sasl_passwd is not there"
    mv "$POSTFIX_ETC/away" "$POSTFIX_ETC/sasl_passwd"
    for type in hash lmdb; do
        postconf -m | grep -qx "$type" || continue
        fault "smtp_sasl_password_maps=$type:$POSTFIX_ETC/sasl_passwd"
        doctor
        expect 78 "$RC"
        expect_in "$(out)" "✗ $type:$POSTFIX_ETC/sasl_passwd has not been made from its source"
        mended
    done
    fault "smtp_sasl_password_maps=hash:$POSTFIX_ETC/sasl_passwd"
    touch -d '-1 hour' "$POSTFIX_ETC/sasl_passwd.db"
    finds 0 "! hash:$POSTFIX_ETC/sasl_passwd is older than its source"
    echo nonsense > "$POSTFIX_ETC/sasl_passwd.db"
    doctor
    expect 78 "$RC"
    expect_in "$(out)" "✗ hash:$POSTFIX_ETC/sasl_passwd cannot be opened by postmap"
    mended
    fault 'smtp_sasl_password_maps=static:relay@contoso.com:agent:'
    all_well
    fault 'smtp_sasl_password_maps=inline:{[localhost]:587=relay@contoso.com:agent:}'
    all_well
}

@test "a token or password in the table is named, not shown" {
    local secret=CANARY-password map

    write_sasl_passwd "relay@contoso.com:$secret"
    chmod 644 "$POSTFIX_ETC/sasl_passwd"
    doctor
    expect 78 "$RC"
    expect_in "$(out)" '✗ the entry [localhost]:587 has a password or token itself'
    expect_in "$(out)" 'has passwords, and everybody may read it'
    no_secret_in "$WORK/out.token" "$WORK/err"
    for map in "static:relay@contoso.com:$secret" "inline:{[localhost]:587=a:$secret}"; do
        fault "smtp_sasl_password_maps=$map"
        doctor
        expect 78 "$RC"
        expect_in "$(out)" '✗ the entry localhost has a password or token itself' ||
            expect_in "$(out)" '✗ the entry [localhost]:587 has a password or token itself'
        doctor --format json
        expect 78 "$RC"
        no_secret_in "$WORK/out.token" "$WORK/err"
    done
}

@test "relays with passwords beside it need a filter of their own" {
    printf '[mail.example]:587 me:CANARY-password\n' >> "$POSTFIX_ETC/sasl_passwd"
    printf 'partner.example smtp:[mail.example]:587\nelsewhere.example local:\n' \
        > "$POSTFIX_ETC/transport"
    fault "transport_maps=texthash:$POSTFIX_ETC/transport"
    finds 78 '✗ the service smtp takes tokens to one relay and passwords to another' \
        'smtp_sasl_mechanism_filter=xoauth2'
    no_secret_in "$WORK/out.token"
    printf 'partner.example other:[mail.example]:587\n' > "$POSTFIX_ETC/transport"
    printf 'other unix - - y - - smtp -o smtp_sasl_mechanism_filter=plain,login\n' \
        >> "$POSTFIX_ETC/master.cf"
    all_well
}

@test "the agent is not in the jail, does not know the account, does not let Postfix ask" {
    mv "$AGENT_SOCKET" "$AGENT_SOCKET.away"
    finds 69 "✗ no agent at /run/mailbearer/agent.sock: No such file or directory, as seen in the jail $QUEUE" \
        "--listen $AGENT_SOCKET"
    mv "$AGENT_SOCKET.away" "$AGENT_SOCKET"
    chmod 700 "${AGENT_SOCKET%/*}"
    chown root "${AGENT_SOCKET%/*}"
    finds 69 'Permission denied'
    chmod 755 "${AGENT_SOCKET%/*}"
    write_sasl_passwd relay@contoso.com:agent:nobody@contoso.com
    doctor
    expect 66 "$RC"
    expect_in "$(out)" "✗ $WORK/mailbearer.conf has no account nobody@contoso.com"
    write_sasl_passwd relay@contoso.com:agent:
    RELAY_USERS=fetchmail write_accounts
    retry_until 10 denied
    doctor
    expect 77 "$RC"
    expect_in "$(out)" '✗ relay@contoso.com: allow_users does not name postfix'
    expect_in "$(remedy)" 'allow_users = { postfix }'
    write_accounts
    retry_until 10 all_well
}

# denied - the agent has read that Postfix may not.
denied() {
    doctor
    expect_in "$(sed -n '/^agent/,$p' "$WORK/out.token")" ✗
}

@test "outside the jail the system's socket is asked" {
    sed -i -E 's/^(smtp +unix +- +- +)y/\1n/' "$POSTFIX_ETC/master.cf"
    [[ ! -S /run/mailbearer/agent.sock ]] || skip 'this machine has an agent'
    finds 69 '✗ no agent at /run/mailbearer/agent.sock: ' 'mailbearer agent'
    fault "import_environment=SASL_PATH=$WORK/sasl2 MAILBEARER_SOCKET=$AGENT_SOCKET"
    all_well
}

@test "the agent as the table: asked from the jail; a refusal is passed on" {
    fault smtp_sasl_password_maps=socketmap:unix:/run/mailbearer/agent.sock:sasl
    all_well
    expect_in "$(out)" "✓ [localhost]:587 (relayhost, service smtp): relay@contoso.com, token from the agent's table"
    fault smtp_sasl_password_maps=socketmap:unix:/run/nowhere.sock:sasl
    doctor
    expect 69 "$RC"
    expect_in "$(out)" '✗ socketmap:unix:/run/nowhere.sock:sasl, asked for localhost: no agent at'
    no_secret_in "$WORK/out.token" "$WORK/err"
}

@test "a token file is looked at as Postfix sees it: inside the jail" {
    write_sasl_passwd relay@contoso.com:file:/token
    finds 78 '✗ the token file /token: No such file or directory'
    echo CANARY-token > "$QUEUE/token"
    chmod 600 "$QUEUE/token"
    finds 78 '✗ the token file /token: Permission denied'
    chown postfix "$QUEUE/token"
    all_well
    : > "$QUEUE/token"
    finds 75 '✗ the token file /token is empty'
    rm "$QUEUE/token"
}

@test "more connections than Exchange takes" {
    fault "relayhost=[smtp.office365.com]:587"
    sed -i 's/localhost/smtp.office365.com/' "$POSTFIX_ETC/sasl_passwd"
    finds 0 '! [smtp.office365.com]:587: up to 20 messages at a time, and Exchange takes 3' \
        "postconf -c $POSTFIX_ETC -e 'smtp_destination_concurrency_limit = 2'"
    mended
    expect_in "$(out)" '✓ [smtp.office365.com]:587: at most 2 at a time'
}

@test "senders with mailboxes of their own" {
    printf 'sales@contoso.com [smtp.office365.com]:587\n' > "$POSTFIX_ETC/senders"
    printf 'sales@contoso.com relay@contoso.com:agent:\n' >> "$POSTFIX_ETC/sasl_passwd"
    fault "sender_dependent_relayhost_maps=texthash:$POSTFIX_ETC/senders" \
        smtp_destination_concurrency_limit=2
    doctor
    expect 78 "$RC"
    expect_in "$(out)" '✗ smtp_sasl_password_maps has no entry for [smtp.office365.com]:587'
    fault smtp_sender_dependent_authentication=yes
    all_well
}

@test "large tables: an entry is found, what is not listed is said, nothing is made up" {
    local i

    for ((i = 0; i < 70; i++)); do
        printf 'u%d@contoso.com [h%d.example]:587\n' "$i" "$i" >> "$POSTFIX_ETC/senders"
        printf '[h%d.example]:587 relay@contoso.com:agent:\n' "$i" >> "$POSTFIX_ETC/sasl_passwd"
    done
    fault "sender_dependent_relayhost_maps=texthash:$POSTFIX_ETC/senders"
    all_well
    expect_in "$(out)" 'only the first 64 relays are looked at'
    fault sender_dependent_relayhost_maps=
    seq -f '[other%.0f.example]:587 someone.else@contoso.com:agent:someone' 60000 \
        >> "$POSTFIX_ETC/sasl_passwd" # 3.8 MB
    doctor
    expect 0 "$RC"
    expect_in "$(out)" '! the entry ['
    refute grep -q 'cannot be opened' "$WORK/out.token"
    seq -f '[many%.0f.example]:587 someone.else@contoso.com:agent:someone' 120000 \
        >> "$POSTFIX_ETC/sasl_passwd"
    all_well
    expect_in "$(out)" "· texthash:$POSTFIX_ETC/sasl_passwd: too large, its entries are not listed"
    expect_in "$(out)" '✓ [localhost]:587 (relayhost, service smtp): relay@contoso.com'
}

@test "a table within a table is not shown: it may be a password" {
    fault 'smtp_sasl_password_maps=unionmap:{static:relay@contoso.com:CANARY-password}'
    doctor
    expect 78 "$RC"
    expect_in "$(out)" 'has a password or token itself'
    no_secret_in "$WORK/out.token" "$WORK/err"
}

@test "not as root: what cannot be looked at is said" {
    chmod 644 "$POSTFIX_ETC/sasl_passwd"
    chmod 755 "$POSTFIX_ETC"
    settle
    run_quiet as 65533 env "HOME=$WORK" "$MAILBEARER" doctor --postfix --config-dir "$POSTFIX_ETC"
    expect 0 "$RC" || { out >&2; return 1; }
    expect_in "$(out)" 'not run as root'
    expect_in "$(out)" "the system's accounts file is not looked at"
}
