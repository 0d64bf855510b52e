# shellcheck shell=bash
# dovecot24.bash - dovecot.bash's configuration for Dovecot 2.4 and later, which has other
# names for most settings. Sourced by dovecot.bash where that is what is installed.

# The question about a token cannot name the mailbox here: an application's token opens the
# relay's alone, a person's token that person's.
# shellcheck disable=SC2034
APPLICATION_MAILBOX=relay@contoso.com

# dovecot_passdbs - tokens, and passwords for PLAIN.
dovecot_passdbs() {
    cat <<END
oauth2 {
  introspection_mode = post
  introspection_url = $ENTRA_ADMIN/introspect/$APPLICATION_MAILBOX
  force_introspection = yes
  username_attribute = username
  active_attribute = active
  active_value = true
}
passdb oauth2 {
  mechanisms_filter = xoauth2 oauthbearer
}
passdb static {
  mechanisms_filter = plain login
  password = $PLAIN_PASSWORD
}
userdb static {
  static_allow_all_users = yes
  fields {
    uid = $MAIL_USER
    gid = $MAIL_USER
    home = $WORK/mail/%{user}
  }
}
END
}

# dovecot_settings - the main file, on standard output.
dovecot_settings() {
    cat <<END
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = $WORK/dovecot/run
state_dir = $WORK/dovecot/state
instance_name = mailbearer-test
log_path = $WORK/dovecot/log
protocols = imap pop3 submission
listen = 127.0.0.1
hostname = localhost
postmaster_address = postmaster@contoso.com
first_valid_uid = 1
first_valid_gid = 1
mail_driver = maildir
mail_home = $WORK/mail/%{user}
mail_path = %{home}/Maildir
namespace inbox {
  inbox = yes
}
auth_mechanisms = xoauth2 oauthbearer plain
auth_failure_delay = 0
auth_verbose = yes
auth_allow_cleartext = no
ssl = yes
ssl_server_cert_file = $WORK/tls/server.pem
ssl_server_key_file = $WORK/tls/server.key
submission_relay_host = 127.0.0.1
submission_relay_port = $(< "$WORK/smarthost.port")
service imap-login {
  inet_listener imap {
    port = $DOVECOT_IMAP
  }
  inet_listener imaps {
    port = $DOVECOT_IMAPS
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $DOVECOT_POP3
  }
  inet_listener pop3s {
    port = $DOVECOT_POP3S
    ssl = yes
  }
}
# A refused sign-in would make the next one from 127.0.0.1 wait 4, 8, 15 seconds.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  inet_listener submission {
    port = $DOVECOT_SUBMISSION
  }
}
END
    dovecot_passdbs
}
