# SPDX-License-Identifier: GPL-2.0
# A tgtd that hangs is detached, and attaches again by itself when it goes on;
# one that is restarted under load loses nothing either.
# timeout: 240
# requires: fio
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

truncate -s 64M "$T_DIR/store"
ok "a target" tgt_target 1 --params tmf_received_ms=1000,tmf_done_ms=1500,recovery_ms=60000
ok "a logical unit" tgt_lun 1 1 "$T_DIR/store"
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"
echo 2 > "/sys/block/${dev##*/}/device/timeout"

write_some() {
	fio --name=w --filename="$dev" --ioengine=libaio --direct=1 --rw=randwrite --bs=16k \
		--iodepth=8 --size=24M --verify=crc32c --verify_fatal=1 --rate_iops=300 \
		> "$T_DIR/fio.out" 2>&1
}

written() { [ "$(tgt_stat 1 done)" -ge $(($1 + 50)) ]; }

pid=$(tgt_pid)
before=$(tgt_stat 1 done)
write_some &
writer=$!
ok "a writer" wait_for 60 written "$before"
kill -STOP "$pid"
ok "a tgtd that does nothing is detached" wait_for 60 tgt_state_is 1 recovering
kill -CONT "$pid"
ok "it attaches again" wait_for 60 tgt_state_is 1 up
is "$(tgt_pid)" "$pid" "and is the same process"
ok "what was written in the meantime is there" wait $writer
diag "$(tail -2 "$T_DIR/fio.out")"
# Those that the initiator gave up ended with a transport error, and it sent them again.
failed=$(tgt_stat 1 failed)

before=$(tgt_stat 1 done)
write_some &
writer=$!
ok "a writer" wait_for 60 written "$before"
for i in 1 2; do
	ok "tgtd is restarted (time $i)" systemctl restart tgtd
	ok "and serves the host" wait_for 60 tgt_state_is 1 up
done
ok "what was written in the meantime is there" wait $writer
is "$(tgt_stat 1 failed)" "$failed" "no command failed by a restart"
ok "every command was given back" wait_for 5 tgt_balanced 1
tgt_stop
done_testing
