#!/usr/bin/env bats
# asan: no, the stand-in is tested, which is not C
#
# The stand-in Exchange: what it offers, takes and refuses, word for word, and as strictly as
# the real one.

load lib.bash
load exchange.bash

setup_file() {
    make_work
    start_entra
    start_exchange
    export_work
}

teardown_file() {
    stop_all
}

setup() {
    cd "$WORK" || return 1
    unset AS
    exchange_admin clear
    exchange_admin reset
    exchange_admin organisation '{"smtp_disabled": false}'
    box relay@contoso.com '"smtp_disabled": null, "imap": true, "pop": true, "hve": false,
        "full": false, "send_as": [], "recipients": 500, "recipients_day": 10000,
        "send_size": 36700160, "rate": 30, "rbac_apps": [], "hve_apps": null,
        "password": "basic_disabled", "sessions": 20'
    exchange_admin empty '{"mailbox": "relay@contoso.com"}'
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"hve\": false, \"token\": \"jwt\",
        \"roles\": [\"SMTP.SendAsApp\", \"IMAP.AccessAsApp\", \"POP.AccessAsApp\"]}"
    take_token "{\"client\": \"$APP_CLIENT\"}"
}

teardown() {
    nothing_broke
    no_secret_in "$WORK"
}

# box MAILBOX SETTINGS - JSON members.
box() {
    exchange_admin mailbox "{\"mailbox\": \"$1\", $2}"
}

# smtp STEP... - signed in first.
smtp() {
    say SMTP 'EHLO me' TLS 'EHLO me' AUTH "$@"
}

# sent STEP... - a message of relay's to itself; the steps are its lines.
sent() {
    smtp 'MAIL FROM:<relay@contoso.com>' 'RCPT TO:<relay@contoso.com>' DATA \
        "RAW:$(printf '%s\\r\\n' "$@")" MORE:.
}

# refused_by_smtp, refused_by_imap, refused_by_pop [WHY] - the token is no good there.
refused_by_smtp() {
    say SMTP 'EHLO me' TLS 'EHLO me' AUTH
    grep -qE '^535 5\.7\.3 Authentication unsuccessful \[[A-Z0-9.]+ 20[0-9-]+T[0-9:.]+Z [0-9A-F]+\]' said
    expect "$1" "$(last_sign_in why)"
}

refused_by_imap() {
    say IMAPS AUTH
    was_said 't1 NO AUTHENTICATE failed.'
    expect "$1" "$(last_sign_in why)"
}

refused_by_pop() {
    say POP3S AUTH
    was_said '-ERR Authentication failure: unknown user name or bad password.'
    expect "$1" "$(last_sign_in why)"
}

refused_everywhere() {
    refused_by_smtp "$1"
    refused_by_imap "$1"
    refused_by_pop "$1"
}

@test "SMTP: what is offered before and behind TLS" {
    say SMTP 'EHLO me'
    grep -q '^220 .*outlook.office365.com Microsoft ESMTP MAIL Service ready at ' said
    expect "250-SIZE 157286400
250-PIPELINING
250-DSN
250-ENHANCEDSTATUSCODES
250-STARTTLS
250-8BITMIME
250-BINARYMIME
250-CHUNKING
250 SMTPUTF8" "$(sed -n '3,$p' said)"
    say SMTP 'EHLO me' TLS 'EHLO me'
    expect "250-SIZE 157286400
250-PIPELINING
250-DSN
250-ENHANCEDSTATUSCODES
250-AUTH LOGIN XOAUTH2
250-8BITMIME
250-BINARYMIME
250-CHUNKING
250 SMTPUTF8" "$(tail -n 9 said)"
    say SMTPS 'EHLO me'
    was_said '250-AUTH LOGIN XOAUTH2'
}

@test "IMAP and POP3: what is offered before and behind TLS" {
    say IMAP CAPABILITY
    was_said '* OK The Microsoft Exchange IMAP4 service is ready. [' \
        '* CAPABILITY IMAP4 IMAP4rev1 LOGINDISABLED STARTTLS SASL-IR UIDPLUS'
    say IMAPS CAPABILITY
    was_said '* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+'
    say IMAP TLS CAPABILITY
    was_said 'AUTH=XOAUTH2'
    refute grep -q LOGINDISABLED said
    say POP3 CAPA
    expect 'TOP
UIDL
STLS
.' "$(sed -n '3,$p' said)"
    say POP3 TLS CAPA
    expect 'TOP
UIDL
SASL PLAIN XOAUTH2
USER
.' "$(tail -n 5 said)"
}

