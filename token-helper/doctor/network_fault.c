/* network_fault.c - see network_fault.h. */
#include "network_fault.h"

#include <stdio.h>
#include <string.h>

#include "../base/wallclock.h"
#include "../mail/refusal.h"

static void
set_unreached(const struct network_place *place, const struct look *look, struct err *err)
{
    const char *port = look->proxy != NULL ? "the proxy" : "the firewall";

    switch (look->result) {
    case LOOK_NO_NAME:
        err_set(err, ERR_TEMP, "%s: name not found (%s)", place->service, look->why);
        err_hint(err, "check %s, /etc/resolv.conf and the name server",
                 look->proxy != NULL ? "`proxy`" : "the name");
        break;
    case LOOK_PROXY:
        err_set(err, ERR_TEMP, "%s: the proxy does not connect to %s port %d (%s)",
                place->service, place->host, place->port, look->why);
        err_hint(err,
                 "have the proxy %s let CONNECT to that port pass, without a sign-in; "
                 "else correct `proxy`",
                 look->proxy);
        break;
    case LOOK_TIMEOUT:
        err_set(err, ERR_TIMEOUT, "%s: %s port %d accepts the connection and is silent",
                place->service, place->host, place->port);
        err_hint(err,
                 "check host, port and `tls` or `starttls` of %s; else %s holds "
                 "the connection",
                 place->service, port);
        break;
    default:
        err_set(err, ERR_TEMP, "%s: cannot connect to %s port %d (%s)", place->service,
                place->host, place->port, look->why);
        err_hint(err, "check the network, %s and `proxy` from this machine", port);
        break;
    }
}

/* Whose certificate it is decides what is to be done. */
static void
set_untrusted(const struct network_place *place, const struct look *look, struct err *err)
{
    char whose[300] = "", begins[WALLCLOCK_TEXT_MAX], now[WALLCLOCK_TEXT_MAX];

    if (look->issuer[0] != '\0')
        snprintf(whose, sizeof whose, "; it is issued by %.120s for %.120s", look->issuer,
                 look->names[0] != '\0' ? look->names : look->subject);
    err_set(err, ERR_TEMP, "%s: the certificate of %s is not trusted: %s%s",
            place->service, place->host, look->why, whose);
    if (look->expires != 0 && look->expires <= wallclock_now())
        err_hint(err, "check this machine's clock; else whoever runs %s must renew it",
                 place->host);
    else if (look->begins > wallclock_now())
        err_hint(
            err,
            "it begins at %s only, and this machine's clock shows %s: set the clock, "
            "and have it kept: systemctl enable --now systemd-timesyncd (or chrony)",
            wallclock_text(look->begins, begins), wallclock_text(wallclock_now(), now));
    else if (strstr(look->why, "name") != NULL)
        err_hint(err,
                 "the name must be one of the certificate's: correct the host, or "
                 "whatever leads %s to another machine",
                 place->host);
    else
        err_hint(err,
                 "if that issuer is your own, or a proxy's that inspects TLS: name its "
                 "certificate in `ca_file`, or add it to the system's; if not, somebody "
                 "intercepts the connection");
}

/* What a mail server says instead of a greeting. */
static void
set_refused(const struct network_place *place, const struct look *look, struct err *err)
{
    enum wire wire = WIRE_SMTP;
    char who[300];

    wire_from_name(place->service, &wire);
    snprintf(who, sizeof who, "%s: %s", place->service, place->host);
    refusal_said(wire, who, "takes no session", place->account,
                 place->mail != NULL ? place->mail->user : place->account, look->said,
                 err);
}

void
network_fault(const struct network_place *place, const struct look *look, struct err *err)
{
    switch (look->result) {
    case LOOK_UNTRUSTED:
        set_untrusted(place, look, err);
        break;
    case LOOK_TLS:
        err_set(err, ERR_TEMP, "%s: TLS with %s port %d failed (%s)", place->service,
                place->host, place->port, look->why);
        err_hint(err, "check `tls` against `starttls`, `ca_file`, and whether something "
                      "intercepts TLS; TLS 1.2 or later is needed");
        break;
    case LOOK_NO_STARTTLS:
        err_set(err, ERR_TEMP,
                "%s: %s port %d offers no STARTTLS, and without TLS no "
                "token is sent",
                place->service, place->host, place->port);
        err_hint(err, "check host and port, and whether something on the way removes "
                      "STARTTLS");
        break;
    case LOOK_REFUSED:
        set_refused(place, look, err);
        break;
    case LOOK_OTHER:
        err_set(err, ERR_PROTOCOL, "%s: %s port %d: %s", place->service, place->host,
                place->port, look->why);
        err_hint(err, "check host, port and `tls` or `starttls` of %s", place->service);
        break;
    default:
        set_unreached(place, look, err);
        break;
    }
}
