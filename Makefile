# gemba - one Makefile, everything it makes lies in build/. `make help` lists what it can do.

PREFIX ?= /usr/local
BUILD := build
V ?= 0
Q := $(if $(filter 0,$(V)),@)
say = $(if $(filter 0,$(V)),@printf '  %-7s %s\n' $(1) $(2))

CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
CXX := $(if $(filter default,$(origin CXX)),g++,$(CXX))
RUSTC ?= rustc
CLANG ?= $(shell command -v clang-14 || echo clang)
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool || echo bpftool)
CLANG_FORMAT ?= $(shell command -v clang-format-14 || echo clang-format)
CLANG_TIDY ?= $(shell command -v clang-tidy-14 || echo clang-tidy)

OPT ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(if $(WERROR),-Werror)
CFLAGS := -std=gnu11 -ffp-contract=off $(OPT) $(WARN) $(SANITIZE) $(EXTRA_CFLAGS)
CPPFLAGS := -D_GNU_SOURCE -I. -MMD -MP
CXXFLAGS := -std=gnu++17 $(OPT) -Wall -Wextra -Wshadow $(if $(WERROR),-Werror) $(SANITIZE)
RUSTFLAGS ?= -O -C debuginfo=1
LDFLAGS := -Wl,--as-needed $(SANITIZE) $(EXTRA_LDFLAGS)
LDLIBS := -lbpf -lelf -ldw -lz -llzma -lzstd -lxxhash -ljansson -lcyaml -lyaml -lcapstone -liberty -lm -lpthread
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall $(if $(WERROR),-Werror) -D__TARGET_ARCH_x86 -I.