@test "a good token: all three, inline and on a line of its own" {
    smtp QUIT
    was_said '235 2.7.0 Authentication successful' '221 2.0.0 Service closing transmission channel'
    expect false "$(last_sign_in inline)"
    say SMTPS 'EHLO me' AUTH-INLINE
    was_said '235 2.7.0 Authentication successful'
    expect true "$(last_sign_in inline)"
    say IMAPS AUTH-INLINE
    was_said 't1 OK AUTHENTICATE completed.'
    say IMAP TLS AUTH
    was_said '+ ' 't2 OK AUTHENTICATE completed.'
    say POP3 TLS AUTH
    was_said '+OK User successfully authenticated.'
    grep -qx '+' said
}

@test "POP3: a response on the AUTH line, or a token over 4096 characters, ends the connection" {
    say POP3S AUTH-INLINE NOOP
    expect '-ERR Protocol error. Connection is closed. 10
(closed)' "$(tail -n 2 said)"
    say POP3S 'AUTH XOAUTH2 dXNlcj0=' NOOP
    expect '(closed)' "$(tail -n 1 said)"
    take_token "{\"client\": \"$APP_CLIENT\", \"size\": 4200}"
    say POP3S AUTH NOOP
    expect '-ERR Protocol error. Connection is closed. 10
(closed)' "$(tail -n 2 said)"
    say IMAPS AUTH
    was_said 't1 OK AUTHENTICATE completed.'
}

@test "nothing is signed in, and nothing sent, without TLS" {
    say SMTP 'EHLO me' 'AUTH XOAUTH2' 'MAIL FROM:<relay@contoso.com>'
    was_said '504 5.7.4 Unrecognized authentication type [' \
        '451 5.7.3 STARTTLS is required to send mail ['
    say IMAP 'LOGIN relay@contoso.com x' 'AUTHENTICATE XOAUTH2' 'SELECT INBOX'
    was_said 't1 BAD Command received in Invalid state.' \
        't2 BAD Command received in Invalid state.' 't3 BAD Command received in Invalid state.'
    say POP3 'AUTH XOAUTH2' 'USER relay@contoso.com' STAT
    expect 3 "$(grep -cFx -- '-ERR Command is not valid in this state.' said)"
    # what came in clear behind STARTTLS is forgotten
    say SMTP 'EHLO me' 'RAW:STARTTLS\r\nMAIL FROM:<relay@contoso.com>\r\n'
    was_said '250 SMTPUTF8'
    say SMTP 'EHLO me' TLS 'MAIL FROM:<relay@contoso.com>'
    was_said '503 5.5.2 Send hello first'
}

@test "TLS below 1.2: refused" {
    refute openssl s_client -connect "127.0.0.1:$EXCHANGE_IMAPS" -tls1_1 \
        -cipher 'ALL:@SECLEVEL=0' < /dev/null > handshake 2>&1
    openssl s_client -connect "127.0.0.1:$EXCHANGE_IMAPS" -tls1_2 < /dev/null > handshake 2>&1
}

@test "a token nobody issued, an expired one, one for Graph" {
    echo eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.CANARY > in.token
    refused_everywhere audience
    echo EwBCANARYopaque > in.token
    refused_everywhere unknown
    take_token "{\"client\": \"$APP_CLIENT\"}"
    entra_admin expire > expired.json
    refused_everywhere expired
    take_token "{\"client\": \"$APP_CLIENT\", \"scope\": \"https://graph.microsoft.com/.default\"}"
    refused_everywhere audience
}

@test "permissions: each protocol has its own, and Exchange's own role sends without one" {
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"roles\": [\"IMAP.AccessAsApp\"]}"
    take_token "{\"client\": \"$APP_CLIENT\"}"
    refused_by_smtp permission
    refused_by_pop permission
    say IMAPS AUTH
    was_said 't1 OK AUTHENTICATE completed.'
    box relay@contoso.com "\"rbac_apps\": [\"$APP_CLIENT\"]"
    smtp
    was_said '235 2.7.0 Authentication successful'
}

