# SPDX-License-Identifier: GPL-2.0-or-later
#
# Everything is built under $(B).  Files are found by wildcard, so adding one
# needs no edit here.  Results are written to a temporary name and renamed, so
# that two makes in one tree do not read each other's half-written files.

VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf 2>/dev/null)

B       ?= build
prefix  ?= /usr/local
bindir  ?= $(prefix)/bin
sbindir ?= $(prefix)/sbin
libdir  ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir  ?= $(prefix)/share/man
docdir  ?= $(prefix)/share/doc/esptun
sysconfdir ?= /etc
# The unit, tmpfiles and modules have fixed homes; ip loads plugins from its own.
unitdir ?= /lib/systemd/system
tmpfilesdir ?= /usr/lib/tmpfiles.d
nmconfdir ?= /usr/lib/NetworkManager/conf.d
sysusersdir ?= /usr/lib/sysusers.d
completiondir ?= /usr/share/bash-completion/completions
zshdir  ?= /usr/share/zsh/vendor-completions
fishdir ?= /usr/share/fish/vendor_completions.d
pcdir ?= $(libdir)/pkgconfig
srcdir  ?= /usr/src
MULTIARCH ?= $(shell $(CC) -print-multiarch 2>/dev/null)
iplibdir ?= /usr/lib/$(MULTIARCH)/ip

# The running kernel's headers, else the newest installed ones.
KDIR    ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	   $(shell ls -d /usr/src/linux-headers-*-amd64 2>/dev/null | \
	   grep -v -e rt-amd64 -e cloud-amd64 | sort -rV))
# What is to be said if that is not the kernel that runs, and was not asked for.
RUNNING  = $(shell uname -r)
FOREIGN  = $(if $(filter file,$(origin KDIR)),$(filter-out $(RUNNING),$(KREL)))
# A kernel built with clang wants it for its modules, too.
KCLANG   = $(shell sed -n -e 's/^CONFIG_CC_IS_CLANG=y/CC=clang/p' -e 's/^CONFIG_LD_IS_LLD=y/LD=ld.lld/p' \
	   $(KROOT)$(KDIR)/include/config/auto.conf 2>/dev/null)
# A root file system with KDIR and its compiler in it, if not ours.
KROOT   ?=
KREL     = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KROOT)$(KDIR)/include/generated/utsrelease.h 2>/dev/null)
# Debian's kernel for the goals that boot one: a series, or a suite.
KVM     ?= 6.1

