"""What Exchange Online says, word for word. {server} and {hostname} are its signature.

FAILURES are what the admin command `fail` provokes by name: protocol, the moment (smtp:
connect ehlo auth mail rcpt data end; imap: connect auth command; pop: connect auth command),
the text, and whether the connection is closed behind it.
"""

SERVER = "LO2P265CA0017.GBRP265.PROD.OUTLOOK.COM"
GREETER = "LO2P265CA0017.outlook.office365.com"
STORE = "CWLP265MB1234.GBRP265.PROD.OUTLOOK.COM"

DISABLED = "SmtpClientAuthentication is disabled for the %s. Visit " \
    "https://aka.ms/smtp_auth_disabled for more information."
UNSUCCESSFUL = "535 5.7.139 Authentication unsuccessful, %s {server}"
CATCH_ALL = "535 5.7.3 Authentication unsuccessful {server}"

# What a password gets (Mailbox setting `password`).
PASSWORDS = {
    "basic_disabled": UNSUCCESSFUL % "basic authentication is disabled.",
    "incorrect": UNSUCCESSFUL % "the user credentials were incorrect.",
    "sts_down": UNSUCCESSFUL % "federated STS service was unreachable.",
    "sts_http": UNSUCCESSFUL % "the federated STS URL does not support HTTPS.",
    "removed": "550 5.7.30 Basic authentication is not supported for Client Submission. "
               "{server}",
}

# What High Volume Email says of a token (judge.Judge.high_volume).
HVE = {
    "hve_malformed": "501 5.5.124 Invalid XOAUTH2 auth data - User address provided is not "
                     "valid {server}",
    "hve_expiring": "535 5.7.142 XOAUTH2 authentication failed - Token will expire soon "
                    "{server}",
    "hve_expired": "535 5.7.143 XOAUTH2 authentication failed - Expired token {server}",
    "hve_permission": "535 5.7.144 XOAUTH2 authentication failed \u2013 Invalid API "
                      "permissions {server}",
    "hve_app": "550 5.7.240 The application is not on the allow list of the account "
               "{server}",
}

SEND_AS_DENIED = (
    "554 5.2.252 SendAsDenied; {mailbox} not allowed to send as {sender}; "
    "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to "
    "process message due to a permanent exception with message [BeginDiagnosticData]Cannot "
    "submit message. 0.35250:0A005D80[EndDiagnosticData] {hostname}")
CONCURRENT = ("432 4.3.2 Concurrent connections limit exceeded. Visit "
              "https://aka.ms/concurrent_sending for more information. {hostname}")
QUOTA = "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException {hostname}"
FULL = ("554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException."
        "MapiExceptionShutoffQuotaExceeded {hostname}")
TOO_LARGE = ("554 5.2.270 MapiExceptionMaxSubmissionExceeded; Message size exceeds maximum "
             "size limit. {hostname}")

NO_FROM = ("550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant and "
           "include a valid From address {hostname}")
MANY_FROMS = "550 5.1.20 Multiple From addresses are not allowed without Sender address"

THROTTLED = "550 5.2.%d Sender throttled due to continuous %s errors. {hostname}"