@test "whose mailbox: nobody's, another application's, another person's, a shared one" {
    AS=nobody@contoso.com refused_everywhere 'no such mailbox'
    AS=bob@contoso.com refused_everywhere 'another mailbox'
    AS=RELAY@contoso.com smtp
    was_said '235 2.7.0 Authentication successful'
    take_token "{\"client\": \"$PUBLIC_CLIENT\", \"user\": \"alice@contoso.com\"}"
    AS=bob@contoso.com refused_by_smtp 'another mailbox'
    AS=bob@contoso.com say IMAPS AUTH CAPABILITY 'SELECT INBOX' LOGOUT
    was_said 't1 OK AUTHENTICATE completed.' 't2 BAD User is authenticated but not connected.' \
        't3 BAD User is authenticated but not connected.' 't4 OK LOGOUT completed.'
    # a delegate reads the shared mailbox, and sends as herself only
    AS=shared@contoso.com say IMAPS AUTH 'SELECT INBOX'
    was_said 't2 OK [READ-WRITE] SELECT completed.'
    AS=shared@contoso.com refused_by_smtp 'another mailbox'
}

@test "switches: SMTP AUTH of the mailbox and of the organisation, IMAP, POP" {
    box relay@contoso.com '"smtp_disabled": true'
    smtp
    was_said '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. ['
    exchange_admin organisation '{"smtp_disabled": true}'
    box relay@contoso.com '"smtp_disabled": null'
    smtp
    was_said '535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. ['
    box relay@contoso.com '"smtp_disabled": false, "imap": false, "pop": false'
    smtp
    was_said '235 2.7.0 Authentication successful'
    say IMAPS AUTH 'SELECT INBOX'
    was_said 't1 OK AUTHENTICATE completed.' 't2 BAD User is authenticated but not connected.'
    say POP3S AUTH
    was_said '-ERR Authentication failure: unknown user name or bad password.'
}

@test "passwords: refused everywhere, in each place's words" {
    say SMTPS 'EHLO me' 'AUTH LOGIN' MORE:cmVsYXlAY29udG9zby5jb20= MORE:c2VjcmV0
    was_said '334 VXNlcm5hbWU6' '334 UGFzc3dvcmQ6' \
        '535 5.7.139 Authentication unsuccessful, basic authentication is disabled. ['
    box relay@contoso.com '"password": "incorrect"'
    say SMTPS 'EHLO me' 'AUTH LOGIN cmVsYXlAY29udG9zby5jb20=' MORE:c2VjcmV0
    was_said '535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. ['
    box relay@contoso.com '"password": "removed"'
    say SMTPS 'EHLO me' 'AUTH LOGIN cmVsYXlAY29udG9zby5jb20=' MORE:c2VjcmV0
    was_said '550 5.7.30 Basic authentication is not supported for Client Submission.'
    say IMAPS 'LOGIN relay@contoso.com x' 'AUTHENTICATE PLAIN AHgAeQ=='
    was_said 't1 NO LOGIN failed.' 't2 NO AUTHENTICATE failed.'
    say POP3S 'USER relay@contoso.com' 'PASS x'
    was_said '-ERR Logon failure: unknown user name or bad password.'
    say SMTPS 'EHLO me' 'AUTH PLAIN AHgAeQ==' 'AUTH OAUTHBEARER'
    expect 2 "$(grep -c '^504 5.7.4 Unrecognized authentication type' said)"
}

@test "a malformed response: 501 or the usual refusal, and the session goes on" {
    say SMTPS 'EHLO me' 'AUTH XOAUTH2' 'MORE:not base64' 'AUTH XOAUTH2' 'MORE:*' \
        'AUTH XOAUTH2 dXNlcj1hAWF1dGg9QmVhcmVyIAEB' AUTH
    expect 2 "$(grep -c '^501 5.5.2 ' said)"
    expect 1 "$(grep -c '^535 5.7.3 ' said)"
    was_said '235 2.7.0 Authentication successful'
    say IMAPS 'AUTHENTICATE XOAUTH2 !' AUTH
    was_said 't1 NO AUTHENTICATE failed.' 't2 OK AUTHENTICATE completed.'
}

