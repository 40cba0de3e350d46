# SPDX-License-Identifier: GPL-2.0
#
# make            modules for $(KDIR), tgtd, tgtadm, libtgt, examples
# make help       all the targets

PREFIX	?= /usr
DESTDIR	?=
DEPMOD	?= depmod
SBINDIR	?= $(PREFIX)/sbin
LIBEXEC	?= $(PREFIX)/lib/scsi_tgt
LIBDIR	?= $(PREFIX)/lib
INCDIR	?= $(PREFIX)/include
MANDIR	?= $(PREFIX)/share/man
UDEVDIR	?= /lib/udev/rules.d
UNITDIR	?= /lib/systemd/system
DOCDIR	?= $(PREFIX)/share/doc/scsi_tgt

running	:= /lib/modules/$(shell uname -r)/build
ifndef KDIR
KDIR	:= $(if $(wildcard $(running)/Makefile),$(running),$(lastword \
		$(sort $(wildcard /lib/modules/*/build))))
KDIR_NOTE := $(if $(wildcard $(running)/Makefile),,yes)
endif
# Debian's include/config/kernel.release may differ from what uname -r says.
KREL	:= $(if $(KDIR),$(shell sed -n 's/.*UTS_RELEASE "\(.*\)".*/\1/p' \
		$(KDIR)/include/generated/utsrelease.h 2>/dev/null))
MODBUILD := build/kernel/$(KREL)
MODDIR	= $(DESTDIR)/lib/modules/$(KREL)/updates/scsi_tgt

.PHONY: bench-iscsi fuzz check-crash check-host check-scsi all modules usr check check-unit check-tsan \
	check-kill model soak check-debug check-modules-static shell \
	demo bench deps install install-usr uninstall clean distclean help kdir shadow
.DEFAULT_GOAL := all

all: modules usr

help:
	@echo 'make                       modules for KDIR, daemon, tool, library, examples'
	@echo 'make modules usr           the one, the other'
	@echo 'make check                 unit tests, then the selftests in VMs'
	@echo 'make check-crash [ROUNDS=200]  kill the guest of the stores, look what is lost'
	@echo 'make check-unit            unit tests alone, on this machine'
	@echo 'make check-tsan            the same with ThreadSanitizer'
	@echo 'make model                 who owns a command: a model, checked by spin'
	@echo 'make check-kill [CYCLES=2000] kill -9 of the helper under load, so often'
	@echo 'make soak [MINUTES=10 SEED=n KERNELS="6.1 6.12 debug"]  everything at random'
	@echo 'make check-debug           the selftests on a kernel that looks for bugs'
	@echo 'make check-kcsan           the selftests on a kernel that looks for data races'
	@echo 'make fuzz-kernel [OPS=1000000 SEEDS=3 SEED=n]  hostile helpers, on the debug kernel'
	@echo 'make check-modules-static  W=1, sparse, checkpatch'
	@echo 'make demo                  the whole product shown in a VM'
	@echo 'make bench                 instructions per I/O, beside other targets'
	@echo 'make check-host            tgtd as an iSCSI target and a service, on this machine'
	@echo 'make check-scsi            disks by libiscsi, on this machine'
	@echo 'make bench-iscsi           the iSCSI target beside the one of Debian'
	@echo 'make fuzz [SECONDS=60]     fuzzers of iSCSI and of commands, so long each'
	@echo 'make shell [KERNEL=6.12 SHARE=DIR]  a VM with everything loaded, and a copy of DIR'
	@echo 'make install uninstall     DESTDIR, KDIR and PREFIX are honoured'
	@echo 'make install-usr           all but the modules: no kernel headers needed'
	@echo 'make deps                  install what is needed'
	@echo 'make clean distclean       distclean removes the VM images as well'

# --- modules: built in a shadow tree of symbolic links, one for each kernel ---

kdir:
	@if [ -z "$(KREL)" ]; then \
		echo "No kernel headers in '$(or $(KDIR),$(running))':" \
		     "install linux-headers-$$(uname -r)," \
		     "or set KDIR to a kernel's build directory." \
		     "Without modules: make usr, make install-usr." >&2; \
		exit 1; \
	fi
	@$(if $(KDIR_NOTE),echo "No headers of the running kernel ($(running)): building for $(KREL)." >&2,:)

shadow: kdir
	@mkdir -p $(MODBUILD)/kernel $(MODBUILD)/include
	@ln -sfn $(CURDIR)/Kbuild $(MODBUILD)/Kbuild
	@ln -sfn $(CURDIR)/include/uapi $(MODBUILD)/include/uapi
	@cp -rsf $(wildcard $(CURDIR)/kernel/*) $(MODBUILD)/kernel/
	@find $(MODBUILD)/kernel -xtype l -delete

# No vmlinux beside the headers, so no BTF for modules.
kbuild = $(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR)/$(MODBUILD) \
	CONFIG_DEBUG_INFO_BTF_MODULES=

modules: shadow
	+@$(kbuild) modules

check-modules-static: kdir
	+tests/static $(KDIR)

# --- user space ---

usr:
	+$(MAKE) --no-print-directory -f usr/Makefile all

# --- tests ---

deps:
	scripts/deps

check: deps
	tests/check

check-unit:
	tests/check --unit

check-tsan:
	tests/check --tsan

model: deps
	tests/model/run

# So many with tgtd, and again with a small helper.  KERNEL=6.12, or debug.
check-kill: deps
	T_TIMEOUT=86400 T_CYCLES=$(or $(CYCLES),2000) tests/run tgtd_kill helper_load

soak: deps
	tests/soak "$(or $(MINUTES),10)" "$(SEED)" $(or $(KERNELS),6.1 6.12 debug)

check-debug: deps
	KERNEL=debug tests/run

check-crash: deps
	tests/crash $(or $(ROUNDS),200)

.PHONY: check-kcsan fuzz-kernel

check-kcsan: deps
	KERNEL=kcsan tests/run

# An initiator's operation takes far longer than one of a helper's.
ops	= $(or $(OPS),1000000)
seeds	= $(or $(SEEDS),3)
fuzz	= T_OPS=$$(($(ops) / $1)) T_SEEDS=$(seeds) T_SEED=$(SEED) \
	  T_TIMEOUT=$$((600 + $(ops) * $(seeds) / 500)) \
	  KERNEL=$(or $(KERNEL),debug) tests/run -v $2

fuzz-kernel: deps
	$(call fuzz,1,hostile_helper)
	$(call fuzz,100,hostile_initiator)

shell: deps
	tests/vm/boot --timeout 0 $(if $(SHARE),--share $(SHARE)) $(or $(KERNEL),6.1) --shell

demo: deps
	tests/demo

bench: deps
	tests/bench

bench-iscsi: deps
	tests/bench-iscsi

fuzz:
	scripts/deps clang libclang-rt-14-dev
	tests/fuzz/run $(or $(SECONDS),60)

check-host: deps
	tests/check --host

check-scsi: deps usr
	tests/host/scsi

# --- install ---

manpages := $(wildcard Documentation/man/*.[58])

# Of the machine itself, where these are there to be told.
reload = $(if $(DESTDIR),:,ldconfig; ! command -v udevadm > /dev/null || udevadm control --reload; \
	[ ! -d /run/systemd/system ] || systemctl daemon-reload)

install: modules install-usr
	install -d $(MODDIR)
	set -e; for ko in $(MODBUILD)/kernel/*.ko; do \
		objcopy --strip-debug $$ko $(MODDIR)/$${ko##*/}; done
	$(if $(DESTDIR),:,$(DEPMOD) $(KREL))

install-usr: usr
	+$(MAKE) --no-print-directory -f usr/Makefile install DESTDIR=$(DESTDIR) \
		SBINDIR=$(SBINDIR) LIBDIR=$(LIBDIR) INCDIR=$(INCDIR)
	install -d $(DESTDIR)$(INCDIR)/linux $(DESTDIR)$(UDEVDIR) $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(DOCDIR)
	install -m 644 include/uapi/linux/*.h $(DESTDIR)$(INCDIR)/linux/
	install -m 644 udev/60-scsi_tgt.rules $(DESTDIR)$(UDEVDIR)/
	install -m 644 systemd/*.service systemd/*.socket $(DESTDIR)$(UNITDIR)/
	sed -i -e 's,/usr/sbin/,$(SBINDIR)/,' -e 's,/usr/lib/scsi_tgt/,$(LIBEXEC)/,' \
		$(DESTDIR)$(UNITDIR)/tgtd.service
	install -D -m 755 systemd/tgtd-drain $(DESTDIR)$(LIBEXEC)/tgtd-drain
	install -m 644 udev/60-scsi_tgt-run.rules.example $(DESTDIR)$(DOCDIR)/
	$(foreach m,$(manpages),\
		install -D -m 644 $m $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m);)
	$(reload)

uninstall:
	$(if $(KREL),rm -rf $(MODDIR))
	$(MAKE) --no-print-directory -f usr/Makefile uninstall DESTDIR=$(DESTDIR) \
		SBINDIR=$(SBINDIR) LIBDIR=$(LIBDIR) INCDIR=$(INCDIR)
	rm -f $(patsubst include/uapi/%,$(DESTDIR)$(INCDIR)/%,$(wildcard include/uapi/linux/*.h))
	rm -f $(DESTDIR)$(UDEVDIR)/60-scsi_tgt.rules $(DESTDIR)$(UNITDIR)/tgtd.service \
		$(DESTDIR)$(UNITDIR)/tgtd-start.service $(DESTDIR)$(UNITDIR)/tgtd.socket
	rm -rf $(DESTDIR)$(LIBEXEC)
	rm -f $(foreach m,$(manpages),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m))
	rm -rf $(DESTDIR)$(DOCDIR)
	$(if $(DESTDIR),:,[ -z "$(KREL)" ] || $(DEPMOD) $(KREL))
	$(reload)

clean:
	rm -rf build/kernel build/usr build/usr-san build/static

distclean:
	rm -rf build
