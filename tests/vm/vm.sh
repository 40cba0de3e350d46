# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What boot, run and shell have in common: from a kernel's series to a running
# guest.  Sourced, with the top of the tree as working directory.
#
# A job is one guest: a directory with what it sees (tree/), what it says (out,
# status) and its console.  tree/ is a copy made at the start, so that building
# and editing may go on while the guest runs.

vm_die() { echo "$(basename "$0"): $*" >&2; exit 2; }

vm_series() { sed -e 's/#.*//' tests/vm/kernels | awk 'NF {print $1}'; }

# The guest's root and one kernel: sets vm_root, vm_kernel (directories), and
# vm_slow: how much more time to give.
vm_prepare()		# series, debug or kcsan
{
	[[ " $(vm_series | paste -sd' ') debug kcsan " == *" $1 "* ]] ||
		vm_die "unknown kernel '$1': use one of" $(vm_series) debug kcsan
	vm_root=$(tests/vm/mkroot < /dev/null) || vm_die "the guest's root could not be made (see above)"
	vm_kernel=$vm_root/kernel-$1 vm_slow=1
	case $1 in
	debug|kcsan)
		vm_kernel=$(tests/vm/debug "$1") || vm_die "no $1 kernel (see above)"
		vm_slow=5 ;;
	esac
}