@test "limits of lines, and too many mistakes" {
    say SMTPS 'EHLO me' LONG:2100:NOOP 'LONG:13000:AUTH XOAUTH2 ' AUTH
    expect 2 "$(grep -c '^500 5.5.2 Line too long' said)"
    was_said '235 2.7.0 Authentication successful'
    say POP3S LONG:300:NOOP NOOP
    was_said '-ERR Protocol error. Connection is closed. 10' '(closed)'
    say SMTPS A B C D E F G H I J K
    expect 10 "$(grep -c "^500 5.3.3 Unrecognized command '[A-J]'" said)"
    was_said '(closed)'
}

@test "SMTP: a message, dots and all, and commands out of order" {
    smtp 'RCPT TO:<x@example.net>' 'MAIL FROM:<relay@contoso.com> SIZE=10 BODY=8BITMIME' \
        'MAIL FROM:<relay@contoso.com>' DATA 'RCPT TO:<alice>' \
        'MAIL FROM:<relay@contoso.com> ODD=1' RSET
    was_said '503 5.5.2 Need mail command' '250 2.1.0 Sender OK' \
        '503 5.5.2 Sender already specified' '503 5.5.2 Need rcpt command' \
        '501 5.1.3 Invalid address' '501 5.5.4 Unrecognized parameter' '250 2.0.0 Resetting'
    sent 'From: Relay <relay@contoso.com>' 'Subject: dots' '' '..one' '..'
    was_said '250 2.1.5 Recipient OK' '354 Start mail input; end with <CRLF>.<CRLF>'
    grep -qE '^250 2\.0\.0 OK <[0-9a-f]+@[A-Z0-9.]+> \[Hostname=[A-Z0-9.]+\]' said
    expect $'From: Relay <relay@contoso.com>\r\nSubject: dots\r\n\r\n.one\r\n.\r' \
        "$(in_mailbox relay@contoso.com | json_get 0/text)"
    smtp 'MAIL FROM:<relay@contoso.com>' 'RCPT TO:<x@example.net>' \
        'RAW:BDAT 27\r\nFrom: relay@contoso.com\r\n\r\n' 'WAIT:5' 'RAW:BDAT 2 LAST\r\nhi' 'WAIT:5'
    was_said '250 2.0.0 Chunk received' '250 2.0.0 OK <'
    expect '["x@example.net"]' \
        "$(curl -sSf "$EXCHANGE_ADMIN/admin/elsewhere" | json_get 0/to)"
    smtp 'MAIL FROM:<relay@contoso.com> SIZE=157286401'
    was_said '552 5.3.4 Message size exceeds fixed maximum message size'
    say SMTPS 'EHLO me' 'MAIL FROM:<relay@contoso.com>'
    was_said '530 5.7.57 Client not authenticated to send mail. ['
}

@test "SMTP: who may send as whom is decided behind the last dot" {
    sent 'From: eve@contoso.com' '' x
    was_said '554 5.2.252 SendAsDenied; relay@contoso.com not allowed to send as eve@contoso.com; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied;'
    expect 0 "$(mailbox_count relay@contoso.com)"
    smtp 'MAIL FROM:<eve@contoso.com>' 'RCPT TO:<relay@contoso.com>' DATA \
        'RAW:From: relay@contoso.com\r\n' MORE:.
    was_said '250 2.1.0 Sender OK' '554 5.2.252 SendAsDenied; relay@contoso.com not allowed to send as eve@contoso.com;'
    box relay@contoso.com '"send_as": ["Eve@contoso.com"]'
    sent 'From: eve@contoso.com' '' x
    was_said '250 2.0.0 OK'
    sent 'Subject: nobody wrote it' '' x
    was_said '550 5.7.512 Access denied'
    sent 'From: relay@contoso.com, eve@contoso.com' '' x
    was_said '550 5.1.20 Multiple From addresses'
}

