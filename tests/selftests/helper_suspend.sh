# SPDX-License-Identifier: GPL-2.0
# All processes are frozen, as for suspend, while tgtd is written to: it is neither
# found hung nor is anything lost.
# timeout: 240
# requires: fio
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/sleep.sh"
t_start

sleep_for 2
t_cleanup()
{
	echo none > $power/pm_test
	touch "$T_DIR/stop"
	udev_start
}
tgt_start

truncate -s 64M "$T_DIR/store"
ok "a target" tgt_target 1
ok "a logical unit" tgt_lun 1 1 "$T_DIR/store"
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"

# Few enough at a time that it never waits for a tag, in which it couldn't be frozen; nor
# could it while it flushes: as whoever closes the disk as the last one does, and fio
# before it verifies, which is seldom.
udev_stop
exec 9<> "$dev"
(
	until [ -e "$T_DIR/stop" ]; do
		fio --name=w --filename="$dev" --ioengine=libaio --direct=1 --rw=randwrite --bs=16k \
			--iodepth=8 --size=48M --verify=crc32c --verify_fatal=1 \
			> "$T_DIR/fio.out" 2>&1 || exit 1
	done
) &
writer=$!

pid=$(tgt_pid)
more() { [ "$(tgt_stat 1 done)" -gt "$1" ]; }
echo freezer > $power/pm_test
for i in 1 2 3; do
	before=$(tgt_stat 1 done)
	ok "the writer writes" wait_for 60 more "$before"
	ok "frozen and thawed (time $i)" sleeps
	before=$(tgt_stat 1 done)
	ok "the writer goes on" wait_for 60 more "$before"
done
touch "$T_DIR/stop"
ok "every write was verified" wait $writer
exec 9>&-
udev_start
is "$(tgt_pid)" "$pid" "the same tgtd"
is "$(cat "$(tgt_host 1)/state")" up "which was never detached"
is "$(tgt_stat 1 failed)" 0 "no command failed"
ok "every command was given back" wait_for 5 tgt_balanced 1
tgt_stop
done_testing
