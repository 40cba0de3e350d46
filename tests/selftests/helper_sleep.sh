# SPDX-License-Identifier: GPL-2.0
# The machine sleeps, as far as to the stopping of its devices and back: what is in a
# disk's cache is flushed before tgtd is frozen, and if tgtd has something left to do,
# the machine stays awake, at once.
# own-vm: yes
# tree: copy
# timeout: 240
# requires: fio
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/sleep.sh"
t_start

sleep_for 1
t_cleanup()
{
	echo none > $power/pm_test
	systemctl unmask --runtime tgtd.service
	udev_start
}
tgt_start

truncate -s 64M "$T_DIR/store"
ok "a target" tgt_target 1 --params recovery_ms=120000
ok "a logical unit" tgt_lun 1 1 "$T_DIR/store"
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"
is "$(cat /sys/class/scsi_disk/*/cache_type)" 'write back' "it has a write cache"
# Nobody but the test uses the disk.
udev_stop

said() { dmesg | sed '1,/selftest: start helper_sleep/d' | grep -c "no sleep for the machine now: $1"; }
io() { fio --name=x --filename="$dev" --ioengine=libaio --direct=1 --rw="$1" --bs=16k "${@:2}"; }
echo devices > $power/pm_test

ok "something is written" dd if=/dev/urandom of="$dev" bs=64k count=16 oflag=direct
before=$(tgt_stat 1 done)
ok "the machine sleeps" sleeps
is $(($(tgt_stat 1 done) - before)) 1 "tgtd got the flush before, and nothing else"
ok "and again" sleeps
is $(($(tgt_stat 1 done) - before)) 2 "another flush"
ok "the disk can be read" dd if="$dev" of=/dev/null bs=64k count=16 iflag=direct

# A writer's last flush is before its last write, or not.  It can be frozen, but not while
# it flushes: as whoever closes the disk as the last one does, and fio before it verifies.
exec 9<> "$dev"
io randwrite --iodepth=8 --size=64M --rate_iops=1500 --verify=crc32c --verify_fatal=1 \
	> "$T_DIR/fio.out" 2>&1 &
writer=$!
before=$(tgt_stat 1 done)
more() { [ "$(tgt_stat 1 done)" -gt "$((before + 50))" ]; }
ok "a writer writes" wait_for 30 more
slept=0
for i in 1 2 3; do ! sleeps 2> "$T_DIR/err" || slept=$((slept + 1)); done
ok "every write was verified" wait $writer
exec 9>&-
diag "of 3 times with a writer, the machine slept $slept: $(cat "$T_DIR/err")"
is "$(cat "$(tgt_host 1)/state")" up "tgtd was never detached"

systemctl mask --runtime tgtd.service
kill -KILL "$(tgt_pid)"
ok "tgtd is killed" wait_for 20 tgt_state_is 1 recovering
nok "the machine stays awake while its disks wait for another" sleeps
ok "and says why" test "$(said 'it waits for a helper')" -gt 0
systemctl unmask --runtime tgtd.service
systemctl reset-failed tgtd.service
ok "there is one" systemctl start tgtd.service
ok "which serves the host" wait_for 30 tgt_state_is 1 up
# Linux may still be asking the disk what it is.
ok "the machine sleeps" wait_for 20 sleeps
ok "the disk can be read" dd if="$dev" of=/dev/null bs=64k count=16 iflag=direct
is "$(tgt_stat 1 failed)" 0 "no command failed"
ok "every command was given back" wait_for 5 tgt_balanced 1
udev_start
tgt_stop
done_testing