CC      := gcc
FUZZCC  ?= clang
AR      ?= ar
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
# make -s says nothing at all.
SILENT  := $(findstring s,$(firstword -$(MAKEFLAGS)))
say      = $(if $(SILENT)$(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS  ?= -O2 -g
CPPALL  := -D_GNU_SOURCE -DESPTUN_VERSION='"$(VERSION)"' -Iinclude/uapi -Iuserspace \
	   -isystem /usr/include/libnl3
CALL    := -std=gnu11 $(WARN) -fPIC -fstack-protector-strong
SANFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	   -fno-omit-frame-pointer
LDALL   := -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

LIBS_NL    := -lnl-genl-3 -lnl-route-3 -lnl-3
LIBS_AGENT := $(LIBS_NL) -levent -ljansson -lcap-ng -lseccomp -lssl -lcrypto

# ---- sources ---------------------------------------------------------------

U := userspace
SRC_lib   := $(sort $(wildcard $(U)/lib/*.c))
SRC_ike   := $(sort $(foreach d,proto crypto pki core eap exch ext child auth pool radius,$(wildcard $(U)/ike/$d/*.c)))
SRC_agent := $(sort $(filter-out %/main.c,$(wildcard $(foreach d,io keys app app/config app/ctl import,$(U)/ike/$d/*.c))))
SRC_cli   := $(sort $(filter-out %/main.c,$(wildcard $(U)/cli/*.c $(U)/cli/far/*.c)))
SRC_helper := $(sort $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
SRC_sim   := $(sort $(wildcard tests/sim/*.c))
SRC_world := $(filter-out %/sim.c %/certified.c %/memory.c,$(SRC_sim))
SRC_host  := tests/sock/host.c tests/sock/esp.c

UNIT := $(sort $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c)))
FUZZ := $(sort $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))

# A test is linked with the archives whose headers it includes, so that work in
# one directory does not stop another's tests.
including = $(shell grep -lE '$(1)' $(2) /dev/null 2>/dev/null)
TESTSRC := $(wildcard tests/unit/test_*.c tests/fuzz/fuzz_*.c)
USE_cli   := $(call including,^.include "(\.\./)*(userspace/)?cli/,$(TESTSRC))
USE_agent := $(call including,^.include "(\.\./)*(userspace/)?(cli|ike/(app|keys|io|import))/,$(TESTSRC))
USE_lib   := $(call including,^.include "(\.\./)*(userspace/)?(lib|cli|ike/(app|io))/,$(TESTSRC))
USE_ike   := $(call including,^.include "(\.\./)*(userspace/)?(cli|ike)/,$(TESTSRC))
# $(1) output directory, $(2) test source
archives = $(if $(filter $(2),$(USE_cli)),$(1)/libcli.a) \
	   $(if $(filter $(2),$(USE_agent)),$(1)/libagent.a) \
	   $(if $(filter $(2),$(USE_ike)),$(1)/libike.a) \
	   $(if $(filter $(2),$(USE_lib)),$(1)/libesptun.a)

# ---- goals -----------------------------------------------------------------

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

.PHONY: all userspace module install uninstall dkms-install dkms-uninstall \
	deb deb-deps module-vm test-install test-deb demo bench bench-ike scale check check-full lint unit kunit coverage sim sim-seeds mutants fuzz vm vm-systemd vm-debug soak interop \
	interop-sock ynl deps \
	clean format help tests

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | \
		awk -F'\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'
	@echo "  V=1 shows commands; DESTDIR= prefix= KDIR= B= as usual"

all: userspace module ## module and userspace

BINS := $(if $(wildcard $(U)/cli/main.c),$B/esptun) \
	$(if $(wildcard $(U)/ike/app/main.c),$B/esptund) \
	$(if $(SRC_lib),$B/libesptun.a $B/libesptun.so.0) \
	$(if $(wildcard $(U)/iproute2/link_esptun.c),$B/link_esptun.so)

userspace: $(BINS) ## esptun, esptund, libesptun, the ip plugin

# ---- compiling: $(1) output directory, $(2) compiler, $(3) name of the flags --

define variant
$(1)/obj/%.o: %.c
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$(Q)t=$$@.$$$$$$$$; $(2) $(CPPALL) $$(CPPFLAGS) $(CALL) $$($(3)) -MMD -MP -MT $$@ -MF $$$$t.d \
		-c -o $$$$t $$< && mv -f $$$$t.d $$(@:.o=.d) && mv -f $$$$t $$@ || \
		{ rm -f $$$$t $$$$t.d; exit 1; }

$(1)/libesptun.a: $$(SRC_lib:%.c=$(1)/obj/%.o)
$(1)/libike.a: $$(SRC_ike:%.c=$(1)/obj/%.o)
$(1)/libagent.a: $$(SRC_agent:%.c=$(1)/obj/%.o)
$(1)/libcli.a: $$(SRC_cli:%.c=$(1)/obj/%.o)
$(1)/libhelper.a: $$(SRC_helper:%.c=$(1)/obj/%.o)
$(1)/libworld.a: $$(SRC_world:%.c=$(1)/obj/%.o)
$(1)/libesptun.a $(1)/libike.a $(1)/libagent.a $(1)/libcli.a $(1)/libhelper.a $(1)/libworld.a:
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	$(Q)t=$$@.$$$$$$$$; rm -f $$$$t; $(AR) rcs $$$$t $$(filter %.o,$$^) && mv -f $$$$t $$@

$(1)/tests/sim: $$(SRC_sim:%.c=$(1)/obj/%.o) $(1)/libhelper.a $(1)/libike.a
	$$(call link,$(2),$$($(3)),-lcmocka -lssl -lcrypto $$(SIMWRAP))

$(1)/tests/ikehost $(1)/tests/ikeload $(1)/tests/ikesize: $(1)/tests/%: $(1)/obj/tests/sock/%.o \
		$$(SRC_host:%.c=$(1)/obj/%.o) $(1)/libagent.a $(1)/libike.a $(1)/libesptun.a
	$$(call link,$(2),$$($(3)),$(LIBS_AGENT))

$(1)/tests/esptund-no-module: $(1)/obj/tests/sock/no_module.o $(1)/obj/$(U)/ike/app/main.o \
		$(1)/libagent.a $(1)/libike.a $(1)/libesptun.a
	$$(call link,$(2),$$($(3)),$(LIBS_AGENT))

$(1)/tests/esptun-no-module: $(1)/obj/tests/sock/no_module.o $(1)/obj/$(U)/cli/main.o \
		$(1)/libcli.a $(1)/libagent.a $(1)/libike.a $(1)/libesptun.a
	$$(call link,$(2),$$($(3)) -Wl$$(comma)-z$$(comma)muldefs,$(LIBS_AGENT))

-include $$(patsubst %.c,$(1)/obj/%.d,$$(SRC_lib) $$(SRC_ike) $$(SRC_agent) $$(SRC_cli) \
	$$(SRC_helper) $$(SRC_sim) $$(wildcard tests/sock/*.c) $(U)/cli/main.c $(U)/ike/app/main.c \
	$(U)/iproute2/link_esptun.c $$(TESTSRC))
endef

# See tests/sim/memory.c.
SIMWRAP := -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc

# $(1) compiler, $(2) flags, $(3) libraries
define link
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)t=$@.$$$$; $(1) $(2) $(LDALL) -o $$t -Wl,--start-group $(filter %.o %.a,$^) \
		-Wl,--end-group $(3) && mv -f $$t $@ || { rm -f $$t; exit 1; }
endef

# These tests have a method of key exchange more than the table, see tests/unit/kem.h.
WRAP_test_core_kem := -Wl,--wrap=kex_find
WRAP_test_core_multike := -Wl,--wrap=kex_find
# Memory is out where these say so.
WRAP_test_job_tls := -Wl,--wrap=calloc
WRAP_test_pool := -Wl,--wrap=calloc,--wrap=tsearch
WRAP_test_lease := -Wl,--wrap=tsearch
# This one chooses the version of TLS, and plays a client without certificate.
WRAP_test_eap_tls := -Wl,--wrap=SSL_new,--wrap=SSL_use_certificate,--wrap=SSL_use_PrivateKey,--wrap=SSL_check_private_key
# These play the core and the kernel.
WRAP_test_reload := -Wl,--wrap=core_tunnel_change,--wrap=kernel_has_cipher
WRAP_test_radius_agent := -Wl,--wrap=core_job_done,--wrap=core_client_down,--wrap=core_down,--wrap=kernel_peer_traffic,--wrap=kernel_peer_make

# $(1) output directory, $(2) test name, $(3) compiler, $(4) name of the flags
define unit_rule
$(1)/tests/$(2): $(1)/obj/tests/unit/$(2).o $(1)/libhelper.a $(1)/libworld.a \
		$(call archives,$(1),tests/unit/$(2).c)
	$$(call link,$(3),$$($(4)),-lcmocka $(LIBS_AGENT) -lm $$(WRAP_$(2)))
endef

WERROR     ?= -Werror
FORTIFY    := $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-D_FORTIFY_SOURCE=2)
PLAINFLAGS := $(CFLAGS) $(FORTIFY) $(WERROR)
SANALL     := $(SANFLAGS) -Werror -U_FORTIFY_SOURCE
FUZZOBJ    := -O1 -g -Wno-missing-prototypes -Wno-missing-field-initializers \
	      -fsanitize=fuzzer-no-link,address,undefined \
	      -fno-sanitize-recover=all
FUZZLINK   := -fsanitize=fuzzer,address,undefined

$(eval $(call variant,$B,$(CC),PLAINFLAGS))
$(eval $(call variant,$B/san,$(CC),SANALL))
$(eval $(call variant,$B/fuzz,$(FUZZCC),FUZZOBJ))
$(foreach t,$(UNIT),$(eval $(call unit_rule,$B,$t,$(CC),PLAINFLAGS)))
$(foreach t,$(UNIT),$(eval $(call unit_rule,$B/san,$t,$(CC),SANALL)))

define fuzz_rule
$B/fuzz/$(1): $B/fuzz/obj/tests/fuzz/$(1).o $B/fuzz/libworld.a $(call archives,$B/fuzz,tests/fuzz/$(1).c)
	$$(call link,$(FUZZCC),$$(FUZZLINK),$(LIBS_AGENT))
endef
$(foreach t,$(FUZZ),$(eval $(call fuzz_rule,$t)))

$B/esptun: $B/obj/$(U)/cli/main.o $B/libcli.a $B/libagent.a $B/libike.a $B/libesptun.a
	$(call link,$(CC),$(PLAINFLAGS) -pie,$(LIBS_AGENT))

$B/esptund: $B/obj/$(U)/ike/app/main.o $B/libagent.a $B/libike.a $B/libesptun.a
	$(call link,$(CC),$(PLAINFLAGS) -pie,$(LIBS_AGENT))

LIBMAP := $(wildcard $(U)/lib/libesptun.map)
$B/libesptun.so.0: $(SRC_lib:%.c=$B/obj/%.o) $(LIBMAP)
	$(call link,$(CC),$(PLAINFLAGS) -shared -Wl$(comma)-soname$(comma)libesptun.so.0 \
		$(LIBMAP:%=-Wl$(comma)--version-script=%),$(LIBS_NL))
comma := ,

$B/link_esptun.so: $B/obj/$(U)/iproute2/link_esptun.o
	$(call link,$(CC),$(PLAINFLAGS) -shared)

# ---- module ------------------------------------------------------------------
# Kernels before 6.13 write into the source folder, so each kernel gets a copy.

KBUILD_DIR = $B/kmod-$(KREL)

module: ## kmod/esptun.ko for KDIR, left in build/esptun.ko
	@test -n "$(KREL)" || { echo "no kernel headers: install linux-headers-amd64 or set KDIR=" >&2; exit 1; }
	@test -z "$(FOREIGN)" || echo "note: no headers of the running kernel $(RUNNING): the module is for $(KREL)," \
		"and will not load now. Install linux-headers-$(RUNNING), or boot $(KREL), or set KDIR=" >&2
	@for tool in $(KCLANG); do command -v $${tool#*=} >/dev/null || \
		{ echo "kernel $(KREL) was built with clang: its compiler $${tool#*=} is missing" >&2; exit 1; }; done
	$(call say,KMOD,$(KREL))
	@mkdir -p $(KBUILD_DIR)
	$(Q)exec 9>$(KBUILD_DIR).lock && flock 9 && \
	cp -rpu Kbuild dkms.conf kmod include $(KBUILD_DIR)/ && \
	{ $(if $(KROOT),tests/vm/in-root $(KROOT) $(abspath $(KBUILD_DIR))) $(MAKE) -C $(KDIR) \
		M=$(if $(KROOT),/mnt,$(abspath $(KBUILD_DIR))) $(if $(filter 1,$(V)),V=1) $(if $(filter 1,$(ABLATE)),ESPTUN_ABLATE=1) $(KCLANG) $(KFLAGS) modules \
		>$(KBUILD_DIR)/make.log 2>&1 || { cat $(KBUILD_DIR)/make.log >&2; exit 1; }; } && \
	cp -p $(KBUILD_DIR)/kmod/esptun.ko $B/esptun.ko.tmp && mv -f $B/esptun.ko.tmp $B/esptun.ko

# ---- install -------------------------------------------------------------------

D := userspace/dist
DEST_SRC = $(DESTDIR)$(srcdir)/esptun-$(VERSION)
MAN := $(wildcard Documentation/man/*.[0-9])
EXAMPLES := $(addprefix $D/,example.conf example.network example.nft)
put = install -D -m $(1) $(2) $(DESTDIR)$(3)
systemd = $(Q)! test -d /run/systemd/system || systemctl -q $(1) || :
# Programs are installed without symbols; "make install STRIP=" keeps them.
STRIP ?= -s

install: userspace ## programs, manuals, unit, module sources for DKMS (DESTDIR=, prefix=)
	$(Q)$(call put,0755 $(STRIP),$B/esptun,$(bindir)/esptun)
	$(Q)$(call put,0755 $(STRIP),$B/esptund,$(sbindir)/esptund)
	$(Q)$(call put,0755 $(STRIP),$B/libesptun.so.0,$(libdir)/libesptun.so.0)
	$(Q)ln -sf libesptun.so.0 $(DESTDIR)$(libdir)/libesptun.so
	$(Q)$(call put,0644,$B/libesptun.a,$(libdir)/libesptun.a)
	$(Q)install -d $(DESTDIR)$(pcdir) && sed -e 's,@prefix@,$(prefix),;s,@libdir@,$(libdir),' \
		-e 's,@includedir@,$(includedir),;s,@version@,$(VERSION),' $D/libesptun.pc >$(DESTDIR)$(pcdir)/libesptun.pc
	$(Q)$(call put,0644,$U/lib/esptun.h,$(includedir)/esptun/esptun.h)
	$(Q)$(call put,0644,include/uapi/linux/esptun.h,$(includedir)/esptun/linux/esptun.h)
	$(Q)$(call put,0755 $(STRIP),$B/link_esptun.so,$(iplibdir)/link_esptun.so)
	$(Q)for m in $(MAN); do install -D -m 0644 $$m \
		$(DESTDIR)$(mandir)/man$${m##*.}/$${m##*/} || exit 1; done
	$(Q)install -d $(DESTDIR)$(unitdir) && sed 's,@sbindir@,$(sbindir),;s,@bindir@,$(bindir),;s,@sysconfdir@,$(sysconfdir),' \
		$D/esptund.service >$(DESTDIR)$(unitdir)/esptund.service
	$(Q)$(call put,0644,$D/esptun.tmpfiles,$(tmpfilesdir)/esptun.conf)
	$(Q)$(call put,0644,$D/esptun.sysusers,$(sysusersdir)/esptun.conf)
	$(Q)$(call put,0644,$D/networkmanager.conf,$(nmconfdir)/esptun.conf)
	$(if $(DESTDIR),,$(Q)systemd-sysusers $(sysusersdir)/esptun.conf 2>/dev/null || \
		for user in esptund esptund-ike esptund-keys esptund-fetch; do getent passwd $$user >/dev/null || \
		useradd --system --no-create-home --shell /usr/sbin/nologin $$user || exit 1; done)
	$(Q)$(call put,0644,$D/completion.bash,$(completiondir)/esptun)
	$(Q)$(call put,0644,$D/completion.zsh,$(zshdir)/_esptun)
	$(Q)$(call put,0644,$D/completion.fish,$(fishdir)/esptun.fish)
	$(Q)$(call put,0644,$D/monitoring/alerts.yml,$(docdir)/monitoring/alerts.yml)
	$(Q)$(call put,0644,$D/monitoring/dashboard.json,$(docdir)/monitoring/dashboard.json)
	$(Q)for example in $(EXAMPLES); do install -D -m 0644 $$example $(DESTDIR)$(docdir)/$${example##*/} || exit 1; done
	$(Q)install -d -m 0700 $(DESTDIR)$(sysconfdir)/esptun
	$(Q)rm -rf $(DEST_SRC) && install -d $(DEST_SRC) && cp -r Kbuild dkms.conf COPYING kmod include $(DEST_SRC)/
	$(if $(DESTDIR),,$(Q)ldconfig)
	$(if $(DESTDIR),,$(call systemd,daemon-reload))
	@echo "installed; the module: make dkms-install"

uninstall: ## remove what install and dkms-install put there; /etc/esptun stays
	$(if $(DESTDIR),,$(Q)! systemctl -q is-active esptund 2>/dev/null || $(bindir)/esptun down --all || :)
	$(if $(DESTDIR),,$(call systemd,disable --now esptund))
	$(if $(DESTDIR),,$(Q)$D/dkms uninstall $(VERSION))
	$(Q)rm -f $(addprefix $(DESTDIR),$(bindir)/esptun $(sbindir)/esptund $(libdir)/libesptun.so.0 \
		$(libdir)/libesptun.so $(libdir)/libesptun.a $(pcdir)/libesptun.pc $(iplibdir)/link_esptun.so \
		$(unitdir)/esptund.service $(tmpfilesdir)/esptun.conf $(sysusersdir)/esptun.conf \
		$(nmconfdir)/esptun.conf $(completiondir)/esptun $(zshdir)/_esptun $(fishdir)/esptun.fish)
	$(Q)for m in $(MAN); do rm -f $(DESTDIR)$(mandir)/man$${m##*.}/$${m##*/}; done
	$(Q)rm -rf $(DESTDIR)$(includedir)/esptun $(DESTDIR)$(docdir) $(DEST_SRC)
	$(if $(DESTDIR),,$(Q)ldconfig)
	$(if $(DESTDIR),,$(call systemd,daemon-reload))

dkms-install: ## build and install the module with DKMS (after install, as root)
	$(Q)$D/dkms install $(VERSION)

dkms-uninstall: ## take the module out of DKMS
	$(Q)$D/dkms uninstall $(VERSION)

deb: ## Debian packages in build/deb (DEBVERSION= another version)
	$(Q)$D/deb build $B/deb

deb-deps: ## install the packages that make deb needs
	$(Q)$D/deb deps $B/deb

# ---- tests -------------------------------------------------------------------

# SAN=1 takes the AddressSanitizer and UndefinedBehaviorSanitizer build.
T := $(if $(filter 1,$(SAN)),$B/san,$B)
# Sanitizers make system calls, which what this one tries out forbids.
UNIT_PLAIN := test_rights
UNIT_MADE = $(foreach t,$(UNIT),$(if $(filter $t,$(UNIT_PLAIN)),$B,$T)/tests/$t)
tests: $(UNIT_MADE) $(if $(SRC_sim),$T/tests/sim) $T/tests/ikehost

unit: $(UNIT_MADE) $(if $(FULL),$B/tests/test_mlkem) ## unit tests (SAN=1: with sanitizers; FULL=1: ML-KEM, too)
	$(Q)B=$B exec tests/run-tap unit $(UNIT_MADE) $(if $(FULL),"tests/unit/openssl35 $B/tests/test_mlkem")

sim: $T/tests/sim ## simulated pairs of agents, seeded (SEEDS=N, SEED=N replays one)
	$(Q)B=$B exec tests/run-tap sim "$T/tests/sim $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--runs $(SEEDS))"

sim-seeds: $B/tests/sim ## more seeds than sanitizers have the time for (SEEDS=N)
	$(Q)B=$B exec tests/run-tap sim-seeds "$B/tests/sim --seed 4001 --runs $(or $(SEEDS),16000)"

mutants: tests ## do the tests notice a fault? each of tests/mutants/list is tried
	$(Q)B=$B exec tests/run-tap mutants tests/mutants/run

lint: ## format, dependency direction, checkpatch, sparse, spec drift ... (FULL=1: coccinelle, too)
	$(Q)B=$B $(if $(FULL),FULL=1) exec tests/run-tap lint tests/lint/run

# What check-full has User-mode Linux run under KASAN, leaks watched.
KASAN_VM := tests/vm/t_teardown.sh tests/uml/t_nomem.sh tests/vm/t_merge.sh tests/vm/t_soak.sh tests/vm/t_fuzz.sh

kunit: userspace ## KUnit suites and netlink in User-mode Linux, locks watched (KASAN=1: memory too)
	$(Q)B=$B exec tests/run-tap kunit tests/uml/run-kunit \
		"UML_SECONDS=$(if $(KASAN),3000,600) $(if $(KASAN),SOAK_SECONDS=600 FUZZ_SECONDS=1800) \
		tests/uml/run-vm $(if $(KASAN),kasan $(KASAN_VM)) tests/vm/t_netlink.sh"

# What is run there besides KUnit: all that is about the module, but for what needs two CPUs.
COVER_VM := $(patsubst %,tests/vm/t_%.sh,netlink tfc v6outside pmtu adversary xfrm header early link live plain_esp \
	merge percpu selectors batch roam edge gro scapy moved transport counters algos mtu wire teardown foreign \
	shares gateway netns nest multicast transport_nat peer_plain netem driver static lib)

coverage: userspace ## lines of kmod that KUnit and scripts run, counted in User-mode Linux
	$(Q)B=$B exec tests/run-tap coverage "tests/uml/run-cover $(COVER_VM)"

fuzz: $(FUZZ:%=$B/fuzz/%) ## libFuzzer targets, 30 s each (FUZZ_SECONDS=N)
	$(Q)B=$B exec tests/run-tap fuzz "tests/fuzz/run $(FUZZ:%=$B/fuzz/%)"

# The module for the very kernel that tests/vm/run boots.
module-vm:
	$(Q)kernel=$$(tests/vm/kernel $(KVM)) && eval "$$kernel" && $(MAKE) module KDIR=$$KDIR KROOT=$$KROOT

test-install: userspace ## make install into a folder, dkms build in a private tree
	$(Q)B=$B exec tests/run-tap install tests/install/run

test-deb: $B/tests/esptund-no-module ## Debian packages built, judged by lintian, installed and removed in Debian 12 (FULL=1: upgraded; in 13, too)
	$(Q)B=$B exec tests/run-tap deb tests/install/deb

vm: userspace ## the module on Debian's kernel in QEMU (FULL=1: on trixie's, too; KVM=sid)
	$(Q)B=$B exec tests/run-tap vm $(patsubst %,"tests/vm/suite %",$(KVM) $(if $(FULL),trixie))

vm-systemd: userspace ## README and the service on a Debian that systemd booted (FULL=1: from apt on)
	$(Q)B=$B exec tests/run-tap vm-systemd tests/vm/suite-systemd

vm-debug: userspace ## the same, where two CPUs are watched: KASAN, locks, leaks (built first)
	$(Q)B=$B exec tests/run-tap vm-debug tests/vm/suite-debug

soak: userspace module-vm ## an hour of load, new keys, moves and losses in QEMU (HOURS=n)
	$(Q)B=$B exec tests/run-tap soak "tests/vm/run --name soak --timeout $$(( ($(or $(HOURS),1) + 1) * 3600 )) \
		--env SOAK_SECONDS=$$(( $(or $(HOURS),1) * 3600 )) -- tests/vm/t_soak.sh"

interop-sock: $T/tests/ikehost $B/tests/ikeload $B/tests/esptund-no-module $B/tests/esptun-no-module $B/esptun $B/esptund ## the IKE core against strongSwan on this machine's sockets
	$(if $(FULL),$(Q)tests/fetch-package bookworm libreswan openiked >/dev/null || :)
	$(Q)$(if $(FULL),FULL=1 ROOT_STRONGSWAN6=$$(tests/interop/root-strongswan6)) B=$B \
		exec tests/run-tap interop-sock "tests/sock/run $T/tests/ikehost"

interop: userspace ## esptund against strongSwan in QEMU
	$(Q)B=$B exec tests/run-tap interop "tests/interop/suite $(KVM)"

check: ## every tier; last line: N passed, N failed, N skipped
	$(Q)B=$B tests/check

check-full: ## the same, longer, and further kernels
	$(Q)B=$B tests/check --full

demo: ## two sites, one behind NAT, on a booted kernel; then strongSwan
	$(Q)B=$B tests/demo/run

bench: $(if $(filter 1,$(NATIVE)),build/esptun build/link_esptun.so,userspace build/bench/load build/bench/sa_load $(if $(ESPTUN_KO),,module-vm)) ## speed, against xfrm, WireGuard and the limit (QUICK=1: less of it; NATIVE=1: in ns of this processor)
	$(Q)KVM=$(KVM) tests/bench/$(if $(filter 1,$(NATIVE)),native/)run $(if $(filter 1,$(QUICK)),--quick) $(BENCH)

bench-ike: $(patsubst %,$B/tests/%,ikehost ikeload ikesize esptund-no-module) ## the cost of IKE, against strongSwan, on this machine's sockets (QUICK=1: less of it)
	$(Q)B=$B tests/sock/bench $(if $(filter 1,$(QUICK)),--quick) $(BENCH) $B/tests

scale: $(patsubst %,$B/tests/%,ikeload esptund-no-module) ## a hub with 1,000 clients: they connect, rekey, and come back after a restart and a reboot (CLIENTS=N)
	$(Q)B=$B tests/sock/scale --clients $(or $(CLIENTS),1000) $B/tests

# Static: it also runs in guests with another C library.
build/bench/load: tests/bench/load.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -static -o $@ $<

build/bench/sa_load: tests/bench/sa_load.c include/uapi/linux/esptun.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CPPALL) -o $@ $< $(LIBS_NL)

ynl: ## regenerate the uapi header and netlink policy from the spec
	$(Q)tests/lint/ynl

deps: ## install the packages that building and installing need (userspace/dist/packages)
	$(Q)tests/deps userspace/dist/packages

format: ## clang-format every C file in place
	$(Q)tests/lint/files c | xargs -r clang-format -i

clean: ## remove build/
	$(Q)rm -rf $B
