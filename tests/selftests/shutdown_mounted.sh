# SPDX-License-Identifier: GPL-2.0
# The machine shuts down by itself with a file system on a disk that tgtd
# serves, and what was written is there after.
# own-vm: yes
# boots: 2
# timeout: 200
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

if [ "$T_BOOT" = 1 ]; then
	mkfs.ext4 -q /dev/vdb
	mkdir -p /mnt/store /mnt/disk
	mount /dev/vdb /mnt/store
	truncate -s 256M /mnt/store/image
	ok "a target" tgt_target 1
	ok "a logical unit" tgt_lun 1 1 /mnt/store/image
	ok "its disk appears" tgt_wait_disk 1 1
	dev=$(tgt_disk 1 1) || bail "no disk"
	ok "a file system" mkfs.ext4 -q "$dev"
	ok "is mounted" mount "$dev" /mnt/disk
	head -c 32M /dev/urandom > /mnt/disk/data
	# Dirty, and to be written by the shutdown.
	sha256sum /mnt/disk/data | cut -d' ' -f1 > /mnt/disk/sum
	done_testing
fi

mkdir -p /mnt/store /mnt/disk
ok "the store's file system is there" mount /dev/vdb /mnt/store
ok "a target" tgt_target 1
ok "a logical unit" tgt_lun 1 1 /mnt/store/image
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"
ok "the file system is mounted" mount "$dev" /mnt/disk
is "$(sha256sum < /mnt/disk/data | cut -d' ' -f1)" "$(cat /mnt/disk/sum)" "the data is what was written"
like "$(dumpe2fs -h "$dev" 2> /dev/null)" "Filesystem state: *clean" "it had been unmounted"
nok "the journal was not needed" sh -c "dmesg | grep 'recovery complete'"
umount /mnt/disk
tgt_stop
umount /mnt/store
done_testing