FAILURES = {
    # who may sign in
    "catch_all": ("smtp", "auth", CATCH_ALL),
    "disabled_tenant": ("smtp", "auth", UNSUCCESSFUL % (DISABLED % "Tenant")),
    "disabled_mailbox": ("smtp", "auth", UNSUCCESSFUL % (DISABLED % "Mailbox")),
    "security_defaults": ("smtp", "auth", UNSUCCESSFUL % "user is locked by your "
                          "organization's security defaults policy. Contact your "
                          "administrator."),
    "credentials": ("smtp", "auth", PASSWORDS["incorrect"]),
    "basic_disabled": ("smtp", "auth", PASSWORDS["basic_disabled"]),
    "criteria": ("smtp", "auth", UNSUCCESSFUL % "the request did not meet the criteria to be "
                 "authenticated successfully. Contact your administrator."),
    "locked": ("smtp", "auth", UNSUCCESSFUL % "account locked."),
    "organization": ("smtp", "auth", UNSUCCESSFUL % "the organization configuration doesn't "
                     "allow this authentication request."),
    "sts": ("smtp", "auth", PASSWORDS["sts_down"]),
    "basic_removed": ("smtp", "auth", PASSWORDS["removed"]),
    "mechanism": ("smtp", "auth", "504 5.7.4 Unrecognized authentication type {server}"),
    "auth_temporary": ("smtp", "auth", "454 4.7.0 Temporary authentication failure {server}"),
    "server_temporary": ("smtp", "auth", "451 4.7.0 Temporary server error. Please try again "
                         "later. PRX4 {server}"),
    "hve_soon": ("smtp", "auth", "501 5.5.127 Invalid XOAUTH2 auth data - Token will expire "
                 "soon error {server}"),
    "old_tls": ("smtp", "auth", "421 4.7.66 TLS 1.0 and 1.1 are not supported. Please "
                "upgrade/update your client to support TLS 1.2. Visit "
                "https://aka.ms/smtp_auth_tls. {server}", True),
    # who may send, and how much
    "not_active": ("smtp", "connect", "421 4.3.2 Service not active {server}", True),
    "rate": ("smtp", "mail", "421 4.4.2 Message submission rate for this client has exceeded "
             "the configured limit {server}", True),
    "anonymous": ("smtp", "mail", "530 5.7.57 Client not authenticated to send mail. "
                  "{server}"),
    "sender_rights": ("smtp", "mail", "550 5.7.60 SMTP; Client does not have permissions to "
                      "send as this sender"),
    "sender_blocked": ("smtp", "end", "550 5.1.8 Access denied, bad outbound sender "
                       "AS(42004) {server}"),
    "many_froms": ("smtp", "end", MANY_FROMS),
    "recipients_used_up": ("smtp", "end", "550 5.1.90 Your message can't be sent because "
                           "you've reached your daily limit for message recipients"),
    "barred_full": ("smtp", "end", THROTTLED % (251, "mailbox full")),
    "barred_send_as": ("smtp", "end", THROTTLED % (252, "send as denied")),
    "barred_license": ("smtp", "end", THROTTLED % (253, "invalid license")),
    "barred_many": ("smtp", "end", THROTTLED % (254, "too many recipients")),
    "barred_invalid": ("smtp", "end", THROTTLED % (255, "invalid recipients")),
    "send_as": ("smtp", "end", SEND_AS_DENIED),
    "concurrent": ("smtp", "end", CONCURRENT),
    "threads": ("smtp", "end", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit "
                "exceeded {hostname}"),
    "logon": ("smtp", "end", "430 4.2.0 STOREDRV; mailbox logon failure; STOREDRV.Submission."
              "Exception:ConnectionFailedTransientException.MapiExceptionLogonFailed; Failed "
              "to process message due to a transient exception {hostname}"),
    "quota": ("smtp", "end", QUOTA),
    "full": ("smtp", "end", FULL),
    "too_large": ("smtp", "end", TOO_LARGE),
    "no_from": ("smtp", "end", NO_FROM),
    "suspicious": ("smtp", "end", "451 4.7.500 Server busy. Please try again later from "
                   "[127.0.0.1]. {server}"),
    "trial_quota": ("smtp", "end", "550 5.7.232 Your message can't be sent because your trial "
                    "tenant has exceeded its tenant external recipient rate limit"),
    "spammer": ("smtp", "end", "550 5.7.501 Access denied, spam abuse detected {hostname}"),
    "address_banned": ("smtp", "rcpt", "550 5.7.606 Access denied, banned sending IP "
                       "[127.0.0.1]. To request removal from this list please visit "
                       "https://sender.office.com/ and follow the directions."),
    "relaying": ("smtp", "rcpt", "550 5.7.64 TenantAttribution; Relay Access Denied "
                 "{server}"),
    "threshold": ("smtp", "end", "550 5.7.705 Access denied, tenant has exceeded threshold "
                  "{hostname}"),
    "reputation": ("smtp", "end", "550 5.7.708 Service unavailable. Access denied, traffic "
                   "not accepted from this IP {hostname}"),
    "unregistered": ("smtp", "end", "550 5.7.750 Service unavailable. Client blocked from "
                     "sending from unregistered domains {hostname}"),
    # reading
    "imap_refused": ("imap", "auth", "NO AUTHENTICATE failed."),
    "imap_not_connected": ("imap", "command", "BAD User is authenticated but not connected."),
    "imap_throttled": ("imap", "command", "BAD Request is throttled. Suggested Backoff Time: "
                       "49532 milliseconds"),
    "imap_unavailable": ("imap", "auth", "NO Server Unavailable. 15"),
    "imap_closed": ("imap", "command", "* BYE Connection closed. 14", True),
    "imap_expired": ("imap", "command", "* BYE Session invalidated - AccessTokenExpired",
                     True),
    "imap_state": ("imap", "command", "BAD Command received in Invalid state."),
    "pop_refused": ("pop", "auth", "-ERR Authentication failure: unknown user name or bad "
                    "password."),
    "pop_protocol": ("pop", "auth", "-ERR Protocol error. Connection is closed. 10", True),
    "pop_temporary": ("pop", "auth", "-ERR [SYS/TEMP] Server Unavailable. 21"),
    "pop_in_use": ("pop", "auth", "-ERR [IN-USE] Mailbox is in use."),
    "pop_state": ("pop", "auth", "-ERR Command is not valid in this state."),
}
