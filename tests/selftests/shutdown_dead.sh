# SPDX-License-Identifier: GPL-2.0
# The machine shuts down by itself with a file system mounted from a disk whose
# daemon is dead and stays so.
# own-vm: yes
# io-errors: yes
# timeout: 240
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

truncate -s 64M /var/tmp/image
ok "a target with a window of 5 s" tgt_target 1 --params recovery_ms=5000
ok "a logical unit" tgt_lun 1 1 /var/tmp/image
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"
mkdir -p /mnt/disk
ok "a file system" mkfs.ext4 -q "$dev"
ok "is mounted" mount "$dev" /mnt/disk
head -c 8M /dev/urandom > /mnt/disk/data
pid=$(tgt_pid)
systemctl mask --runtime tgtd.service
kill -KILL "$pid"
pass "the daemon is dead"
# The power-off that follows is the test: it has to come by itself.
done_testing
