# SPDX-License-Identifier: GPL-2.0
# A disk's commands through the ring, by sg3_utils and the block layer.
# timeout: 240
# requires: sg_persist sg_compare_and_write
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

truncate -s 64M "$T_DIR/a"
ok "a target" tgt_target 1
ok "a logical unit" tgt_lun 1 1 "$T_DIR/a"
ok "its disk" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"
q=/sys/block/${dev##*/}/queue
kib() { du -k "$T_DIR/a" | cut -f1; }
status() { "$@" > "$T_DIR/out" 2>&1; echo $?; }

is "$(cat "$q/write_cache")" "write back" "the cache is known"
is "$(cat "$q/fua")" 1 "FUA is"
ok "WCE can be cleared" sdparm --clear=WCE "$dev"
is "$(cat "$q/write_cache")" "write through" "which is seen"
ok "and set" sdparm --set=WCE "$dev"

dd if=/dev/urandom of="$dev" bs=1M count=8 oflag=direct status=none
before=$(kib)
ok "discard" blkdiscard -o 1M -l 2M "$dev"
is "$(kib)" $((before - 2048)) "gives space back"
ok "zeroes are written" blkdiscard -z -o 4M -l 1M "$dev"
ok "and read" cmp -n 1048576 -i 4194304:0 "$dev" /dev/zero
like "$(sg_get_lba_status --lba=2048 "$dev")" "blocks: +4096 +deallocated" "GET LBA STATUS"
ok "VERIFY" sg_verify --lba=0 --count=100 "$dev"

dd if="$dev" of="$T_DIR/block" bs=512 count=1 status=none
cp "$T_DIR/block" "$T_DIR/caw"
truncate -s 1024 "$T_DIR/caw"
is "$(status sg_compare_and_write --in="$T_DIR/caw" --lba=0 --num=1 "$dev")" 0 "COMPARE AND WRITE"
is "$(status sg_compare_and_write --in="$T_DIR/caw" --lba=0 --num=1 "$dev")" 14 "which miscompares then"
is "$(status sg_raw -r 512 "$dev" 28 00 00 ff ff ff 00 00 01 00)" 22 "a READ past the end is refused"
is "$(status sg_raw "$dev" c1 00 00 00 00 00)" 9 "an unknown opcode is no command"

key() { sg_persist -n -k "$dev" | grep -c 0xabc; }
ok "a key is registered, to be kept" sg_persist -n -o -G -S abc --param-aptpl "$dev"
ok "a reservation made" sg_persist -n -o -R -K abc -T 5 "$dev"
pid=$(tgt_pid)
ok "tgtd is killed" kill -9 "$pid"
ok "and comes back" wait_for 30 tgt_answers
ok "with the key" wait_for 20 key
like "$(sg_persist -n -r "$dev")" "Write Exclusive, registrants only" "and the reservation"
ok "which is cleared" sg_persist -n -o -C -K abc "$dev"
is "$(key)" 0 "for good"

tgt_stop
done_testing
