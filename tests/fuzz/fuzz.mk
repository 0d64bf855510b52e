# Fuzzing, fault injection, and the sanitizers that need a build of their own; included by
# tests/tests.mk.

# --- fuzz targets ----------------------------------------------------------------------
# Each tests/fuzz/fuzz_X.c is a target. It is linked twice: with libFuzzer (clang), and with
# replay.c, which runs it over files and which any compiler builds. tests/fuzz/run does both.
fuzz_names = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_chosen = $(if $(T),$(filter $(T),$(fuzz_names)),$(fuzz_names))
# Seconds for each target, and where the fuzzer keeps what it finds.
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_BUILD = $(BUILD)/fuzz
FUZZ_FLAGS = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
make_fuzz = $(MAKE) --no-print-directory BUILD='$(FUZZ_BUILD)' CC='$(FUZZ_CC)' \
	CFLAGS='$(FUZZ_FLAGS)'

fuzz_support_o = $(BUILD)/tests/fuzz/fuzz.o $(BUILD)/tests/fuzz/conf.o
# An archive, so that a target holds only what it needs: less to instrument, less to start.
fuzz_needs = $(fuzz_support_o) $(BUILD)/tests/ours.a
fuzz_libs = $(CURL_LIBS) $(TLS_LIBS) $(CRYPTO_LIBS) $(CRYPT_LIBS) $(CONFUSE_LIBS) $(JANSSON_LIBS)
fuzz_link = $(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -pthread -o $@ $^ \
	$$(sed -n '1,5s,.*/\* *link: *\(.*[^ ]\) *\*/.*,\1,p' tests/fuzz/fuzz_$*.c) $(fuzz_libs)

$(BUILD)/tests/ours.a: $(filter-out $(unit_support_o),$(unit_needs))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsTP $@ $^

$(BUILD)/tests/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(fuzz_needs)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(fuzz_link) -fsanitize=fuzzer
$(BUILD)/tests/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(fuzz_needs)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(fuzz_link)
$(BUILD)/tests/replay_planted: $(BUILD)/tests/fuzz/planted.o $(BUILD)/tests/fuzz/fuzz.o \
		$(BUILD)/tests/fuzz/replay.o $(client_o)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -o $@ $^
.SECONDARY: $(fuzz_names:%=$(BUILD)/tests/fuzz/fuzz_%.o) $(BUILD)/tests/fuzz/planted.o \
	$(BUILD)/tests/fuzz/replay.o

.PHONY: fuzz-programs replay-programs fuzz fuzz-keep check-corpus
fuzz-programs: $(fuzz_chosen:%=$(BUILD)/tests/fuzz_%)
replay-programs: $(fuzz_chosen:%=$(BUILD)/tests/replay_%) $(BUILD)/tests/replay_planted

fuzz: ## fuzz each target for a minute (clang); T=name, FUZZ_SECONDS=n
	@$(make_fuzz) fuzz-programs
	@$(RUN_TESTS) --group fuzz --timeout 86400 --rerun 'make fuzz T={}' \
	  $(foreach t,$(fuzz_chosen),--also 'tests/fuzz/run fuzz $(FUZZ_BUILD) $(FUZZ_SECONDS) $(t)')

fuzz-keep: ## take the interesting inputs of `make fuzz` into tests/fuzz/corpus; T=name
	@for t in $(fuzz_chosen); do tests/fuzz/run keep '$(FUZZ_BUILD)' 0 $$t || exit 1; done

run_corpus = --group corpus --timeout 300 --rerun 'make check-corpus' \
	--env MAILBEARER_BUILD='$(abspath $(ASAN_BUILD))' \
	$(if $(T),--also 'tests/fuzz/check-corpus.sh $(T)',tests/fuzz/check-corpus.sh)
check-corpus: ## every input kept in tests/fuzz/corpus, with sanitizers; T=name
	@$(make_asan) replay-programs
	@$(RUN_TESTS) $(run_corpus)

# --- sanitizers with a build of their own ----------------------------------------------
# The plugin in a host with 16 threads; and, with all that lives in other people's
# processes, under MemorySanitizer, which wants everything instrumented: no library but libc.
TSAN_BUILD = $(BUILD)/tsan
MSAN_BUILD = $(BUILD)/msan
ANALYZER_BUILD = $(BUILD)/analyzer
msan_replayed = error refusal socketmap
threads_o = $(BUILD)/tests/fuzz/threads.o $(BUILD)/tests/fuzz/host.o

$(BUILD)/tests/threads: $(threads_o) $(plugin_o) $(client_o)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -pthread -o $@ $^
$(BUILD)/tests/client_replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/fuzz.o \
		$(BUILD)/tests/fuzz/replay.o $(client_o)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -o $@ $^

.PHONY: check-tsan check-msan check-analyzer analyzed msan-programs
check-tsan: ## the plugin in 16 threads, with ThreadSanitizer
	@$(MAKE) --no-print-directory BUILD='$(TSAN_BUILD)' CFLAGS='-O1 -g -fsanitize=thread' \
	  '$(TSAN_BUILD)/tests/threads'
	@$(RUN_TESTS) --group tsan --timeout 300 --rerun 'make check-tsan' \
	  --env TSAN_OPTIONS=halt_on_error=1 '$(TSAN_BUILD)/tests/threads'

msan-programs: $(BUILD)/tests/threads $(msan_replayed:%=$(BUILD)/tests/client_replay_%)
check-msan: ## plugin and client with MemorySanitizer (clang)
	@$(MAKE) --no-print-directory BUILD='$(MSAN_BUILD)' CC='$(FUZZ_CC)' \
	  CFLAGS='-O1 -g -fsanitize=memory -fsanitize-memory-track-origins -fno-omit-frame-pointer' \
	  msan-programs
	@$(RUN_TESTS) --group msan --timeout 300 --rerun 'make check-msan' \
	  $(foreach t,$(msan_replayed),--do 'replay $(t)' \
	    '$(MSAN_BUILD)/tests/client_replay_$(t) tests/fuzz/corpus/$(t)') \
	  --do 'sign-ins' '$(MSAN_BUILD)/tests/threads 1'

analyzed: $(sort $(oauth_needs) $(front_needs) $(fetch_needs) $(plugin_o))
check-analyzer: ## gcc -fanalyzer
	@$(RUN_TESTS) --group analyzer --timeout 900 --rerun 'make check-analyzer' \
	  --also "tests/fuzz/check-analyzer.sh '$(ANALYZER_BUILD)'"

# --- faults: every call fails once -----------------------------------------------------
# tests/fuzz/faults_X.c: scenarios, linked with faults.c, which runs them, and with wrap.c,
# which lets the calls of wrap.calls fail.
faults_names = $(filter-out planted,$(patsubst tests/fuzz/faults_%.c,%,$(wildcard \
	tests/fuzz/faults_*.c)))
faults_o = $(patsubst %,$(BUILD)/tests/fuzz/%.o,faults wrap host provider fuzz)
$(BUILD)/tests/faults_%: $(BUILD)/tests/fuzz/faults_%.o $(faults_o) $(plugin_o) \
		$(BUILD)/tests/ours.a tests/fuzz/wrap.calls
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -pie $(CFLAGS) $(LDFLAGS) $(HARDEN_LD) -pthread -o $@ \
	  $(filter-out %.calls,$^) \
	  $$(sed '/^#/d; s/[a-zA-Z0-9_][a-zA-Z0-9_]*/-Wl,--wrap=&/g' tests/fuzz/wrap.calls) \
	  $$(sed -n '1,5s,.*/\* *link: *\(.*[^ ]\) *\*/.*,\1,p' tests/fuzz/faults_$*.c) $(fuzz_libs)
.SECONDARY: $(faults_names:%=$(BUILD)/tests/fuzz/faults_%.o) $(faults_o) \
	$(BUILD)/tests/fuzz/faults_planted.o

.PHONY: faults-programs check-faults
faults-programs: $(faults_names:%=$(BUILD)/tests/faults_%) $(BUILD)/tests/faults_planted
check-faults: ## every call of libc, libcurl and OpenSSL fails once
	@$(make_asan) faults-programs
	@$(RUN_TESTS) --group faults --timeout 1800 --rerun 'make check-faults' \
	  $(faults_names:%=$(ASAN_BUILD)/tests/faults_%) \
	  --env MAILBEARER_BUILD='$(abspath $(ASAN_BUILD))' tests/fuzz/check-faults.sh
	@sed -n 's/^ok [0-9]* - \(.*failed in turn.*\)/\1/p; s/^# \(.*rotated token\)/\1/p' \
	  '$(CHECK_LOGS)'/faults.faults_*.out

# --- a thousand kill -9 ----------------------------------------------------------------
.PHONY: check-storm
check-storm: all ## 1,000 kill -9 in the middle of refreshes, as root (a quarter of an hour)
	@$(RUN_TESTS) --group storm --timeout 3600 --rerun 'make check-storm' \
	  tests/storm/kill-storm.bats
