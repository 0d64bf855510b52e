/* commands.h - the subcommands of `mailbearer`.
 *
 * Used by:  commands/main.c (its table) and the tests.
 * Includes: nothing.
 *
 * Each is called like main(): argv[0] is the subcommand's name, options and operands
 * follow. The result is the exit status (sysexits(3), as mailbearer(1) lists them). What
 * was asked for goes to standard output; errors go to standard error, one line what, one
 * line what to do.
 */
#ifndef MAILBEARER_COMMANDS_H
#define MAILBEARER_COMMANDS_H

/* explain [TEXT...]: known errors in TEXT or standard input; 0 found, 64 none found, 74
 * I/O */
int cmd_explain(int argc, char **argv);

/* The commands that work with accounts take the file that -c named, or NULL. */

/* token ACCOUNT [--format F] [--refresh]: from the store, refreshed under the account's
 * lock; the front has asked the agent before */
int cmd_token(const char *config, int argc, char **argv);

/* login ACCOUNT [--browser [--listen ADDRESS:PORT] | --device | --paste]: a person signs
 * in */
int cmd_login(const char *config, int argc, char **argv);

/* logout ACCOUNT: revokes where the provider can, forgets the tokens */
int cmd_logout(const char *config, int argc, char **argv);

/* import [--decrypt COMMAND] FORMAT FILE ACCOUNT: takes over a refresh token */
int cmd_import(const char *config, int argc, char **argv);

/* status [ACCOUNT] [--format text|json|prometheus] */
int cmd_status(const char *config, int argc, char **argv);

/* check: accounts file, store, modes; one line a finding, the first failing one's status
 */
int cmd_check(const char *config, int argc, char **argv);

/* doctor ACCOUNT [--smtp] [--imap] [--pop3] [--send-to ADDRESS] [--format text|json];
 * doctor --postfix [--config-dir DIRECTORY] [--format text|json]: the first failure's
 * status */
int cmd_doctor(const char *config, int argc, char **argv);

/* rekey [--old-key FILE]: every record encrypted as the accounts file says, or in clear
 */
int cmd_rekey(const char *config, int argc, char **argv);

/* passwd [--generate | --delete] ACCOUNT: the local password of mailbearer-fetch's ports
 */
int cmd_passwd(const char *config, int argc, char **argv);

/* agent [--listen PATH]... [--syslog] [-v]: in the foreground, until SIGTERM */
int cmd_agent(const char *config, int argc, char **argv);

/* hook: runs on_failure or on_recovery for the event on standard input */
int cmd_hook(const char *config, int argc, char **argv);

#endif
