# Tests, lint and benchmarks; included by the Makefile. `make check` is the one that counts.

SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# Seconds: for one program, and for `make check` as a whole.
UNIT_TIMEOUT ?= 60
BATS_TIMEOUT ?= 600
CHECK_BUDGET ?= 2340
# Test programs that run at the same time; most of them wait most of the time.
TEST_JOBS ?= 3

# What the tests run with. MAILBEARER_BUILD tells them where the programs are; each program's output
# stays in CHECK_LOGS.
build_dir = $(abspath $(BUILD))
CHECK_LOGS = $(build_dir)/check-logs
RUN_TESTS = MAILBEARER_BUILD='$(build_dir)' CC='$(CC)' tests/run --log '$(CHECK_LOGS)' \
	--may-skip tests/may-skip

# --- unit tests ------------------------------------------------------------------------
# Each tests/unit/test_X.c is a program of its own, linked with every object but the mains
# and the plugin's entry (which test_plugin loads as a mail program does). A comment in its
# first five lines, /* link: FLAGS */, adds flags: that is how calls are wrapped.
unit_c = $(wildcard tests/unit/test_*.c)
unit_support_o = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(unit_c),$(wildcard tests/unit/*.c)))
unit_needs = $(unit_support_o) $(setup_o) $(filter-out %/commands/main.o,$(oauth_needs)) \
	$(filter-out %/plugin.o,$(plugin_o)) $(filter-out %/main.o,$(fetch_o))
unit_tests = $(unit_c:tests/unit/%.c=$(BUILD)/tests/%)
# With T=name these two are one file or none.
unit_chosen = $(if $(T),$(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard \
	tests/unit/test_$(T).c)),$(unit_tests))
bats_chosen = $(if $(T),$(wildcard tests/integration/$(T).bats),$(wildcard \
	tests/integration/*.bats))

$(BUILD)/tests/test_%: $(BUILD)/tests/unit/test_%.o $(unit_needs)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -pthread -o $@ $^ \
	  $$(sed -n '1,5s,.*/\* *link: *\(.*[^ ]\) *\*/.*,\1,p' tests/unit/test_$*.c) -lcmocka \
	  $(CURL_LIBS) $(TLS_LIBS) $(CRYPTO_LIBS) $(CRYPT_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS)
.SECONDARY: $(unit_c:%.c=$(BUILD)/%.o)

.PHONY: unit-tests check-unit check-integration check-asan check-valgrind
unit-tests: $(unit_chosen)

run_unit = --group unit --timeout $(UNIT_TIMEOUT) --jobs 2 --rerun 'make check-unit T={}' \
	$(unit_chosen)
check-unit: all unit-tests ## unit tests; T=name runs one
	@$(RUN_TESTS) $(run_unit)

# --- integration tests -----------------------------------------------------------------
run_bats = --group integration --timeout $(BATS_TIMEOUT) --jobs $(TEST_JOBS) \
	--rerun 'make check-integration T={}' $(bats_chosen)
check-integration: all ## integration tests, as root; T=name runs one
	@$(RUN_TESTS) $(run_bats)

# --- the same with sanitizers ----------------------------------------------------------
# An integration test that cannot run so (it loads the plugin into a program that is not
# ours) says it in its first five lines: # asan: no, REASON
ASAN_BUILD = $(BUILD)/asan
make_asan = $(MAKE) --no-print-directory BUILD='$(ASAN_BUILD)' CFLAGS='-O1 -g $(SANITIZE)'
asan_group = --group $(1) --timeout $(2) --rerun 'make check-asan T={}' \
	--env MAILBEARER_BUILD='$(abspath $(ASAN_BUILD))' --env UBSAN_OPTIONS=print_stacktrace=1 \
	--env ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
run_asan = $(call asan_group,asan-unit,$(UNIT_TIMEOUT)) --jobs 2 \
	$(unit_chosen:$(BUILD)/tests/%=$(ASAN_BUILD)/tests/%) \
	$(call asan_group,asan,$(BATS_TIMEOUT)) --jobs $(TEST_JOBS) \
	$$(for f in $(1); do sed 5q $$f | grep -q '^\# asan: no,' || echo "$$f"; done)
# What `make check` has time for; `make check-asan`, and check-all with it, runs them all.
asan_in_check = $(addprefix tests/integration/,$(addsuffix .bats,agent token store-faults \
	single-flight login identities encryption))
check-asan: ## unit and integration tests with ASan and UBSan; T=name
	@$(make_asan) all unit-tests
	@$(RUN_TESTS) $(call run_asan,$(bats_chosen))

check-valgrind: all unit-tests ## unit tests under valgrind; T=name
	@$(RUN_TESTS) --group valgrind --timeout 600 --jobs 2 --rerun 'make check-valgrind T={}' \
	  --env MAILBEARER_TEST_UNDER=valgrind --env MAILBEARER_TEST_SLOW=20 \
	  --under 'valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite' \
	  $(unit_chosen)

include tests/fuzz/fuzz.mk

# --- what the tree must be -------------------------------------------------------------
.PHONY: check-runner check-layers check-exports check-man check-catalogue check-docs
.PHONY: check-secrets lint bench demo
run_layers = --group layers --timeout 120 --rerun 'make check-layers' tests/check-layers.sh
run_exports = --group exports --timeout 120 --rerun 'make check-exports' tests/check-exports.sh
run_man = --group man --timeout 120 --rerun 'make check-man' tests/check-man.sh
run_catalogue = --group catalogue --timeout 120 --rerun 'make check-catalogue' \
	tests/check-catalogue.sh
run_docs = --group docs --timeout 120 --rerun 'make check-docs' tests/check-docs.sh
run_units = --group units --timeout 120 --rerun 'make check-units' tests/check-units.sh
run_install = --group install --timeout 120 --rerun 'make check-install' tests/check-install.sh
run_completions = --group completions --timeout 120 --rerun 'make check-completions' \
	tests/check-completions.sh
run_lint = --group lint --timeout 900 --rerun 'make lint' tests/lint.sh

check-runner: ## the test runner's own test
	@$(RUN_TESTS) --group runner --rerun 'make check-runner' tests/check-runner.sh

check-layers: all ## who includes and links what
	@$(RUN_TESTS) $(run_layers)

check-exports: all ## what the plugin exports
	@$(RUN_TESTS) $(run_exports)

check-man: ## the manual pages
	@$(RUN_TESTS) $(run_man)

check-catalogue: ## the table of known errors is refused when it is malformed
	@$(RUN_TESTS) $(run_catalogue)

check-docs: all ## the documents: accounts files, commands, links
	@$(RUN_TESTS) $(run_docs)

.PHONY: check-units check-install check-completions check-dist check-deb
check-units: all ## the service files
	@$(RUN_TESTS) $(run_units)

check-install: all ## make install and make uninstall
	@$(RUN_TESTS) $(run_install)

check-completions: all ## the shells' completions
	@$(RUN_TESTS) $(run_completions)

check-dist: ## the tarball of make dist builds, passes the unit tests and installs
	@$(RUN_TESTS) --group dist --timeout 900 --rerun 'make check-dist' tests/check-dist.sh

# RELEASES="bookworm" is one of them only; the chroots stay in $(BUILD)/deb-check.
check-deb: dist ## Debian packages in clean chroots, as root
	@packaging/install-deps.sh chroot
	@$(RUN_TESTS) --group deb --timeout 5400 --rerun 'make check-deb' \
	  --also "packaging/debian/check.sh '$(DIST)' '$(BUILD)/deb-check' $(RELEASES)"

# With the chroots and, for the same tarball, the packages of check-deb.
.PHONY: check-readme
check-readme: dist ## README.md followed word for word in a clean chroot, as root
	@packaging/install-deps.sh chroot
	@$(RUN_TESTS) --group readme --timeout 3600 --rerun 'make check-readme' \
	  --also "packaging/debian/readme-trial.sh '$(DIST)' '$(BUILD)/deb-check' $(RELEASES)"

check-secrets: ## no secret in what the last test run wrote
	@mkdir -p '$(CHECK_LOGS)'
	@tests/check-secrets.sh '$(CHECK_LOGS)'

lint: ## compilers, clang-tidy, cppcheck, shellcheck, formatting
	@$(RUN_TESTS) $(run_lint)

# --- everything ------------------------------------------------------------------------
# No prerequisites: what builds must come first is installed here. The last line counts.
.PHONY: check check-all
check: ## all tests and checks, installing what they need
	@packaging/install-deps.sh build test lint
	@rm -rf '$(CHECK_LOGS)'
	@$(RUN_TESTS) --budget $(CHECK_BUDGET) \
	  --group build --timeout 600 \
	  --do 'with warnings as errors' '$(MAKE) --no-print-directory -j2 WERROR=1 all unit-tests' \
	  --do 'with sanitizers' "$(make_asan) -j2 WERROR=1 all unit-tests replay-programs" \
	  --group runner --rerun 'make check-runner' tests/check-runner.sh \
	  $(run_unit) $(run_bats) $(call run_asan,$(asan_in_check)) $(run_layers) $(run_exports) $(run_man) \
	  $(run_corpus) $(run_catalogue) $(run_docs) $(run_units) $(run_install) $(run_completions) \
	  $(run_policy) $(run_recipes) $(run_lint) \
	  --group secrets --rerun 'make check-secrets' \
	  --also "tests/check-secrets.sh '$(CHECK_LOGS)'"

check-all: ## make check, then everything with sanitizers, valgrind, the packages and the benchmarks
	$(MAKE) check
	MAILBEARER_MANY=10000 $(MAKE) check-integration T=clients-fetchmail
	$(MAKE) check-asan
	$(MAKE) check-valgrind
	$(MAKE) check-tsan
	$(MAKE) check-msan
	$(MAKE) check-analyzer
	$(MAKE) check-faults
	$(MAKE) check-storm
	$(MAKE) fuzz
	$(MAKE) check-dist
	$(MAKE) check-deb
	$(MAKE) check-readme
	$(MAKE) check-packaging
	$(MAKE) bench

# --- benchmarks ------------------------------------------------------------------------
# tests/bench/run compares, and says which bar was missed.
bench_programs = closed compare fetch_mail load pingpong print_token sasl_exchange sasl_init sink
bench_bin = $(bench_programs:%=$(BUILD)/tests/bench/%)
$(filter-out %/print_token,$(bench_bin)): $(BUILD)/tests/bench/bench.o
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -o $@ $^ \
	  $(if $(findstring sasl_,$*),$$($(PKG_CONFIG) --libs libsasl2))
# The real keeper with clocks and refreshes that are not.
day_wraps = wallclock_now deadline_now flight_start store_stamp slots_assign slots_pace
$(BUILD)/tests/bench/day: $(BUILD)/tests/bench/day.o $(BUILD)/tests/bench/bench.o \
	  $(filter-out %/commands/main.o,$(oauth_needs))
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -pthread -o $@ $^ \
	  $(day_wraps:%=-Wl,--wrap=%) $(CURL_LIBS) $(TLS_LIBS) $(CRYPTO_LIBS) $(CRYPT_LIBS) \
	  $(CONFUSE_LIBS) $(JANSSON_LIBS) -lm
.SECONDARY: $(bench_programs:%=$(BUILD)/tests/bench/%.o)
bench: all $(bench_bin) $(BUILD)/tests/bench/day ## speed and size against their bars, as root
	@MAILBEARER_BUILD='$(build_dir)' tests/bench/run

.PHONY: bench-curves
bench-curves: all $(bench_bin) $(BUILD)/tests/bench/day ## the curves of docs/scaling.md, as root
	@MAILBEARER_BUILD='$(build_dir)' tests/bench/run curves

demo: ## Postfix sends a mail through a stand-in for Exchange
	@packaging/install-deps.sh build demo
	@$(MAKE) --no-print-directory all
	@MAILBEARER_BUILD='$(build_dir)' tests/demo/demo.sh
