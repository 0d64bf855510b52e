# SELinux and AppArmor policy, and the packages for other systems than Debian; included by
# the Makefile. docs/packaging.md is about all of it.

# --- SELinux -----------------------------------------------------------------------------
# Compiled against the policy's own headers: Debian's selinux-policy-dev, Fedora's
# selinux-policy-devel.
SELINUX_DEVEL ?= /usr/share/selinux/devel/Makefile
SELINUX_TYPE ?= targeted
SELINUX_PP = $(BUILD)/selinux/mailbearer.pp
policy_paths = sed -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@LIBEXECDIR@|$(LIBEXECDIR)|g' \
	-e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' -e 's|@LOCALSTATEDIR@|$(LOCALSTATEDIR)|g'
define policy_file
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)$(policy_paths) $< > $@
endef

$(BUILD)/selinux/mailbearer.%: packaging/selinux/mailbearer.% $(BUILD)/flags
	$(policy_file)

# The policy's Makefile has a PREFIX and BINDIR of its own.
$(SELINUX_PP): $(addprefix $(BUILD)/selinux/mailbearer.,te if fc)
	$(call say,SEPOL,$@)
	$(Q)cd $(@D) && env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES -u MAKELEVEL -u INSTALL \
	  $(MAKE) -s -f '$(SELINUX_DEVEL)' NAME= mailbearer.pp > make.log 2>&1 || { cat make.log; exit 1; }

.PHONY: selinux install-selinux uninstall-selinux
selinux: $(SELINUX_PP) ## the SELinux policy module

selinux_installed = $(DESTDIR)$(PREFIX)/share/selinux/packages/$(SELINUX_TYPE)/mailbearer.pp.bz2 \
	$(DESTDIR)$(PREFIX)/share/selinux/devel/include/distributed/mailbearer.if
install-selinux: selinux ## install it below DESTDIR, not into the running policy
	$(Q)$(INSTALL) -d $(dir $(selinux_installed))
	$(Q)bzip2 -9c $(SELINUX_PP) > $(SELINUX_PP).bz2
	$(Q)$(INSTALL) -m 644 $(SELINUX_PP).bz2 $(word 1,$(selinux_installed))
	$(Q)$(INSTALL) -m 644 packaging/selinux/mailbearer.if $(word 2,$(selinux_installed))

uninstall-selinux: ## remove what install-selinux put there
	rm -f $(selinux_installed)

# --- AppArmor ----------------------------------------------------------------------------
# A profile for each service, and the drop-in that puts the service into it.
APPARMORDIR ?= $(SYSCONFDIR)/apparmor.d
apparmor_rows = \
	mailbearer-agent|$(APPARMORDIR)/mailbearer-agent \
	mailbearer-fetch|$(APPARMORDIR)/mailbearer-fetch \
	agent.conf|$(SYSTEMDSYSTEMUNITDIR)/mailbearer.service.d/apparmor.conf \
	fetch.conf|$(SYSTEMDSYSTEMUNITDIR)/mailbearer-fetch@.service.d/apparmor.conf
$(BUILD)/apparmor/%: packaging/apparmor/% $(BUILD)/flags
	$(policy_file)

.PHONY: apparmor install-apparmor uninstall-apparmor
apparmor: $(addprefix $(BUILD)/apparmor/,mailbearer-agent mailbearer-fetch agent.conf fetch.conf) ## the AppArmor profiles

each_apparmor = IFS='|'; for row in $(apparmor_rows:%='%'); do set -- $$row; \
	to="$(DESTDIR)$$2" folder="$(DESTDIR)$${2%/*}"
install-apparmor: apparmor ## install them below DESTDIR, not into the kernel
	@$(each_apparmor); $(INSTALL) -d "$$folder" && \
	  $(INSTALL) -m 644 "$(BUILD)/apparmor/$$1" "$$to" || exit 1; done

uninstall-apparmor: ## remove what install-apparmor put there
	@$(each_apparmor); rm -f "$$to" || exit 1; \
	  case $$folder in */mailbearer*) rmdir "$$folder" 2>/dev/null || [ ! -d "$$folder" ] || :;; esac; done

# --- packages ----------------------------------------------------------------------------
.PHONY: rpm
rpm: dist ## rpm packages of what is committed, in $(BUILD)/rpm
	$(Q)packaging/rpm/build.sh $(DIST) $(BUILD)/rpm

# --- checks ------------------------------------------------------------------------------
# The first two are quick, and part of `make check`.
run_policy = --group policy --timeout 120 --rerun 'make check-policy' tests/check-policy.sh
run_recipes = --group recipes --timeout 120 --rerun 'make check-recipes' tests/check-recipes.sh
.PHONY: check-policy check-recipes check-packaging check-rpm check-arch check-musl check-selinux
check-policy: ## SELinux module and AppArmor profiles compile
	@$(RUN_TESTS) $(run_policy)

check-recipes: all ## APKBUILD and PKGBUILD
	@$(RUN_TESTS) $(run_recipes)

check-packaging: ## the checks of all packages but Debian's
	@packaging/install-deps.sh build test packages
	$(MAKE) check-rpm
	$(MAKE) check-arch
	$(MAKE) check-musl
	$(MAKE) check-selinux

check-rpm: dist ## rpm packages: built, compared with what must be in them, rpmlint
	@$(RUN_TESTS) --group rpm --timeout 3600 --rerun 'make check-rpm' \
	  --also "packaging/rpm/check.sh '$(DIST)' '$(BUILD)/rpm-check'"

# Not below BUILD: makepkg's user must be able to pass.
check-arch: dist ## the Arch package, built by makepkg
	@folder=$$(mktemp -d) && chmod 755 "$$folder" && status=0 && \
	  { $(RUN_TESTS) --group arch --timeout 3600 --rerun 'make check-arch' \
	    --also "packaging/arch/check.sh '$(DIST)' '$$folder/arch'" || status=$$?; } && \
	  rm -rf "$$folder" && exit $$status

check-musl: ## plugin, client and what needs no curl and no OpenSSL, with musl
	@$(RUN_TESTS) --group musl --timeout 3600 --rerun 'make check-musl' \
	  --also "packaging/alpine/check-musl.sh '$(BUILD)/musl'"

check-selinux: selinux ## what the SELinux module allows, as part of Debian's policy
	@$(RUN_TESTS) --group selinux --timeout 900 --rerun 'make check-selinux' \
	  --also "packaging/selinux/check.sh '$(SELINUX_PP)' '$(BUILD)/selinux-check'"

# What check-musl compiles: everything, and the programs of the unit tests as far as that goes
# without the libraries.
.PHONY: objects
objects: $(sort $(unit_needs) $(front_o) $(plugin_o) $(fetch_o) $(oauth_needs)) \
	$(unit_c:%.c=$(BUILD)/%.o)
