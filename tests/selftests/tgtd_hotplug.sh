# SPDX-License-Identifier: GPL-2.0
# Logical units that come and go while others, and they themselves, are used.
# timeout: 240
# requires: fio
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

truncate -s 64M "$T_DIR/a" "$T_DIR/b"
ok "a target" tgt_target 1 --params nr_queues=2
ok "a logical unit that stays" tgt_lun 1 1 "$T_DIR/a"
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"

fio --name=w --filename="$dev" --ioengine=libaio --direct=1 --rw=randrw --bs=4k --iodepth=8 \
	--size=32M --time_based --runtime=25 --verify=crc32c --verify_backlog=64 > "$T_DIR/fio.out" 2>&1 &
writer=$!

rounds=6
for i in $(seq $rounds); do
	tgt_lun 1 2 "$T_DIR/b" || break
	wait_for 20 tgt_disk 1 2 || break
	d=$(tgt_disk 1 2)
	# It goes in the middle of this, which must end, with whatever result.  A dd that
	# comes too late makes no file where the next disk wants its node.
	timeout 60 dd if=/dev/zero of="$d" bs=64k count=1000 oflag=direct conv=nocreat \
		status=none 2> /dev/null &
	user=$!
	sleep 0.3
	tgt_lun_del 1 2 || break
	wait_for 20 tgt_no_disk 1 2 || break
	wait $user
	[ $? -ne 124 ] || break
done
is "$i" $rounds "a logical unit came and went $rounds times under I/O"
tgt_no_disk 1 2 && pass "the last one is gone" || fail "the last one is gone"
ok "the other's I/O was right" wait $writer

ok "a second target, with I/O, ..." tgt_target 2
ok "... a logical unit" tgt_lun 2 1 "$T_DIR/b"
ok "... and its disk" tgt_wait_disk 2 1
d=$(tgt_disk 2 1)
timeout 100 dd if=/dev/zero of="$d" bs=64k count=100000 oflag=direct conv=nocreat \
	status=none 2> /dev/null &
user=$!
sleep 0.5
ok "is deleted" tgt_target_del 2
nohost() { ! tgt_host 2; }
ok "its host goes" wait_for 30 nohost
wait $user
is "$?" 1 "its user got an error"
ok "every command was given back" wait_for 5 tgt_balanced 1
tgt_stop
done_testing
