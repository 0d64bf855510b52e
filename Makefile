# mailbearer: plain make, no configure step. `make help` lists the targets.
# CC, CFLAGS, CPPFLAGS, LDFLAGS are the user's and are kept; WERROR=1 makes warnings errors.

VERSION = 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/mailbearer
SYSCONFDIR ?= /etc
LOCALSTATEDIR ?= /var
RUNDIR ?= /run
PKG_CONFIG ?= pkg-config
INSTALL ?= install
# Where libsasl2 looks: the Cyrus default is a folder `sasl2` beside the library.
SASL_PLUGIN_DIR ?= $(shell $(PKG_CONFIG) --variable=libdir libsasl2)/sasl2

BUILD ?= build

# --- flags -----------------------------------------------------------------------------
CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wcast-qual -Wwrite-strings -Wpointer-arith -Wimplicit-fallthrough \
	-Wnull-dereference -Wvla $(if $(WERROR),-Werror)
HARDEN_C = -fstack-protector-strong -fPIC -fno-strict-overflow \
	$(if $(findstring -O0,$(CFLAGS))$(findstring -fsanitize,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDEN_LD = -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
override CPPFLAGS += -D_GNU_SOURCE -Itoken-helper \
	-DMAILBEARER_VERSION='"$(VERSION)"' -DMAILBEARER_LIBEXECDIR='"$(LIBEXECDIR)"' \
	-DMAILBEARER_BINDIR='"$(BINDIR)"' \
	-DMAILBEARER_SYSCONFDIR='"$(SYSCONFDIR)"' -DMAILBEARER_LOCALSTATEDIR='"$(LOCALSTATEDIR)"' \
	-DMAILBEARER_RUNDIR='"$(RUNDIR)"'
OUR_CFLAGS = -std=c11 $(WARNINGS) $(HARDEN_C)

# --- libraries -------------------------------------------------------------------------
CONFUSE_LIBS = $(shell $(PKG_CONFIG) --libs libconfuse)
JANSSON_LIBS = $(shell $(PKG_CONFIG) --libs jansson)
CURL_LIBS = $(shell $(PKG_CONFIG) --libs libcurl)
# `mailbearer token` runs at every sign-in of a mail program, and mapping two shared libraries
# is a fifth of its time: the front takes libconfuse and jansson in where their archives are
# installed. FRONT_STATIC=no links it as usual, for those who want to update them apart.
archive = $(filter /%,$(shell $(CC) -print-file-name=$(1)))
FRONT_STATIC ?= $(if $(and $(call archive,libconfuse.a),$(call archive,libjansson.a)),yes,no)
FRONT_LIBS = $(if $(filter yes,$(FRONT_STATIC)),$(call archive,libconfuse.a) \
	$(call archive,libjansson.a),$(CONFUSE_LIBS) $(JANSSON_LIBS))
CRYPTO_LIBS = $(shell $(PKG_CONFIG) --libs libcrypto)
TLS_LIBS = $(shell $(PKG_CONFIG) --libs libssl)
# crypt(3) with yescrypt: libxcrypt, where musl has its own without.
CRYPT_LIBS = $(or $(shell $(PKG_CONFIG) --libs libxcrypt 2>/dev/null),-lcrypt)
LIB_CFLAGS = $(shell $(PKG_CONFIG) --cflags libconfuse jansson libcurl libcrypto libsasl2)

# --- what is built from what --------------------------------------------------------------
CLIENT = error secret deadline socketmap agent_client oauth_message
BASE = reserve base64 json listening wipe_alloc file log wallclock complain token_format process run_program git_credential
ACCOUNTS = host_owner accounts build build_account build_provider context freshness guard lookup place postfix_keys providers raw read status_report store store_list store_lock store_record store_remove store_seal store_write upstream values values_net words
CATALOGUE = catalogue catalogue_search
SETUP = quote render setup_values
OAUTH = account_check acquire assertion browser certificate credential crypto crypto_pem crypto_seal crypto_sign discovery envelope grant_code grant_device http id_token loopback loopback_connection loopback_socket managed_identity redirect redirect_target reply request revocation secret_source store_key web_page
AGENT = agent listen conn conns question permits keeper keeper_ask keeper_flight slots entry flight loop worker trouble hooks hook_pass expiry probe probed landlock runner runner_serve sandbox
COMMANDS = main check_ports cmd_agent cmd_check cmd_doctor cmd_explain cmd_hook cmd_import cmd_login cmd_logout cmd_passwd cmd_rekey cmd_status cmd_token find_endpoints sign_in sign_in_browser sign_in_device sign_in_paste sign_in_report status_text store_sign_in status_prometheus import_formats
DOCTOR = account agent_check claims claims_judge claims_permissions clock_check grant local_check look look_seen mail_check mail_remedy mail_session network network_fault report resolve trial_message \
	postfix postfix_as postfix_check_agent postfix_check_base postfix_check_relays postfix_check_sasl postfix_check_tls \
	postfix_config postfix_gather postfix_plugin postfix_relays postfix_search postfix_tables postfix_words
FRONT = main front cmd_git_credential cmd_setup cmd_token cmd_upstream get_token run_oauth
PLUGIN = plugin token_source
PORTS = password_hash ports_file ports_write
MAIL = caps command connection lineio refusal sign_in stream visit wire
FETCH = arrival board board_guess client_io failure listener local local_gate local_imap local_pop3 \
	local_sasl local_smtp local_tls loopback_user main options port_child port_gate port_sockets \
	run_front service_user session settings splice throttle tunnel

client_o = $(CLIENT:%=$(BUILD)/token-helper/client/%.o)
base_o = $(BASE:%=$(BUILD)/token-helper/base/%.o)
accounts_o = $(ACCOUNTS:%=$(BUILD)/token-helper/accounts/%.o)
catalogue_o = $(CATALOGUE:%=$(BUILD)/token-helper/catalogue/%.o) \
	$(BUILD)/token-helper/catalogue/catalogue_table.o
setup_o = $(SETUP:%=$(BUILD)/token-helper/setup/%.o) $(BUILD)/token-helper/setup/templates.o
oauth_o = $(OAUTH:%=$(BUILD)/token-helper/oauth/%.o)
agent_o = $(AGENT:%=$(BUILD)/token-helper/agent/%.o)
doctor_o = $(DOCTOR:%=$(BUILD)/token-helper/doctor/%.o)
commands_o = $(COMMANDS:%=$(BUILD)/token-helper/commands/%.o)
front_o = $(FRONT:%=$(BUILD)/token-helper/front/%.o)
plugin_o = $(PLUGIN:%=$(BUILD)/sasl-plugin/%.o)
mail_o = $(MAIL:%=$(BUILD)/token-helper/mail/%.o)
ports_o = $(PORTS:%=$(BUILD)/token-helper/ports/%.o)
fetch_o = $(FETCH:%=$(BUILD)/fetch-helper/%.o)

front_needs = $(front_o) $(setup_o) $(accounts_o) $(client_o) $(base_o)
fetch_needs = $(fetch_o) $(ports_o) $(mail_o) $(catalogue_o) $(base_o) $(client_o)
oauth_needs = $(commands_o) $(doctor_o) $(agent_o) $(oauth_o) $(ports_o) $(mail_o) $(catalogue_o) $(accounts_o) $(base_o) $(client_o)

PLUGIN_SO = $(BUILD)/libmailbearer.so
FRONT_BIN = $(BUILD)/mailbearer
OAUTH_BIN = $(BUILD)/mailbearer-oauth
FETCH_BIN = $(BUILD)/mailbearer-fetch
MANPAGES = token-helper/man/mailbearer.1 token-helper/man/mailbearer.conf.5 \
	token-helper/man/mailbearer-agent.8 sasl-plugin/mailbearer-sasl.7 \
	fetch-helper/mailbearer-fetch.1

# What is run is shown with V=1, else only what is made.
Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

.DELETE_ON_ERROR:
.PHONY: all
all: $(PLUGIN_SO) $(FRONT_BIN) $(OAUTH_BIN) $(FETCH_BIN) ## build the plugin and the programs

$(PLUGIN_SO): $(plugin_o) $(client_o) sasl-plugin/export.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -Wl,-soname,libmailbearer.so \
	  -Wl,--version-script=sasl-plugin/export.map -o $@ $(plugin_o) $(client_o)

$(FRONT_BIN): $(front_needs)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -o $@ $(front_needs) $(FRONT_LIBS)

$(OAUTH_BIN): $(oauth_needs)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -pthread -o $@ $(oauth_needs) \
	  $(CURL_LIBS) $(CRYPTO_LIBS) $(CRYPT_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS)

$(FETCH_BIN): $(fetch_needs)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -o $@ $(fetch_needs) \
	  $(CURL_LIBS) $(TLS_LIBS) $(CRYPTO_LIBS) $(CRYPT_LIBS) $(JANSSON_LIBS)

# Hidden by default in what goes into the plugin, so that only the entry point is exported.
$(plugin_o) $(client_o): OUR_CFLAGS += -fvisibility=hidden

# Flags are a prerequisite: other flags, other objects.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS) $(LDFLAGS)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(LIB_CFLAGS) $(OUR_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/token-helper/catalogue/catalogue_table.c: token-helper/catalogue/catalogue.tsv token-helper/catalogue/make-table.awk
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)awk -f token-helper/catalogue/make-table.awk token-helper/catalogue/catalogue.tsv > $@
$(BUILD)/token-helper/catalogue/catalogue_table.o: $(BUILD)/token-helper/catalogue/catalogue_table.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) -Itoken-helper/catalogue $(OUR_CFLAGS) $(CFLAGS) -c -o $@ $<

# What `mailbearer setup` prints: templates, checked and turned into C.
setup_text = token-helper/setup/make-templates.awk token-helper/setup/names.def \
	$(addsuffix .tmpl,$(sort $(basename $(wildcard token-helper/setup/*.tmpl))))
$(BUILD)/token-helper/setup/templates.c: $(setup_text) $(wildcard token-helper/setup/*.inc)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)awk -f $(setup_text) > $@
$(BUILD)/token-helper/setup/templates.o: $(BUILD)/token-helper/setup/templates.c $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) -Itoken-helper/setup $(OUR_CFLAGS) $(CFLAGS) -c -o $@ $<

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)

# --- tests, lint, bench: each in its own file ---------------------------------------------
include tests/tests.mk

# --- install, dist, packages ---------------------------------------------------------------
include packaging/install.mk
include packaging/policy.mk

.PHONY: clean help format
clean: ## remove what was built
	rm -rf $(BUILD)

format: ## format all C files
	clang-format -i $$(git ls-files '*.c' '*.h')

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile packaging/install.mk packaging/policy.mk tests/tests.mk tests/fuzz/fuzz.mk | sort | \
	  awk -F'\t' '{printf "  %-18s %s\n", $$1, $$2}'
