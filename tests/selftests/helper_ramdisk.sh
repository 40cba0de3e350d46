# SPDX-License-Identifier: GPL-2.0
#
# The example is a complete helper: what it says is what sg3_utils sees, what
# is written is read, a file system lives on it, and SIGTERM leaves nothing.
#
# tgtd: no
# requires: sg_inq sg_vpd sg_readcap sg_turs sg_modes sg_luns sg_raw fio mkfs.ext4
# timeout: 240

. "$TREE/tests/lib/tap.sh"
t_start

pid=''
t_cleanup()
{
	mountpoint -q "$T_DIR/mnt" && umount "$T_DIR/mnt"
	[ -z "$pid" ] || kill -9 "$pid" 2> /dev/null
	for d in /sys/class/scsi_tgt/scsi_tgt*; do
		[ ! -w "$d/delete" ] || echo 1 > "$d/delete"
	done
}

disk_of()	# host number
{
	basename "$(echo /sys/class/scsi_tgt/scsi_tgt"$1"/host*/target*/*:0/block/*)" |
		grep -v '[*]'
}

start()		# name, MiB: sets pid, disk, host
{
	"$T_BIN/examples/ramdisk" "$1" "$2" > "$T_DIR/out" &
	pid=$!
	wait_for 20 grep -q '^host [0-9]' "$T_DIR/out" || bail "ramdisk does not start"
	host=$(sed -n 's/^host //p' "$T_DIR/out")
	wait_for 30 disk_of "$host" || bail "no disk appears"
	disk=/dev/$(disk_of "$host")
	wait_for 30 test -b "$disk" || bail "no $disk"
	udevadm settle -t 60
}

# The processes' exit status, and whether anything of the host is left.
stop()		# signal
{
	local rc=0
	kill -"$1" "$pid"
	wait "$pid" || rc=$?
	pid=''
	is $rc 0 "SIG$1: it exits with status 0"
	nok "its host is gone" test -e "/sys/class/scsi_tgt/scsi_tgt$host"
	wait_for 20 test ! -e "$disk"
	nok "and so is $disk" test -e "$disk"
}

sense() { sg_raw -v "$@" 2>&1 | tr '\n' ' '; }

nok "without the module: refused" "$T_BIN/examples/ramdisk" one 16
like "$("$T_BIN/examples/ramdisk" one 16 2>&1)" 'modprobe scsi_tgt_loop' "and it says what to do"
modprobe scsi_tgt_loop || bail "modprobe"
nok "no arguments" "$T_BIN/examples/ramdisk"
nok "no size" "$T_BIN/examples/ramdisk" one 0
start ramdisk-one 64

like "$(sg_inq "$disk")" 'Vendor identification: SCSI_TGT.*RAM disk' "INQUIRY"
like "$(sg_inq "$disk")" 'Unit serial number: ramdisk-one' "its serial"
like "$(sg_vpd -p sv "$disk" | tr '\n' ' ')" '\[sv\].*\[sn\].*\[di\]' "VPD 00h"
like "$(sg_vpd -p di "$disk" | tr '\n' ' ')" 'vendor id: SCSI_TGT.*vendor specific: ramdisk-one' "VPD 83h"
nok "another VPD page" sg_vpd -p 0xb0 "$disk"
ok "TEST UNIT READY" sg_turs "$disk"
like "$(sg_readcap "$disk" | tr '\n' ' ')" 'Number of logical blocks=131072.*Logical block length=512' "READ CAPACITY (10)"
like "$(sg_readcap -l "$disk" | tr '\n' ' ')" 'Number of logical blocks=131072.*Logical block length=512' "READ CAPACITY (16)"
like "$(sg_modes -p 8 "$disk" | tr '\n' ' ')" 'Caching' "MODE SENSE (10)"
like "$(sg_modes -6 -p 8 "$disk" | tr '\n' ' ')" 'Caching' "MODE SENSE (6)"
like "$(sg_luns "$disk" | tr '\n' ' ')" 'Lun list length = 8' "REPORT LUNS"
ok "SYNCHRONIZE CACHE" sg_sync "$disk"
ok "REQUEST SENSE" sg_requests "$disk"
like "$(sense "$disk" 2f 0 0 0 0 0 0 0 1 0)" 'Illegal Request.*Invalid command operation code' \
	"an unknown command: ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE"
like "$(sense -r 512 "$disk" 28 0 0 2 0 0 0 0 1 0)" 'Illegal Request.*Logical block address out of range' \
	"READ past the end: LBA OUT OF RANGE"
like "$(sense -r 512 "$disk" 88 0 ff ff ff ff ff ff ff ff 0 0 0 1 0 0)" 'Logical block address out of range' \
	"READ (16) far past the end"
like "$(sense -r 512 "$disk" 28 20 0 0 0 0 0 0 1 0)" 'Invalid field in cdb' "RDPROTECT: INVALID FIELD IN CDB"
nok "the same name again" "$T_BIN/examples/ramdisk" ramdisk-one 16

ok "fio, verified" fio --name=v --filename="$disk" --direct=1 --ioengine=libaio --iodepth=16 \
	--rw=randwrite --bsrange=512-256k --bs_unaligned=0 --blockalign=512 --size=32m \
	--verify=crc32c --verify_fatal=1 --output="$T_DIR/fio"
ok "mkfs.ext4" mkfs.ext4 -q "$disk"
mkdir "$T_DIR/mnt"
ok "mount" mount "$disk" "$T_DIR/mnt"
dd if=/dev/urandom of="$T_DIR/file" bs=1M count=20 status=none
ok "copy" cp "$T_DIR/file" "$T_DIR/mnt/"
ok "umount" umount "$T_DIR/mnt"
ok "mount again" mount "$disk" "$T_DIR/mnt"
ok "the copy is the same" cmp "$T_DIR/file" "$T_DIR/mnt/file"
ok "umount" umount "$T_DIR/mnt"
stop TERM

start ramdisk-two 16
stop INT
ok "the modules can be removed" wait_for 20 modprobe -r scsi_tgt_loop scsi_tgt
done_testing
