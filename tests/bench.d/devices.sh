# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The devices that are measured, in the guest.  DEVICE_up sets $bench_dev,
# DEVICE_down takes all of it away again.  Set before: bench_mib, the size of
# each; bench_dir, on tmpfs; bench_tree.

bench_file=$bench_dir/backing
bench_naa=naa.5001405000000001

say() { echo "# $*" >&2; }

# wait_until SECONDS CMD...
wait_until()
{
	local i
	for i in $(seq $(($1 * 10))); do
		! "${@:2}" > /dev/null 2>&1 || return 0
		sleep 0.1
	done
	say "after $1 seconds still not: ${*:2}"
	return 1
}

# Every page of it is there before the first read.
make_file()
{
	dd if=/dev/zero "of=$bench_file" bs=1M "count=$bench_mib" status=none
}

scsi_disks() { find /sys/block -name 'sd*' -printf '%f\n' | sort; }

# new_disk CMD...: the disk that appears when CMD is run
new_disk()
{
	local before
	before=$(scsi_disks)
	"$@" || { say "failed: $*"; return 1; }
	wait_until 30 disk_appeared "$before" || return 1
	udevadm settle --timeout 30
	bench_dev=/dev/$(comm -13 <(echo "$before") <(scsi_disks) | head -1)
	wait_until 10 disk_of_size "$bench_dev"
}

disk_appeared() { [ -n "$(comm -13 <(echo "$1") <(scsi_disks))" ]; }
disk_of_size() { [ "$(blockdev --getsize64 "$1")" -eq $((bench_mib << 20)) ]; }

# --- fio's own cost, and the SCSI midlayer's ---

null_blk_up()
{
	modprobe null_blk nr_devices=0 &&
	mkdir /sys/kernel/config/nullb/nullb0 &&
	echo "$bench_mib" > /sys/kernel/config/nullb/nullb0/size &&
	echo 1 > /sys/kernel/config/nullb/nullb0/power &&
	bench_dev=/dev/nullb0 &&
	wait_until 10 disk_of_size $bench_dev
}

null_blk_down()
{
	rmdir /sys/kernel/config/nullb/nullb0
	wait_until 10 rmmod null_blk
}

# A store in memory, nothing moved: the host is as quick as there can be.
scsi_debug_up()
{
	new_disk modprobe scsi_debug "dev_size_mb=$bench_mib" delay=0 fake_rw=1 max_queue=64
}

scsi_debug_down() { wait_until 10 rmmod scsi_debug; }

# --- other ways to a file ---

loop_up()
{
	make_file && bench_dev=$(losetup --show -f "$bench_file")
}

loop_down() { losetup -d "$bench_dev"; }

targetcli_loopback()	# backstore
{
	targetcli /loopback create "$bench_naa" > /dev/null &&
	targetcli "/loopback/$bench_naa/luns" create "$1" > /dev/null
}

lio_up()
{
	make_file && modprobe tcm_loop &&
	targetcli /backstores/fileio create bench "$bench_file" write_back=true > /dev/null &&
	new_disk targetcli_loopback /backstores/fileio/bench
}

lio_down()
{
	targetcli /loopback delete "$bench_naa" > /dev/null
	targetcli /backstores/fileio delete bench > /dev/null
}

tcmu_up()
{
	make_file && modprobe tcm_loop && modprobe target_core_user &&
	systemctl start tcmu-runner &&
	targetcli /backstores/user:qcow create bench "${bench_mib}M" "$bench_file" > /dev/null &&
	new_disk targetcli_loopback /backstores/user:qcow/bench
}

tcmu_down()
{
	targetcli /loopback delete "$bench_naa" > /dev/null
	targetcli /backstores/user:qcow delete bench > /dev/null
	systemctl stop tcmu-runner
}

# --- ours ---

ramdisk_up()
{
	modprobe scsi_tgt_loop && new_disk ramdisk_start
}

ramdisk_start()
{
	"$bench_tree/build/usr/examples/ramdisk" bench "$bench_mib" > /dev/null &
	ramdisk_pid=$!
}

# Its memory is not there before it was written to.
ramdisk_fill()
{
	dd if=/dev/zero "of=$bench_dev" bs=1M "count=$bench_mib" oflag=direct status=none
}

ramdisk_down() { kill "$ramdisk_pid" && wait "$ramdisk_pid"; }

adm() { tgtadm --lld loop "$@"; }

tgtd_up()
{
	make_file && modprobe scsi_tgt_loop &&
	wait_until 60 adm --op show --mode target &&
	adm --op new --mode target --tid 1 -T bench &&
	new_disk adm --op new --mode logicalunit --tid 1 --lun 1 -E aio -b "$bench_file"
}

tgtd_down()
{
	adm --op delete --mode logicalunit --tid 1 --lun 1
	adm --op delete --mode target --tid 1
}

# The guest's own service makes systemd turn on the CPU controller, and then each
# switch between tasks costs more than on most machines: nobody gets that.
no_cpu_controller()
{
	local c=/sys/fs/cgroup
	echo $$ > $c/cgroup.procs
	find $c -mindepth 1 -name cgroup.subtree_control | sort -r | while read -r f; do
		! grep -qw cpu "$f" || echo -cpu > "$f"
	done
	echo -cpu > $c/cgroup.subtree_control
	! grep -qw cpu $c/cgroup.subtree_control
}

# bench_with DEVICE CMD...: CMD with $bench_dev there
bench_with()
{
	local rc=0
	if "$1_up"; then
		if declare -F "$1_fill" > /dev/null; then "$1_fill"; fi
		udevadm settle --timeout 30
		no_cpu_controller || say 'the CPU controller stays on'
		"${@:2}" || rc=$?
	else
		say "$1 could not be set up"
		rc=1
	fi
	"$1_down" || say "$1 could not be taken away"
	rm -f "$bench_file"
	return $rc
}
