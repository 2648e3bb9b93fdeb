# SPDX-License-Identifier: GPL-2.0
# Headway: "make demo" shows it, "make check" tests it, "make help" lists the rest.
#
# Everything that is built goes below build/. Nothing is written into the source directories: the
# modules are built in a copy of kmod/, one for each kernel.

.DELETE_ON_ERROR:
# Make would remove the BPF objects as intermediate, then miss them in the next run and build all anew.
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := help

V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-9s %s\n' $(1) "$(2)";
quiet_make := --no-print-directory
else
Q :=
say :=
quiet_make :=
endif

B := build
PREFIX ?= /usr/local
DESTDIR ?=
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror
INCLUDES := -Iuserspace -Ibpf -Ikmod/include -I$(B)/bpf

.PHONY: help all kmod bpf bpf-examples userspace corpus corpus-programs corpus-go corpus-rust corpus-java unit fuzzers fuzz demo check soak bench bench-lock bench-probe lint man install deb check-deb deps clean modules_install dkms

##@ help: this list
help:
	@echo 'Headway finds and prevents livelock on Linux.'
	@echo
	@sed -n 's/^##@ \([^:]*\): \(.*\)/  make \1@\2/p' $(firstword $(MAKEFILE_LIST)) | \
		awk -F@ '{ printf "%-26s %s\n", $$1, $$2 }'
	@echo
	@echo '  V=1 shows the commands; PREFIX and DESTDIR say where install puts things.'
	@echo '  make kmod KDIR=DIR FLAVOUR=NAME [ARCH=um] builds for another kernel, into build/kmod-NAME.'
	@echo '  make modules_install takes KDIR and FLAVOUR too; INSTALL_MOD_PATH is DESTDIR if not given.'

##@ deps: install the Debian packages that everything else needs (root)
deps:
	$(Q)tests/lib/deps.sh

##@ all: the module, the probes, the tool and the test programs
all: kmod userspace bpf-examples corpus-programs

# ---- kernel modules -------------------------------------------------------------------------

# The stock kernel's headers. Evaluated when used: "make deps" may have just installed them.
KDIR ?= $(shell tests/vm/qemu.sh headers 6.1)
FLAVOUR ?= stock-6.1
KMOD := $(B)/kmod-$(FLAVOUR)
export HEADWAY_EXAMPLES ?= y
export HEADWAY_KUNIT ?=
export HEADWAY_TORTURE ?=
export HEADWAY_BENCH ?=
export HEADWAY_GCOV ?=
export HEADWAY_BROKEN ?=
# Not when it is empty: a kernel that was not packaged by Debian would look for the architecture "".
ifneq ($(ARCH),)
export ARCH
endif

##@ kmod: headway.ko and the examples, for the stock Debian kernel
kmod:
	$(call say,KMOD,$(KMOD))
	$(Q)tests/lib/kmod.sh $(KMOD) "$(KDIR)" V=$(V) $(KMOD_ARGS) modules

INSTALL_MOD_PATH ?= $(DESTDIR)
# Debian's headers say "sign" and have no key to sign with.
INSTALL_MOD_ARGS = INSTALL_MOD_PATH="$(INSTALL_MOD_PATH)" \
	$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)

# The examples are to be read, and one of them livelocks: they are installed for who asks for them.
modules_install: export HEADWAY_EXAMPLES :=
# depmod once more: the kernel's own target leaves it out where there is no System.map, as in Debian's headers.
##@ modules_install: install headway.ko for the kernel of KDIR, below INSTALL_MOD_PATH
modules_install: kmod
	$(call say,INSTALL,$(INSTALL_MOD_PATH)/lib/modules)
	$(Q)tests/lib/kmod.sh $(KMOD) "$(KDIR)" V=$(V) $(INSTALL_MOD_ARGS) modules_install
	$(Q)vermagic=$$(modinfo -F vermagic $(KMOD)/kmod/headway.ko) && \
		depmod -b "$(INSTALL_MOD_PATH)/" "$${vermagic%% *}"

# The module's version is written down in one place.
MODULE_VERSION = $(shell sed -n 's/^.define HEADWAY_VERSION "\(.*\)"/\1/p' kmod/internal.h)
DKMS_SOURCE = $(DESTDIR)/usr/src/headway-$(MODULE_VERSION)

