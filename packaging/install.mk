# install, uninstall, dist, deb; included by the Makefile. What is installed stands in one
# table, `installed`, which both install and uninstall go through.

# Where systemd and the shells look. Below another prefix than /usr everything stays below
# that prefix: systemd reads /usr/local/lib as well.
pc_or = $(or $(if $(filter /usr,$(PREFIX)),$(shell $(PKG_CONFIG) --variable=$(1) $(2) 2>/dev/null)),$(3))
SYSTEMDSYSTEMUNITDIR ?= $(call pc_or,systemdsystemunitdir,systemd,$(PREFIX)/lib/systemd/system)
SYSTEMDUSERUNITDIR ?= $(call pc_or,systemduserunitdir,systemd,$(PREFIX)/lib/systemd/user)
SYSTEMDGENERATORDIR ?= $(call pc_or,systemdsystemgeneratordir,systemd,$(PREFIX)/lib/systemd/system-generators)
SYSUSERSDIR ?= $(call pc_or,sysusersdir,systemd,$(PREFIX)/lib/sysusers.d)
TMPFILESDIR ?= $(call pc_or,tmpfilesdir,systemd,$(PREFIX)/lib/tmpfiles.d)
BASHCOMPLETIONSDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPLETIONSDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPLETIONSDIR ?= $(PREFIX)/share/fish/vendor_completions.d

# --- files made for this prefix ----------------------------------------------------------
SYSTEM_UNITS = mailbearer.service mailbearer.socket mailbearer-hook.socket \
	mailbearer-hook@.service mailbearer-fetch@.service mailbearer-fetch@.socket \
	$(foreach p,imap pop3 smtp,mailbearer-fetch@$(p).socket.d/port.conf)
USER_UNITS = mailbearer.service mailbearer.socket
UNIT_FILES = $(SYSTEM_UNITS:%=$(BUILD)/units/system/%) $(USER_UNITS:%=$(BUILD)/units/user/%) \
	$(BUILD)/units/sysusers/mailbearer.conf $(BUILD)/units/sysusers/mailbearer-fetch.conf \
	$(BUILD)/units/tmpfiles/mailbearer.conf
COMPLETIONS = $(addprefix $(BUILD)/completions/mailbearer.,bash zsh fish)
# In the tree they have the paths of a distribution's package.
own_paths = sed -e 's|/usr/bin/|$(BINDIR)/|g' -e 's|/etc/mailbearer|$(SYSCONFDIR)/mailbearer|g' \
	-e 's|/var/lib/mailbearer|$(LOCALSTATEDIR)/lib/mailbearer|g'
define own_file
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)$(own_paths) $< > $@
endef
$(BUILD)/units/system/%: packaging/systemd/% $(BUILD)/flags
	$(own_file)
$(BUILD)/units/user/%: packaging/systemd/user/% $(BUILD)/flags
	$(own_file)
$(BUILD)/units/sysusers/%: packaging/sysusers.d/% $(BUILD)/flags
	$(own_file)
$(BUILD)/units/tmpfiles/%: packaging/tmpfiles.d/% $(BUILD)/flags
	$(own_file)

$(BUILD)/completions/mailbearer.%: packaging/completions/generate.awk \
		packaging/completions/table packaging/completions/mailbearer.%.in
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)LC_ALL=C awk -f $^ > $@

.PHONY: extras
extras: $(UNIT_FILES) $(COMPLETIONS)
all: extras

# --- the table: mode, file here, file there ----------------------------------------------
DOCUMENTS = README.md CHANGELOG.md SECURITY.md $(wildcard docs/*.md)
installed = \
	755|$(FRONT_BIN)|$(BINDIR)/mailbearer \
	755|$(FETCH_BIN)|$(BINDIR)/mailbearer-fetch \
	755|$(OAUTH_BIN)|$(LIBEXECDIR)/mailbearer-oauth \
	644|$(PLUGIN_SO)|$(SASL_PLUGIN_DIR)/libmailbearer.so \
	$(foreach m,$(MANPAGES),644|$(m)|$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
	$(foreach u,$(SYSTEM_UNITS),644|$(BUILD)/units/system/$(u)|$(SYSTEMDSYSTEMUNITDIR)/$(u)) \
	$(foreach u,$(USER_UNITS),644|$(BUILD)/units/user/$(u)|$(SYSTEMDUSERUNITDIR)/$(u)) \
	755|packaging/systemd/mailbearer-postfix-generator|$(SYSTEMDGENERATORDIR)/mailbearer-postfix-generator \
	644|$(BUILD)/units/sysusers/mailbearer.conf|$(SYSUSERSDIR)/mailbearer.conf \
	644|$(BUILD)/units/sysusers/mailbearer-fetch.conf|$(SYSUSERSDIR)/mailbearer-fetch.conf \
	644|$(BUILD)/units/tmpfiles/mailbearer.conf|$(TMPFILESDIR)/mailbearer.conf \
	644|$(BUILD)/completions/mailbearer.bash|$(BASHCOMPLETIONSDIR)/mailbearer \
	644|$(BUILD)/completions/mailbearer.bash|$(BASHCOMPLETIONSDIR)/mailbearer-fetch \
	644|$(BUILD)/completions/mailbearer.zsh|$(ZSHCOMPLETIONSDIR)/_mailbearer \
	644|$(BUILD)/completions/mailbearer.fish|$(FISHCOMPLETIONSDIR)/mailbearer.fish \
	644|$(BUILD)/completions/mailbearer.fish|$(FISHCOMPLETIONSDIR)/mailbearer-fetch.fish \
	$(foreach d,$(DOCUMENTS),644|$(d)|$(DOCDIR)/$(d))

# A loop over the rows; `done` follows.
each_row = IFS='|'; for row in $(installed:%='%'); do set -- $$row; \
	mode=$$1 from=$$2 to="$(DESTDIR)$$3" folder="$(DESTDIR)$${3%/*}"

# --- install ---------------------------------------------------------------------------
.PHONY: install uninstall
install: all ## install below DESTDIR
	@$(each_row); $(INSTALL) -d "$$folder" && $(INSTALL) -m $$mode $$from "$$to" || exit 1; done

# Empty folders go too: in a staging directory all of them, on a system those that bear our
# name and what is in these (/usr/local/bin was there before us, or nobody can tell).
uninstall: ## remove what install put there
	@$(each_row); rm -f "$$to" || exit 1; done
	@$(each_row); while [ "$$folder" != "$(DESTDIR)" ]; do \
	  case "$$folder/" in */mailbearer*) ;; *) [ "$(DESTDIR)" ] || break ;; esac; \
	  rmdir "$$folder" 2>/dev/null || [ ! -d "$$folder" ] || break; folder=$${folder%/*}; done; done

# --- the tarball -------------------------------------------------------------------------
# From git, so that nothing is in it that was not committed; the same bytes each time.
DIST_REF ?= HEAD
DIST = $(BUILD)/mailbearer-$(VERSION).tar.gz
.PHONY: dist
dist: ## a tarball of the sources as committed
	@mkdir -p $(BUILD)
	$(call say,DIST,$(DIST))
	$(Q)git -c tar.umask=0022 archive --format=tar --prefix=mailbearer-$(VERSION)/ $(DIST_REF) | \
	  gzip -9n > $(DIST)

# --- Debian ------------------------------------------------------------------------------
.PHONY: deb
deb: dist ## Debian packages of what is committed, in $(BUILD)/deb
	$(Q)packaging/debian/build.sh $(DIST) $(BUILD)/deb