@test "SMTP: full, too large, too many recipients, too many a day, too fast" {
    box relay@contoso.com '"full": true'
    sent 'From: relay@contoso.com' '' x
    was_said '554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded'
    box relay@contoso.com '"full": false, "send_size": 20'
    sent 'From: relay@contoso.com' '' x
    was_said '554 5.2.270 MapiExceptionMaxSubmissionExceeded; Message size exceeds maximum size limit.'
    box relay@contoso.com '"send_size": 1000, "recipients": 1'
    smtp 'MAIL FROM:<relay@contoso.com>' 'RCPT TO:<a@example.net>' 'RCPT TO:<b@example.net>'
    was_said '452 4.5.3 Too many recipients'
    box relay@contoso.com '"recipients_day": 0'
    sent 'From: relay@contoso.com' '' x
    was_said '554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException'
    box relay@contoso.com '"recipients_day": 10000, "rate": 0'
    sent 'From: relay@contoso.com' '' x
    was_said '250 2.0.0 OK'
    expect 1 "$(exchange_state mailboxes/relay@contoso.com/delayed)"
}

@test "SMTP: the fourth submission at the same time is refused at its end, the third is not" {
    say SMTP OPEN:2 'EHLO me' TLS 'EHLO me' AUTH 'MAIL FROM:<relay@contoso.com>' \
        'RCPT TO:<relay@contoso.com>' DATA 'RAW:From: relay@contoso.com\r\n' MORE:.
    was_said '250 2.0.0 OK'
    say SMTP OPEN:3 'EHLO me' TLS 'EHLO me' AUTH 'MAIL FROM:<relay@contoso.com>' \
        'RCPT TO:<relay@contoso.com>' DATA 'RAW:From: relay@contoso.com\r\n' MORE:.
    was_said '250 2.1.5 Recipient OK' '432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname='
}

@test "High Volume Email: its own permission, its own words, the token's remaining life" {
    box relay@contoso.com '"hve": true'
    smtp
    was_said '535 5.7.144 XOAUTH2 authentication failed'
    entra_admin client "{\"client\": \"$APP_CLIENT\", \"hve\": true}"
    local hve='"scope": "https://outlook.office.com/.default"'
    take_token "{\"client\": \"$APP_CLIENT\", $hve}"
    smtp
    was_said '235 2.7.0'
    box relay@contoso.com '"hve_apps": ["another"]'
    smtp
    was_said '550 5.7.240 '
    take_token "{\"client\": \"$APP_CLIENT\", $hve, \"expires_in\": 500}"
    smtp
    was_said '535 5.7.142 '
    take_token "{\"client\": \"$APP_CLIENT\", $hve, \"expires_in\": -5}"
    smtp
    was_said '535 5.7.143 '
    echo EwBCANARYopaque > in.token
    smtp
    was_said '501 5.5.124 Invalid XOAUTH2 auth data'
}

@test "IMAP: a message is listed, read, flagged, searched for, deleted" {
    exchange_admin deliver '{"mailbox": "relay@contoso.com", "text": "From: bob@example.net\nSubject: first\n\nHello.\n"}'
    say IMAPS AUTH 'LIST "" "*"' 'STATUS INBOX (MESSAGES UNSEEN)' 'SELECT INBOX' \
        'FETCH 1 (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])' 'SEARCH UNSEEN' \
        'UID FETCH 1:* BODY[]' 'SEARCH UNSEEN' 'SEARCH SUBJECT "FIRST" NOT DELETED' \
        'UID STORE 1 +FLAGS.SILENT (\Deleted)' EXPUNGE NOOP LOGOUT
    was_said '* LIST (\HasNoChildren) "/" INBOX' '* STATUS INBOX (MESSAGES 1 UNSEEN 1)' \
        '* 1 EXISTS' '* 1 FETCH (UID 1 RFC822.SIZE 49 BODY[HEADER.FIELDS (SUBJECT)] {18}' \
        '* 1 FETCH (UID 1 BODY[] {49}' ' FLAGS (\Seen))' '* 1 EXPUNGE' \
        '* BYE Microsoft Exchange Server IMAP4 server signing off.'
    expect '* SEARCH 1
* SEARCH
* SEARCH 1' "$(grep '^\* SEARCH' said)"
    expect 0 "$(mailbox_count relay@contoso.com)"
    say IMAPS 'RAW:a SELECT INBOX\r\n' WAIT:5 'FETCH 1 BODY[]' AUTH 'FETCH 1 BODY[]' \
        'SELECT Sent' ODD 'SELECT INBOX' 'FETCH x (FLAGS)' 'FETCH 1 NOTHING'
    was_said 'a BAD Command received in Invalid state.' 't3 BAD Command received in Invalid state.' \
        "t4 NO Sent doesn't exist." 't5 BAD Command Error. 12' \
        't7 BAD Command Argument Error. 11'
}