##@ dkms: the module's source where DKMS looks for it, below DESTDIR/usr/src
dkms:
	$(call say,DKMS,$(DKMS_SOURCE))
	$(Q)rm -rf "$(DKMS_SOURCE)"
	$(Q)mkdir -p "$(DKMS_SOURCE)"
	$(Q)cp -r Kbuild kmod "$(DKMS_SOURCE)/"
	$(Q)rm "$(DKMS_SOURCE)/kmod/dkms.conf"
	$(Q)sed 's/#MODULE_VERSION#/$(MODULE_VERSION)/' kmod/dkms.conf >"$(DKMS_SOURCE)/dkms.conf"
	@echo "  next: dkms install headway/$(MODULE_VERSION)"

# ---- BPF ------------------------------------------------------------------------------------

BPF_SOURCES := $(wildcard bpf/*.bpf.c)
SKELETONS := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.skel.h,$(BPF_SOURCES))
BPF_CFLAGS := -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -g -O2 $(WARNINGS) -Wno-unused-parameter \
	-Ibpf -I$(B)/bpf

##@ bpf: the probes, as objects and skeletons
bpf: $(SKELETONS)

# The types of the kernel that we run on; the programs are CO-RE, so any kernel with BTF will do.
# Where this one has no BTF, the stock kernel's image is fetched: its .BTF section says the same.
$(B)/bpf/vmlinux.h: | $(B)/bpf
	$(call say,BTF,$@)
	$(Q)if [ -r /sys/kernel/btf/vmlinux ]; then btf=/sys/kernel/btf/vmlinux; \
		else btf=$$(tests/vm/qemu.sh btf 6.1) || exit 1; fi; \
		$(BPFTOOL) btf dump file $$btf format c >$@

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/bpf/vmlinux.h Makefile
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

$(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< >$@

# Programs to copy, for who traces the module by hand (kmod/guide.md).
bpf-examples: $(B)/bpf-examples/rollbacks

$(B)/bpf-examples/%.bpf.o: bpf/examples/%.bpf.c bpf/examples/%.h $(B)/bpf/vmlinux.h Makefile | $(B)/bpf-examples
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(B)/bpf-examples/%.skel.h: $(B)/bpf-examples/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< >$@

$(B)/bpf-examples/%: bpf/examples/%.c $(B)/bpf-examples/%.skel.h
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) -I$(@D) -o $@ $< $$($(PKG_CONFIG) --cflags --libs libbpf)

# ---- the tool -------------------------------------------------------------------------------

# Evaluated when used, like KDIR.
TOOL_PACKAGES := libbpf libelf libdw json-c zlib libmicrohttpd libsystemd
TOOL_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(TOOL_PACKAGES)) \
	$(shell $(PKG_CONFIG) --exists capstone && echo -DHEADWAY_HAVE_CAPSTONE $$($(PKG_CONFIG) --cflags capstone))
# ncursesw's flags would choose another C library interface for all files; its header needs none.
TOOL_LIBS = $(shell $(PKG_CONFIG) --libs $(TOOL_PACKAGES) ncursesw) \
	$(shell $(PKG_CONFIG) --exists capstone && $(PKG_CONFIG) --libs capstone) -liberty -lpthread -lm
TOOL_OBJECTS := $(patsubst userspace/%.c,$(B)/userspace/%.o,$(wildcard userspace/*.c))

# The page of `headway report`. Without D3's modules or esbuild it is empty, and the tool says so.
PAGE_LACKS := $(shell userspace/report/build.sh --can)
PAGE := $(B)/report$(if $(PAGE_LACKS),-none)

# The names of the system calls, from the same header as the programs that are watched.
SYSCALL_TABLE := $(B)/bpf/syscall_table.h

$(SYSCALL_TABLE): Makefile | $(B)/bpf
	$(call say,TABLE,$@)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/{ "\1", \2 },/p' | sort >$@

# What `headway demo` says names functions and locks of its own, stripped or not, and their callers.
$(B)/userspace/demo_grid.o: override CFLAGS += -fno-omit-frame-pointer
TOOL_LDFLAGS := -Wl,--export-dynamic-symbol='headway_demo_*'

##@ userspace: the headway tool, build/headway
userspace: $(B)/headway

# The second one is for the tests: what is made where the page cannot be.
$(B)/headway: $(TOOL_OBJECTS) $(PAGE)/page.o
$(B)/headway-nopage: $(TOOL_OBJECTS) $(B)/report-none/page.o
$(B)/headway $(B)/headway-nopage:
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(TOOL_LDFLAGS) $(LDFLAGS) -o $@ $^ $(TOOL_LIBS)

$(B)/userspace/%.o: userspace/%.c Makefile $(SKELETONS) $(SYSCALL_TABLE) | $(B)/userspace
	$(call say,CC,$@)
	$(Q)$(CC) -std=gnu11 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(INCLUDES) -DHEADWAY_VERSION='"$(VERSION)"' \
		$(TOOL_CFLAGS) -MMD -MP -c $< -o $@

##@ man: headway(8) and a page for each command, in build/man
man: $(B)/man/headway.8

$(B)/man/headway.8: $(B)/headway userspace/headway.8 userspace/manpages.sh userspace/manpages.awk
	$(call say,MAN,$(@D))
	$(Q)userspace/manpages.sh $(B)/headway userspace/headway.8 $(@D)

$(B)/report/head.html: $(wildcard userspace/report/*)
	$(call say,PAGE,$@)
	$(Q)userspace/report/build.sh $(@D)

$(B)/report-none/head.html:
	$(if $(PAGE_LACKS),@echo '  PAGE      left out of headway report: missing $(PAGE_LACKS)')
	$(Q)mkdir -p $(@D)
	$(Q): >$(@D)/tail.html
	$(Q): >$@

$(B)/report/page.o $(B)/report-none/page.o: %/page.o: userspace/report_page.S %/head.html
	$(call say,AS,$@)
	$(Q)$(CC) -Wa,-I$(@D) -c $< -o $@

# ---- test programs --------------------------------------------------------------------------

CORPUS_SOURCES := $(filter-out tests/corpus/lib%,$(wildcard tests/corpus/*.c tests/corpus/*.cpp))
# Those of libraries that only the whole corpus needs are built where these are (tests/corpus/deps.sh).
ifeq ($(wildcard /usr/include/sqlite3.h),)
CORPUS_SOURCES := $(filter-out tests/corpus/sqlite_%,$(CORPUS_SOURCES))
endif
ifeq ($(wildcard /usr/include/tbb/tbb.h),)
CORPUS_SOURCES := $(filter-out tests/corpus/tbb_%,$(CORPUS_SOURCES))
endif
CORPUS := $(patsubst tests/corpus/%,$(B)/corpus/%,$(basename $(CORPUS_SOURCES)))
CORPUS_NEEDS := $(B)/corpus/libcorpus.o $(wildcard tests/corpus/*.h) Makefile
# Frame pointers, as the programs are also read by stack walkers that know nothing else.
CORPUS_CFLAGS := -O2 -g -fno-omit-frame-pointer $(WARNINGS) -Iuserspace/include -pthread
corpus_libs = $(shell sed -n 's|^// libs: *||p' $<)

corpus-programs: $(CORPUS)

$(B)/corpus/libcorpus.o: tests/corpus/libcorpus.c $(wildcard tests/corpus/*.h) Makefile | $(B)/corpus
	$(call say,CORPUS,$@)
	$(Q)$(CC) -std=gnu11 $(CORPUS_CFLAGS) -c -o $@ $<

$(B)/corpus/%: tests/corpus/%.c $(CORPUS_NEEDS)
	$(call say,CORPUS,$@)
	$(Q)$(CC) -std=gnu11 $(CORPUS_CFLAGS) -o $@ $< $(B)/corpus/libcorpus.o $(corpus_libs)

$(B)/corpus/%: tests/corpus/%.cpp $(CORPUS_NEEDS)
	$(call say,CORPUS,$@)
	$(Q)$(CXX) -std=gnu++17 $(CORPUS_CFLAGS) -o $@ $< $(B)/corpus/libcorpus.o $(corpus_libs)

# Go is not among them: what runs these cases fetches its compiler (100 MB, once). Variants of a
# program differ in how it is built: NAME_stripped, NAME_pie, NAME_1.24.
GO_CASES := $(shell sed -n 's/^\(go_[^\t]*\)\t.*/\1/p' tests/corpus/cases.tsv)
GO_FLAGS_stripped := -ldflags="-s -w"
GO_FLAGS_pie := -buildmode=pie

define go_rule
$(B)/corpus/$(1): tests/corpus/$(patsubst %_stripped,%,$(patsubst %_pie,%,$(patsubst %_1.24,%,$(1)))).go \
		tests/corpus/libcorpus.go Makefile | $(B)/corpus
	$$(call say,GO,$$@)
	$$(Q)go=$$$$(tests/lib/go.sh $(if $(filter %_1.24,$(1)),1.24,1.19)) && \
		GO111MODULE=off GOFLAGS= GOCACHE=$$(abspath $(B))/gocache CGO_ENABLED=0 $$$$go build \
		$(GO_FLAGS_$(lastword $(subst _, ,$(1)))) -o $$@ $$(filter %.go,$$^)
endef
$(foreach case,$(GO_CASES),$(eval $(call go_rule,$(case))))

corpus-go: $(GO_CASES:%=$(B)/corpus/%)

# Rust and Java: built where their compilers are (tests/corpus/deps.sh). Python needs no building.
RUSTC := $(firstword $(wildcard /usr/bin/rustc) $(shell command -v rustc))
JAVAC := $(shell command -v javac)
RUST_CASES := $(notdir $(basename $(filter-out tests/corpus/lib%,$(wildcard tests/corpus/*.rs))))

$(RUST_CASES:%=$(B)/corpus/%): $(B)/corpus/%: tests/corpus/%.rs tests/corpus/libcorpus.rs \
		$(B)/corpus/libcorpus.o Makefile
	$(call say,RUST,$@)
	$(Q)$(RUSTC) --edition 2021 -O -g -C force-frame-pointers=yes \
		-C link-arg=$(B)/corpus/libcorpus.o -o $@ $<

JAVA_CASES := $(notdir $(basename $(filter-out tests/corpus/lib%,$(wildcard tests/corpus/*.java))))

$(JAVA_CASES:%=$(B)/corpus/%.jar): $(B)/corpus/%.jar: tests/corpus/%.java tests/corpus/libcorpus.java \
		Makefile | $(B)/corpus
	$(call say,JAVA,$@)
	$(Q)rm -rf $(@:.jar=.classes)
	$(Q)$(JAVAC) -Xlint:all,-auxiliaryclass -Werror --release 17 -d $(@:.jar=.classes) $(filter %.java,$^)
	$(Q)jar --create --file $@ --main-class Main -C $(@:.jar=.classes) .

corpus-rust: $(if $(RUSTC),$(RUST_CASES:%=$(B)/corpus/%))
corpus-java: $(if $(JAVAC),$(JAVA_CASES:%=$(B)/corpus/%.jar))

# Each names the pure sources that it tests: "// links: kmod/policy.c userspace/detect.c", and may
# ask for other sanitizers: "// sanitize: thread".
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*_test.c))
UNIT_LIB := $(wildcard tests/unit/lib*.c)
UNIT_HEADERS := $(wildcard tests/unit/*.h kmod/*.h kmod/include/*.h bpf/*.h userspace/*.h) $(SYSCALL_TABLE)
UNIT_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer $(WARNINGS) -Ikmod $(INCLUDES) -Itests/unit

unit: $(UNIT_TESTS)

comma := ,

define unit_rule
$(B)/unit/$(1): tests/unit/$(1).c $$(shell sed -n "s@^// links: *@@p" tests/unit/$(1).c) $(UNIT_LIB) $(UNIT_HEADERS) Makefile | $(B)/unit
	$$(call say,UNIT,$$@)
	$$(Q)$$(CC) $$(UNIT_CFLAGS) -fno-sanitize-recover=all \
		-fsanitize=$$(or $$(shell sed -n 's|^// sanitize: *||p' $$<),address$$(comma)undefined$$(comma)float-cast-overflow) \
		-o $$@ $$(filter %.c,$$^) $$(shell sed -n 's|^// libs: *||p' $$<) -lpthread -lm
endef
$(foreach test,$(UNIT_TESTS),$(eval $(call unit_rule,$(notdir $(test)))))

# libFuzzer's, each with its "// links:" and "// libs:", as above; what they feed is ours and hostile.
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

fuzzers: $(FUZZERS)

define fuzz_rule
$(B)/fuzz/$(1): tests/fuzz/$(1).c $$(shell sed -n "s@^// links: *@@p" tests/fuzz/$(1).c) $(UNIT_HEADERS) $(SYSCALL_TABLE) Makefile | $(B)/fuzz
	$$(call say,FUZZ,$$@)
	$$(Q)$$(CLANG) -std=gnu11 -O1 -g -fno-omit-frame-pointer $(WARNINGS) -Ikmod $(INCLUDES) \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $$@ $$(filter %.c,$$^) $$(shell sed -n 's|^// libs: *||p' $$<) -lm
endef
$(foreach fuzzer,$(FUZZERS),$(eval $(call fuzz_rule,$(notdir $(fuzzer)))))

# Run in the guests, see tests/fuzz/debugfs.sh. Several tiers may build it at once.
$(B)/fuzz/debugfs: tests/fuzz/debugfs.c tests/fuzz/input.c tests/fuzz/input.h Makefile | $(B)/fuzz
	$(call say,FUZZ,$@)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARNINGS) -o $@.$$$$ $(filter %.c,$^) && mv $@.$$$$ $@

$(B) $(B)/bpf $(B)/bpf-examples $(B)/userspace $(B)/corpus $(B)/unit $(B)/fuzz:
	$(Q)mkdir -p $@

# ---- what people run ------------------------------------------------------------------------

# Each installs what it needs, then starts make anew, so that the build sees what was installed.
##@ demo: livelock in the kernel and in a process, found and cured, explained as it goes
demo: deps
	$(Q)$(MAKE) $(quiet_make) kmod userspace corpus-programs
	$(Q)tests/demo.sh

##@ check: every test there is; the last line is the verdict
check: deps
	$(Q)$(MAKE) $(quiet_make) all
	$(Q)tests/run.sh $(TIERS)

# More Debian packages than `make deps` installs: real servers and their load tools.
##@ corpus: every labelled program and server (20 minutes); "make check" takes the fast ones
corpus: deps
	$(Q)tests/corpus/deps.sh
	$(Q)$(MAKE) $(quiet_make) userspace corpus-programs corpus-go corpus-rust corpus-java
	$(Q)CORPUS_LIMIT_S=2400 tests/corpus/run.sh --set full

MINUTES ?= 30

##@ fuzz: each parser and the verdict engine with libFuzzer, for MINUTES=30 or so in all
fuzz: deps
	$(Q)tests/fuzz/run.sh $(MINUTES)

##@ soak: torture for MINUTES=30 or so: a third each plain, with lockdep and KASAN, and with KCSAN
soak: deps
	$(Q)tests/torture/run.sh soak $(MINUTES)

##@ bench: ratios against the alternatives, measured in one run
bench: bench-lock bench-probe

##@ bench-probe: what it costs to be watched, against bpftrace, syscount, perf trace and strace
bench-probe: userspace
	$(Q)tests/benchprobe/measure.sh

##@ bench-lock: the locks against mutexes, ww_mutex and others (20 min); build/bench/throughput.svg
bench-lock: deps
	$(Q)tests/bench/run.sh
	$(Q)HEADWAY_BENCH_KERNEL=6.1 tests/bench/run.sh presorted unsorted incremental

##@ lint: checkpatch, sparse, clang-tidy, shellcheck, codespell
lint: deps
	$(Q)tests/lint.sh

# Where zsh looks: distributions' packages have another place than who builds by hand.
ZSH_COMPLETIONS ?= $(PREFIX)/share/zsh/site-functions

##@ install: the tool, man pages, completions, markers for programs, what goes with export, below PREFIX
install: userspace man
	$(Q)install -D -m 0755 $(B)/headway $(DESTDIR)$(PREFIX)/bin/headway
	$(Q)install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man8 $(B)/man/*.8
	$(Q)install -D -m 0644 -t $(DESTDIR)$(PREFIX)/include/headway userspace/include/headway/*.h
	$(Q)install -d $(DESTDIR)$(PREFIX)/share/pkgconfig
	$(Q)sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(MODULE_VERSION)|' userspace/headway.pc.in \
		>$(DESTDIR)$(PREFIX)/share/pkgconfig/headway.pc
	$(Q)install -D -m 0644 userspace/completions/headway.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/headway
	$(Q)install -D -m 0644 -t $(DESTDIR)$(ZSH_COMPLETIONS) userspace/completions/_headway
	$(Q)install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d \
		userspace/completions/headway.fish
	$(Q)install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/headway userspace/export/headway.*
	$(Q)install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	$(Q)sed 's|@BINDIR@|$(PREFIX)/bin|' userspace/export/headway-export.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/headway-export.service

DEB := $(B)/deb

# In a copy, as debhelper writes beside its input. What make was told for this build is not for that one.
##@ deb: Debian packages headway and headway-dkms, in build/deb
deb:
	$(call say,DEB,$(DEB))
	$(Q)rm -rf $(DEB) && mkdir -p $(DEB)/headway
	$(Q)tar -c --exclude=./$(B) --exclude=./.git . | tar -x -C $(DEB)/headway
	$(Q)cd $(DEB)/headway && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS dpkg-buildpackage --build=binary --no-sign \
		>../build.log 2>&1 || { tail -30 ../build.log; exit 1; }
	$(Q)ls -l $(DEB)/*.deb

SUITES ?= bookworm trixie

##@ check-deb: build, install, use and purge the Debian packages in chroots of SUITES (root)
check-deb: deps
	$(Q)tests/package/chroot.sh $(SUITES)

##@ clean: remove build/ (the caches outside of the tree stay)
clean:
	$(Q)rm -rf $(B)

-include $(wildcard $(B)/bpf/*.d $(B)/userspace/*.d)
