# SPDX-License-Identifier: GPL-2.0
# Errors of the store under a disk: each reaches the initiator once, with the
# command that it belongs to and the right sense.
# timeout: 200
# requires: dmsetup sg_raw losetup
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/initiator.sh"
t_start
tgt_start

# A device of 32 MiB in memory, through device mapper.
MB=2048
modprobe -a loop dm_flakey || skip_all "no device mapper"
truncate -s 32M "$T_DIR/disk"
loop=$(losetup -f --show "$T_DIR/disk") || bail "losetup"
t_cleanup()
{
	umount "$T_DIR/fs" 2> /dev/null
	for d in bad flaky; do dmsetup remove --retry $d 2> /dev/null; done
	# This outlives what is attached to it.
	blockdev --setrw "$loop"
	losetup -d "$loop" 2> /dev/null
}

# One block at an LBA.
rd() { sense sg_raw -r 512 -o /dev/null "$1" 28 00 00 00 "$(printf %02x $(($2 >> 8)))" "$(printf %02x $(($2 & 255)))" 00 00 01 00; }
wr() { sense sg_raw -s 512 -i "$T_DIR/block" "$1" 2a "${3:-00}" 00 00 "$(printf %02x $(($2 >> 8)))" "$(printf %02x $(($2 & 255)))" 00 00 01 00; }
flush() { sense sg_raw "$1" 35 00 00 00 00 00 00 00 00 00; }
head -c 512 /dev/urandom > "$T_DIR/block"
read_error='Medium Error, Unrecovered read error'
write_error='Medium Error, Write error'

# A block device: blocks 16384 to 18431 are bad.
dmsetup create bad <<-END || bail "dmsetup"
	0 $((8 * MB)) linear $loop 0
	$((8 * MB)) $MB error
	$((9 * MB)) $((23 * MB)) linear $loop $((9 * MB))
END
ok "a target" tgt_target 1 --params nr_queues=1
ok "a logical unit with a bad spot" tgt_lun 1 1 /dev/mapper/bad
ok "its disk" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"
sense sg_turs "$dev" > /dev/null
is "$(rd "$dev" $((8 * MB - 1)))" good "the block before is read"
is "$(rd "$dev" $((8 * MB)))" "$read_error" "the first bad one is not"
is "$(rd "$dev" $((9 * MB - 1)))" "$read_error" "nor the last"
is "$(rd "$dev" $((9 * MB)))" good "the block behind is"
is "$(wr "$dev" $((8 * MB)))" "$write_error" "a bad block is not written"
is "$(wr "$dev" $((8 * MB)) 08)" "$write_error" "nor with FUA"
is "$(wr "$dev" $((9 * MB)) 08)" good "a good one is"
is "$(flush "$dev")" good "and flushed: what failed before was told"
ok "the unit goes" tgt_lun_del 1 1
dmsetup remove --retry bad

# A file: writes go to the page cache, and their errors come with the flush.
dmsetup create flaky --table "0 $((32 * MB)) linear $loop 0"
mkfs.ext4 -q -O ^has_journal /dev/mapper/flaky
mkdir "$T_DIR/fs"
mount /dev/mapper/flaky "$T_DIR/fs" || bail "mount"
head -c 8M /dev/zero > "$T_DIR/fs/store"
sync
tgt_lun 1 2 "$T_DIR/fs/store" && tgt_wait_disk 1 2 || bail "no disk"
iscsi_target 2 && iscsi_lun 2 1 "$T_DIR/fs/store" || bail "no iSCSI target"
ok "the same file by iSCSI" iscsi_login 2
is_there() { iscsi_disk 2 1; }
wait_for 30 is_there || bail "no disk by iSCSI"
dev=$(tgt_disk 1 2) idev=$(iscsi_disk 2 1)
udevadm settle -t 20
for d in "$dev" "$idev"; do sense sg_turs "$d" > /dev/null; done
table() { dmsetup suspend --noflush flaky && dmsetup load flaky --table "$1" && dmsetup resume flaky; }
good="0 $((32 * MB)) linear $loop 0"
bad="0 $((32 * MB)) flakey $loop 0 0 1000 1 error_writes"

is "$(wr "$dev" 100)$(flush "$dev")$(flush "$idev")" goodgoodgood "all is well"
table "$bad"
is "$(wr "$dev" 108)" good "a write that will fail is cached"
is "$(flush "$dev")" "$write_error" "its flush says so"
table "$good"
is "$(flush "$dev")" good "and said it once"
is "$(flush "$idev")" "$write_error" "the other initiator's flush says so too"
is "$(flush "$idev")" good "once"

table "$bad"
is "$(wr "$dev" 116 08)" "$write_error" "a FUA write that fails says so itself"
table "$good"
is "$(wr "$dev" 116 08)" good "and can be repeated"
flush "$dev" > /dev/null
flush "$idev" > /dev/null

# The cache off: no write is GOOD that isn't there.
ok "WCE is cleared" sdparm -q --clear=WCE "$dev"
table "$bad"
is "$(wr "$dev" 124)" "$write_error" "without a cache each write says so itself"
table "$good"
is "$(wr "$dev" 124)" good "and can be repeated"
for d in "$dev" "$idev"; do flush "$d" > /dev/null; done
ok "logout" iscsi_logout 2
tgtadm --lld iscsi --mode target --op delete --force --tid 2
tgt_lun_del 1 2
umount "$T_DIR/fs"

# No space: a sparse file in a file system that is too small for it.
mount -t tmpfs -o size=1m tmpfs "$T_DIR/fs"
truncate -s 16M "$T_DIR/fs/store"
tgt_lun 1 3 "$T_DIR/fs/store" && tgt_wait_disk 1 3 || bail "no disk"
dev=$(tgt_disk 1 3)
sense sg_turs "$dev" > /dev/null
dd if=/dev/zero of="$T_DIR/fs/fill" bs=64k 2> /dev/null
is "$(wr "$dev" 200)" "Data Protect, Space allocation failed write protect" "no space left"
is "$(rd "$dev" 200)" good "a hole is read"
rm "$T_DIR/fs/fill"
is "$(wr "$dev" 200)" good "with space it is written"
tgt_lun_del 1 3
umount "$T_DIR/fs"

# A device that is read-only.
blockdev --setro "$loop"
tgt_lun 1 4 "$loop" --params readonly=1 && tgt_wait_disk 1 4 || bail "no disk"
dev=$(tgt_disk 1 4)
is "$(cat "/sys/block/${dev##*/}/ro")" 1 "a read-only store is a read-only disk"
sg=/dev/$(ls "/sys/block/${dev##*/}/device/scsi_generic")
is "$(wr "$sg" 1)" "Data Protect, Write protected" "which is not written"
is "$(rd "$sg" 1)" good "and read"
tgt_lun_del 1 4
tgt_stop
done_testing