@test "IMAP: a literal, of both kinds, and IDLE hears of new mail" {
    say IMAPS AUTH 'APPEND INBOX {6}' 'RAW:a: b\r\n\r\n' WAIT:5 'SELECT INBOX' \
        'RAW:x APPEND INBOX {6+}\r\na: c\r\n\r\n' WAIT:5 NOOP IDLE \
        'RAW:DONE\r\n' WAIT:5
    was_said '+ Ready for additional command text.' 't2 OK [APPENDUID ' 'x OK [APPENDUID ' \
        '* 2 EXISTS' '+ IDLE accepted, awaiting DONE command.' 't5 OK IDLE completed.'
}

@test "IMAP and POP3: the token's life over, the session ended" {
    take_token "{\"client\": \"$APP_CLIENT\", \"expires_in\": 2}"
    say IMAPS AUTH 'SELECT INBOX' IDLE WAIT:5 WAIT:5
    expect '* BYE Session invalidated - AccessTokenExpired
(closed)' "$(tail -n 2 said)"
    expect 1 "$(exchange_state counters/cut/imap)"
    take_token "{\"client\": \"$APP_CLIENT\", \"expires_in\": 2}"
    say POP3S AUTH STAT
    was_said '+OK 0 0'
    exchange_admin expire '{"mailbox": "relay@contoso.com"}'
    take_token "{\"client\": \"$APP_CLIENT\"}"
    say IMAPS AUTH NOOP
    was_said 't2 OK NOOP completed.'
}

@test "POP3: a message is listed, read and deleted; one session at a time" {
    exchange_admin deliver '{"mailbox": "relay@contoso.com", "text": "Subject: first\n\n.dot\n"}'
    say POP3S AUTH STAT LIST 'UIDL 1' 'RETR 1' 'TOP 1 0' 'RETR 2' 'DELE 1' 'RETR 1' RSET STAT \
        'DELE 1' QUIT
    was_said '+OK 1 24' '1 24' '..dot' '-ERR The specified message is out of range.' \
        '+OK Microsoft Exchange Server POP3 server signing off.'
    expect 0 "$(mailbox_count relay@contoso.com)"
    say POP3S STAT AUTH NOOP 'AUTH XOAUTH2'
    expect 2 "$(grep -cFx -- '-ERR Command is not valid in this state.' said)"
}

@test "failures on demand: by moment and mailbox, counted, until cleared" {
    exchange_admin fail '{"fail": "security_defaults", "mailbox": "bob@contoso.com"}'
    smtp
    was_said '235 2.7.0'
    exchange_admin fail '{"fail": "security_defaults", "mailbox": "relay@contoso.com", "count": 1}'
    smtp
    was_said "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator. ["
    expect ordered "$(last_sign_in outcome)"
    smtp
    was_said '235 2.7.0'
    exchange_admin fail '{"fail": "not_active"}'
    say SMTPS
    was_said '421 4.3.2 Service not active ['
    exchange_admin clear
    exchange_admin fail '{"protocol": "imap", "at": "auth", "text": "NO x", "challenge": "{\"status\":\"401\"}"}'
    say IMAPS 'AUTHENTICATE XOAUTH2' MORE:dXNlcj1hAWF1dGg9QmVhcmVyIHgBAQ== MORE:
    was_said '+ eyJzdGF0dXMiOiI0MDEifQ==' 't1 NO x'
    exchange_admin fail '{"protocol": "imap", "at": "connect", "text": "", "reset": true}'
    say IMAPS NOOP
    expect '(closed)' "$(cat said)"
    expect 400 "$(curl -s -o answer -w '%{http_code}' -d '{"fail": "nothing"}' "$EXCHANGE_ADMIN/admin/fail")"
    expect 400 "$(curl -s -o answer -w '%{http_code}' -d '{"mailbox": "x", "odd": 1}' "$EXCHANGE_ADMIN/admin/mailbox")"
}