# A selftest in C that does not build is one that fails; the others go on.
vm_build_selftests()	# job
{
	local t
	(
		flock 9
		! ${MAKE:-make} -s -k --no-print-directory -f usr/Makefile selftests || exit 0
		for t in build/usr/selftests/*; do
			${MAKE:-make} -q -f usr/Makefile "$t" || rm -f "$t"
		done
		exit 1
	) > "$1/build.log" 2>&1 9> build/vm/stage.lock || cat "$1/build.log" >&2
}

# A kernel of our own has all its modules here, so that depmod need not run in the guest.
vm_stage_modules()	# stage
{
	cp -R "$vm_kernel/modules/." "$1/" && depmod -b "$1" "$(cat "$vm_kernel/version")"
}

# Build for that kernel, install into JOB/tree/stage, copy the tests.
vm_stage()		# job, install: yes or no
{
	local d
	mkdir -p "$1/tree/job" "$1/tree/build"
	if [ "$2" = yes ]; then
		(
			flock 9
			${MAKE:-make} -s --no-print-directory modules usr KDIR="$vm_kernel/build" &&
			${MAKE:-make} -s --no-print-directory install KDIR="$vm_kernel/build" \
				PREFIX=/usr DESTDIR="$1/tree/stage" &&
			{ [ ! -d "$vm_kernel/modules" ] || vm_stage_modules "$1/tree/stage"; }
		) > "$1/build.log" 2>&1 9> build/vm/stage.lock || {
			cat "$1/build.log" >&2
			return 1
		}
	fi
	vm_build_selftests "$1"
	cp -R tests "$1/tree/"
	for d in selftests examples; do
		[ ! -d "build/usr/$d" ] || cp -R --parents "build/usr/$d" "$1/tree/"
	done
}

#
# KVM is used only where it has booted a stock kernel within 10 seconds: there
# are machines with a /dev/kvm on which that hangs.  Asked once per boot of the
# host.
#
vm_accel()
{
	local id cache
	case ${VM_ACCEL:-} in
	tcg|kvm)	echo "$VM_ACCEL"; return ;;
	'')		;;
	*)		vm_die "VM_ACCEL=$VM_ACCEL: use tcg or kvm" ;;
	esac
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || { echo tcg; return; }
	id=$(cat /proc/sys/kernel/random/boot_id)
	cache=build/vm/accel-$id
	(
		flock 9
		[ ! -s "$cache" ] || exit 0
		rm -f build/vm/accel-*
		if vm_probe_kvm; then echo kvm; else echo tcg; fi > "$cache"
	) 9> build/vm/probe.lock
	cat "$cache"
}

vm_probe_kvm()
{
	local k
	k=$vm_root/kernel-$(vm_series | head -1)
	timeout -s KILL 10 qemu-system-x86_64 -accel kvm -cpu host -m 512M \
		-nodefaults -display none -no-reboot -serial stdio \
		-kernel "$k/vmlinuz" -initrd "$k/initramfs" \
		-append 'console=ttyS0 quiet panic=-1 vm.probe' < /dev/null 2> /dev/null |
		grep -q 'vm: probe booted'
}

#
# A guest without systemd and udev: its first process is a script of the shared tree.
# Sets vm_initrd.
#
vm_bare()		# job, script
{
	local d=$1/initramfs.d
	vm_initrd=$1/initramfs
	mkdir -p "$d"
	sed '/^exec switch_root/d' tests/vm/initramfs-init > "$d/init"
	cat >> "$d/init" <<-END
	chroot /newroot /sbin/modprobe -q 9pnet_virtio
	chroot /newroot /sbin/modprobe -q 9p
	mkdir -p /newroot/tree
	mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose tree /newroot/tree
	exec switch_root /newroot $2
	END
	chmod 755 "$d/init"
	{
		cat "$vm_kernel/initramfs"
		(cd "$d" && echo init | cpio -o -H newc --quiet | gzip -1)
	} > "$vm_initrd"
}

# The command line of QEMU, in the array vm_argv.
# Set before: vm_icount (yes or empty), vm_mem, vm_smp, vm_disk (file or empty),
# vm_initrd (instead of the kernel's own, or empty).
vm_build_argv()		# job, further words for the kernel's command line
{
	local accel append
	append="console=ttyS0 rw panic=-1 oops=panic printk.devkmsg=on net.ifnames=0"
	append+=" mitigations=off random.trust_cpu=on systemd.show_status=no"
	append+=" nmi_watchdog=0 ${VM_APPEND:-} $2"
	if [ -n "$vm_icount" ]; then
		accel=(-accel tcg,thread=single -icount shift=0,sleep=off -cpu max)
		vm_smp=1
	elif [ "$(vm_accel)" = kvm ]; then
		accel=(-accel kvm -cpu host)
	else
		accel=(-accel tcg,thread=multi -cpu max)
	fi
	vm_argv=(qemu-system-x86_64 "${accel[@]}" -machine q35 -nodefaults
		-m "$vm_mem" -smp "$vm_smp" -display none -no-reboot
		-kernel "$vm_kernel/vmlinuz" -initrd "${vm_initrd:-$vm_kernel/initramfs}"
		-append "$append"
		-drive "if=none,id=root,file=$vm_root/root.img,format=raw,snapshot=on,cache=unsafe,file.locking=off"
		-device virtio-blk-pci,drive=root
		-device virtio-rng-pci
		-device virtio-serial-pci
		-fsdev "local,id=tree,path=$1/tree,security_model=none,readonly=on,multidevs=remap"
		-device virtio-9p-pci,fsdev=tree,mount_tag=tree
		-chardev "file,id=out,path=$1/out"
		-device virtserialport,chardev=out,name=out
		-chardev "file,id=status,path=$1/status"
		-device virtserialport,chardev=status,name=status)
	[ -z "$vm_disk" ] || vm_argv+=(
		-drive "if=none,id=scratch,file=$vm_disk,format=raw,cache=writeback,discard=unmap"
		-device virtio-blk-pci,drive=scratch,serial=scratch)
}

# A job's directory; gone when the caller exits, with its QEMU.
vm_job_new()
{
	mkdir -p build/vm
	vm_job=$(mktemp -d "$PWD/build/vm/job.XXXXXX")
	vm_shell=$BASHPID
	vm_pid=
	trap vm_job_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# The guest's output comes to descriptor 5.  To open a FIFO is to wait for the other
# end, which a QEMU that did not even start never opens.
vm_open_out()
{
	local opener
	{
		while kill -0 "$vm_pid" 2> /dev/null; do sleep 0.2; done
		exec 3<> "$vm_job/out"
		sleep 5
	} < /dev/null > /dev/null 2>&1 &
	opener=$!
	exec 5< "$vm_job/out"
	kill "$opener" 2> /dev/null || :
	wait "$opener" 2> /dev/null || :
}

# QEMU's translator does now and then what a CPU does not, most of all while the
# kernel patches its own code as it comes up.  What ended before the guest began its
# first test, and before a module of ours was loaded, has shown nothing.  Says so, with
# the console's end.
vm_stillborn()		# which boot
{
	! grep -qE 'selftest: start|scsi_tgt[a-z_]*: loading' "$vm_job/console" 2> /dev/null ||
		return
	echo "# $kernel: it ended before a test began, boot $1; the console ends:"
	tail -n 30 "$vm_job/console" | tr -d '\r' | sed 's/^/#   /'
	return 0	# also without a console
}

# TERM first: the process may be timeout(1), which passes it on.
vm_kill()		# pid
{
	local i
	kill -TERM "$1" 2> /dev/null || return 0
	for i in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 "$1" 2> /dev/null || return 0
		sleep 0.3
	done
	kill -KILL "$1" 2> /dev/null || :
}

# A child that TERM reaches before it has put its own handlers in place, on a busy
# machine, comes here as well.
vm_job_end()
{
	[ "$BASHPID" = "$vm_shell" ] || return 0
	[ -z "$vm_pid" ] || vm_kill "$vm_pid"
	[ -z "$vm_job" ] || [ -n "${VM_KEEP:-}" ] || rm -rf "$vm_job"
}
