# SPDX-License-Identifier: GPL-2.0
# Data: fio writes patterns of many sizes and depths, and finds them again.
# timeout: 300
# requires: fio sg_dd
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

truncate -s 192M "$T_DIR/store"
ok "a target with two queues" tgt_target 1 --params nr_queues=2
ok "a logical unit" tgt_lun 1 1 "$T_DIR/store"
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"

verify()	# name, fio options
{
	local name=$1
	shift
	ok "fio: $name" fio --name=v --filename="$dev" --ioengine=libaio --direct=1 \
		--verify=crc32c --verify_fatal=1 --randrepeat=1 "$@"
}

verify "512 B, QD 1" --rw=randwrite --bs=512 --iodepth=1 --size=1M
verify "4 KiB, QD 32, read and write" --rw=randrw --bs=4k --iodepth=32 --size=24M
verify "4 KiB, QD 128" --rw=randwrite --bs=4k --iodepth=128 --size=16M
verify "64 KiB, QD 16" --rw=write --bs=64k --iodepth=16 --size=64M
verify "1 MiB, QD 4" --rw=write --bs=1M --iodepth=4 --size=96M
verify "4 MiB, QD 2" --rw=write --bs=4M --iodepth=2 --size=96M
verify "512 B to 256 KiB, mixed" --rw=randwrite --bsrange=512-256k --iodepth=16 --size=48M
verify "two CPUs" --rw=randwrite --bs=8k --iodepth=16 --size=16M --numjobs=2 \
	--offset_increment=32M --cpus_allowed=0,1 --cpus_allowed_policy=split --group_reporting
verify "through the page cache" --direct=0 --rw=randwrite --bs=4k --iodepth=8 --size=24M --fsync=64
verify "buffers of many segments" --rw=write --bs=512k --iodepth=4 --size=32M --mem=malloc --iomem_align=512

queues=$(cat "$(tgt_host 1)/nr_queues")
is "$queues" 2 "both queues are there"

# Through sg, unaligned and odd: 7 blocks to memory at an odd sector offset.
ok "sg: 7 blocks at block 3" sg_dd if="$dev" of="$T_DIR/odd" bs=512 bpt=7 skip=3 count=7 blk_sgio=1
ok "the same by dd" dd if="$dev" of="$T_DIR/odd2" bs=512 skip=3 count=7 iflag=direct status=none
ok "and they are equal" cmp "$T_DIR/odd" "$T_DIR/odd2"

# Past the end: the initiator's READ (10) of a block that is not there.
last=$(($(blockdev --getsz "$dev") - 1))
hex() { printf '%02x %02x %02x %02x' $(($1 >> 24)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }
# shellcheck disable=SC2046
sense=$(sg_raw -r 512 "$dev" 28 00 $(hex $((last + 1))) 00 00 01 00 2>&1)
like "$sense" "Logical block address out of range" "a read past the end has the right sense"
# shellcheck disable=SC2046
ok "the last block can be read" sg_raw -r 512 "$dev" 28 00 $(hex $last) 00 00 01 00
# shellcheck disable=SC2046
sense=$(sg_raw -r 1024 "$dev" 28 00 $(hex $last) 00 00 02 00 2>&1)
like "$sense" "Logical block address out of range" "nor across it"

is "$(tgt_stat 1 bad_completions)" 0 "no completion was refused"
is "$(tgt_stat 1 failed)" 0 "no command failed"
ok "every command was given back" wait_for 5 tgt_balanced 1
tgt_stop
done_testing
