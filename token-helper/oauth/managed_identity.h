/* managed_identity.h - tokens from the machine's own metadata service: Azure VM (IMDS),
 * Azure Arc, App Service and its relatives.
 *
 * Used by:  acquire.c
 * Includes: http.h for the form of a request, accounts/, base/, client/.
 *
 * Which of them it is follows from the environment, as Microsoft's own libraries decide:
 *   IDENTITY_ENDPOINT and IDENTITY_HEADER   App Service, Functions, Container Apps
 *   IDENTITY_ENDPOINT and IMDS_ENDPOINT     Azure Arc
 *   the Arc agent's program on the disk     Azure Arc at 127.0.0.1:40342
 *   otherwise                               IMDS at 169.254.169.254
 * There is no secret of ours in it: the service knows which machine asks. Arc proves that
 * we may read a file which only its group can.
 */
#ifndef MAILBEARER_MANAGED_IDENTITY_H
#define MAILBEARER_MANAGED_IDENTITY_H

#include "../accounts/accounts.h"
#include "http.h"

#define ARC_KEY_DIRECTORY "/var/opt/azcmagent/tokens/"
#define ARC_KEY_MAX 4096u

/* Composes the request. `proof` is empty at first; after a challenge it is the header
 * line that answers it. `url` keeps the address request_r->url points to. 0, ERR_CONFIG
 * (IDENTITY_ENDPOINT is no address to send to), ERR_NOMEM. */
int managed_identity_request(const struct account *account, const struct secret *proof,
                             struct secret *url, struct http_request *request_r,
                             struct err *err);

/* Is this reply Arc's challenge (401 with a file's name)? Then reads that file and makes
 * the header line of it. Only a .key file directly in ARC_KEY_DIRECTORY, no link and of
 * at most ARC_KEY_MAX bytes, is read: the answer comes from an address anybody may listen
 * on.
 * 0: *proof_r is the line, send the request again.
 * ERR_NONE is never mixed with ERR_*: ERR_PROTOCOL: not a challenge (err untouched);
 * ERR_CONFIG: a challenge that must not, or cannot, be answered. */
int managed_identity_challenge(const struct http_reply *reply, struct secret *proof_r,
                               struct err *err);

#endif