# The BPF side is the same whatever the flags of the rest, so it is never under another BUILD.
SKEL := build/bpf/gemba.skel.h
BPF_OBJS := $(patsubst bpf/%.c,build/bpf/%.o,$(wildcard bpf/*.bpf.c))

to_objs = $(patsubst %,$(BUILD)/obj/%.o,$(basename $(1)))
OBJS := $(call to_objs,$(wildcard src/*.c src/*/*.c))
SRC_DIRS := src $(patsubst %/,%,$(wildcard src/*/))
LIB_OBJS := $(filter-out %/src/main.o,$(OBJS))
UNIT_OBJS := $(call to_objs,$(wildcard tests/unit/*.c))
HOST_MAINS := $(wildcard tests/host/*_main.c)
HAZARD_SRCS := $(filter-out $(HOST_MAINS),$(wildcard tests/host/hazard*.[cS]))
HOST_OBJS := $(call to_objs,$(filter-out $(HOST_MAINS) $(HAZARD_SRCS) tests/host/plugin.c, \
	$(wildcard tests/host/*.c)))
HOSTS := $(patsubst tests/host/%_main.c,$(BUILD)/host/%,$(HOST_MAINS)) $(BUILD)/host/plugin.so
CXX_HOSTS := $(patsubst tests/host/%_main.cc,$(BUILD)/host/%,$(wildcard tests/host/*_main.cc))
RUST_HOSTS := $(patsubst tests/host/%_main.rs,$(BUILD)/host/%,$(wildcard tests/host/*_main.rs))
RUST_V0_HOSTS := $(addsuffix _v0,$(RUST_HOSTS))
# Targets for tests only: left out, and said, where their compiler is missing.
HOSTS += $(if $(shell command -v $(CXX)),$(CXX_HOSTS),without-$(CXX))
HOSTS += $(if $(shell command -v $(RUSTC)),$(RUST_HOSTS) $(RUST_V0_HOSTS),without-$(RUSTC))
BENCH_OBJS := $(call to_objs,$(filter-out tests/bench/bench_%,$(wildcard tests/bench/*.c)))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/bench_*.c))
DOCS := $(BUILD)/gemba.1 $(BUILD)/gemba.bash $(BUILD)/_gemba
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all demo check unit e2e lint format asan bench install uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

all: $(BUILD)/gemba $(HOSTS) $(DOCS) ## build gemba, its man page and completions, the bundled trading host
	@:

demo: ## install what is missing, build, and draw the map of a live trading host
	$(Q)scripts/setup build
	$(Q)$(MAKE) --no-print-directory $(JOBS) all
	$(Q)scripts/demo

check: ## install what is missing, build, run every test; the last line counts them
	+$(Q)MAKE='$(MAKE)' scripts/check unit e2e

unit: $(BUILD)/tests/unit ## run the unit tests (T='hist/*' for some of them)
	$(Q)$< $(if $(T),--filter '$(T)')

e2e: ## the same without the unit tests
	+$(Q)MAKE='$(MAKE)' scripts/check e2e

lint: ## formatting, clang-tidy, cppcheck, the rules of the layout
	$(Q)scripts/setup lint
	$(Q)CLANG_FORMAT=$(CLANG_FORMAT) CLANG_TIDY=$(CLANG_TIDY) scripts/lint

format: ## rewrite the sources as .clang-format wants them
	$(Q)find bpf src tests -name '*.[ch]' | xargs $(CLANG_FORMAT) -i

asan: ## unit tests under the address and undefined-behaviour sanitizers
	$(Q)rm -f build/asan/report.*
	$(Q)ASAN_OPTIONS=log_path=build/asan/report $(MAKE) --no-print-directory $(JOBS) \
		BUILD=build/asan OPT='-O1 -g' WERROR= EXTRA_CFLAGS=-fno-omit-frame-pointer \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' unit
	$(Q)if ls build/asan/report.* >/dev/null 2>&1; then cat build/asan/report.*; exit 1; fi

bench: all $(BENCHES) ## run the benchmarks (scripts/bench PART... runs some of them)
	$(Q)BUILD=$(BUILD) scripts/bench

install: all ## install into PREFIX (/usr/local), below DESTDIR
	$(Q)install -D -m 755 $(BUILD)/gemba $(DESTDIR)$(PREFIX)/bin/gemba
	$(Q)install -D -m 644 $(BUILD)/gemba.1 $(DESTDIR)$(PREFIX)/share/man/man1/gemba.1
	$(Q)install -D -m 644 $(BUILD)/gemba.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/gemba
	$(Q)install -D -m 644 $(BUILD)/_gemba $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_gemba

uninstall: ## remove what install put there
	$(Q)cd $(DESTDIR)$(PREFIX) && rm -f bin/gemba share/man/man1/gemba.1 \
		share/bash-completion/completions/gemba share/zsh/site-functions/_gemba

clean: ## remove build/
	$(Q)rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# A directory is newer when a source came or went: then too must be linked again.
$(BUILD)/gemba: $(OBJS) $(SRC_DIRS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)

$(BUILD)/tests/unit: $(UNIT_OBJS) $(LIB_OBJS) $(SRC_DIRS) tests/unit
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -lcriterion $(LDLIBS)

$(BUILD)/host/%: $(BUILD)/obj/tests/host/%_main.o $(HOST_OBJS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm -lpthread

$(BUILD)/host/hazard: $(call to_objs,$(HAZARD_SRCS))

$(CXX_HOSTS): $(BUILD)/host/%: $(BUILD)/obj/tests/host/%_main.o $(HOST_OBJS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ -lm -lpthread

$(RUST_V0_HOSTS): RUSTFLAGS += -C symbol-mangling-version=v0
$(RUST_HOSTS): $(BUILD)/host/%: tests/host/%_main.rs Makefile
$(RUST_V0_HOSTS): $(BUILD)/host/%_v0: tests/host/%_main.rs Makefile
$(RUST_HOSTS) $(RUST_V0_HOSTS):
	$(call say,RUSTC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)MAKEFLAGS= $(RUSTC) --edition 2021 --crate-name $(<:tests/host/%_main.rs=%) $(RUSTFLAGS) -o $@ $<

$(BUILD)/host/%.so: tests/host/%.c Makefile
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared $(LDFLAGS) -o $@ $<

without-%:
	@printf '  %-7s %s\n' SKIP "there is no $* here: no test programs of its language"

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(BENCH_OBJS) $(LIB_OBJS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/obj/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/obj/%.o: %.S Makefile
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/obj/%.o: %.cc Makefile
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<

$(filter $(BUILD)/obj/src/attach/% $(BUILD)/obj/src/collect/%,$(OBJS)): | $(SKEL)

build/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

build/bpf/gemba.bpf.o: $(BPF_OBJS)
	$(call say,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKEL): build/bpf/gemba.bpf.o
	$(call say,SKEL,$@)
	$(Q){ echo '/* NOLINTBEGIN */' && $(BPFTOOL) gen skeleton $< name gemba_bpf && \
		echo '/* NOLINTEND */'; } >$@

$(BUILD)/gemba.1: $(BUILD)/gemba
	$(call say,MAN,$@)
	$(Q)$< man >$@

$(BUILD)/gemba.bash: $(BUILD)/gemba
	$(Q)$< completion bash >$@

$(BUILD)/_gemba: $(BUILD)/gemba
	$(Q)$< completion zsh >$@

-include $(shell find $(sort build $(BUILD)) -name "*.d" 2>/dev/null)
