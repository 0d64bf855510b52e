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
LIB_CFLAGS = $(shell $(PKG_CONFIG) --cflags libconfuse jansson libcurl libcrypto libsasl2)

# --- what is built from what --------------------------------------------------------------
CLIENT = error secret deadline socketmap agent_client oauth_message
BASE = base64 json wipe_alloc file log wallclock complain token_format process run_program git_credential
ACCOUNTS = accounts build build_account build_provider context freshness guard lookup place postfix_keys providers raw read status_report store store_list store_lock store_record store_remove store_seal store_write upstream values values_net words
CATALOGUE = catalogue catalogue_search
OAUTH = acquire assertion browser certificate credential crypto crypto_pem crypto_seal crypto_sign discovery envelope grant_code grant_device http id_token loopback loopback_connection loopback_socket managed_identity redirect redirect_target reply request revocation secret_source store_key web_page
AGENT = agent listen conn question permits keeper keeper_ask keeper_flight entry flight loop worker trouble hooks expiry
COMMANDS = main cmd_agent cmd_check cmd_explain cmd_import cmd_login cmd_logout cmd_rekey cmd_status cmd_token find_endpoints sign_in sign_in_browser sign_in_device sign_in_paste sign_in_report status_text store_sign_in status_prometheus import_formats
FRONT = main front cmd_git_credential cmd_token cmd_upstream get_token run_oauth
PLUGIN = plugin token_source
MAIL = caps connection lineio refusal sign_in stream wire
FETCH = client_io failure local local_imap local_pop3 local_sasl local_smtp main options \
	run_front settings splice tunnel

client_o = $(CLIENT:%=$(BUILD)/token-helper/client/%.o)
base_o = $(BASE:%=$(BUILD)/token-helper/base/%.o)
accounts_o = $(ACCOUNTS:%=$(BUILD)/token-helper/accounts/%.o)
catalogue_o = $(CATALOGUE:%=$(BUILD)/token-helper/catalogue/%.o) \
	$(BUILD)/token-helper/catalogue/catalogue_table.o
oauth_o = $(OAUTH:%=$(BUILD)/token-helper/oauth/%.o)
agent_o = $(AGENT:%=$(BUILD)/token-helper/agent/%.o)
commands_o = $(COMMANDS:%=$(BUILD)/token-helper/commands/%.o)
front_o = $(FRONT:%=$(BUILD)/token-helper/front/%.o)
plugin_o = $(PLUGIN:%=$(BUILD)/sasl-plugin/%.o)
mail_o = $(MAIL:%=$(BUILD)/token-helper/mail/%.o)
fetch_o = $(FETCH:%=$(BUILD)/fetch-helper/%.o)

front_needs = $(front_o) $(accounts_o) $(client_o) $(base_o)
fetch_needs = $(fetch_o) $(mail_o) $(catalogue_o) $(base_o) $(client_o)
oauth_needs = $(commands_o) $(agent_o) $(oauth_o) $(mail_o) $(catalogue_o) $(accounts_o) $(base_o) $(client_o)

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
	  $(CURL_LIBS) $(CRYPTO_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS)

$(FETCH_BIN): $(fetch_needs)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -o $@ $(fetch_needs) $(CURL_LIBS) $(JANSSON_LIBS)

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

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# --- tests, lint, bench: each in its own file ---------------------------------------------
include tests/tests.mk

# --- install ---------------------------------------------------------------------------
.PHONY: install uninstall
install: all ## install below DESTDIR
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SASL_PLUGIN_DIR) \
	  $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(MANDIR)/man8
	$(INSTALL) -m 755 $(FRONT_BIN) $(DESTDIR)$(BINDIR)/mailbearer
	$(INSTALL) -m 755 $(FETCH_BIN) $(DESTDIR)$(BINDIR)/mailbearer-fetch
	$(INSTALL) -m 755 $(OAUTH_BIN) $(DESTDIR)$(LIBEXECDIR)/mailbearer-oauth
	$(INSTALL) -m 644 $(PLUGIN_SO) $(DESTDIR)$(SASL_PLUGIN_DIR)/libmailbearer.so
	for m in $(MANPAGES); do $(INSTALL) -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/ || exit 1; done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/mailbearer $(DESTDIR)$(BINDIR)/mailbearer-fetch $(DESTDIR)$(LIBEXECDIR)/mailbearer-oauth \
	  $(DESTDIR)$(SASL_PLUGIN_DIR)/libmailbearer.so
	for m in $(MANPAGES); do rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/} || exit 1; done

.PHONY: clean help format
clean: ## remove what was built
	rm -rf $(BUILD)

format: ## format all C files
	clang-format -i $$(git ls-files '*.c' '*.h')

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile tests/tests.mk | sort | \
	  awk -F'\t' '{printf "  %-18s %s\n", $$1, $$2}'
