# SPDX-License-Identifier: GPL-2.0
#
# Verified patterns: 512 B to 4 MiB, queue depths 1 to 128, unaligned and
# multi-segment buffers, read past the end.
#
# tgtd: no
# requires: fio
# timeout: 400

. "$TREE/tests/lib/tap.sh"
t_start

pid=''
t_cleanup() { [ -z "$pid" ] || { kill "$pid"; wait "$pid"; } 2> /dev/null; }

modprobe scsi_tgt_loop || bail "modprobe"
"$T_BIN/examples/ramdisk" "$(basename "$0" .sh)" 96 > "$T_DIR/out" &
pid=$!
wait_for 20 grep -q '^host [0-9]' "$T_DIR/out" || bail "ramdisk does not start"
host=$(sed -n 's/^host //p' "$T_DIR/out")
disks() { echo "/sys/class/scsi_tgt/scsi_tgt$host"/host*/target*/*/block/*; }
has_disk() { test -e "$(disks)"; }
wait_for 30 has_disk || bail "no disk"
disk=/dev/$(basename "$(disks)")
udevadm settle -t 60
echo 4096 > "/sys/block/${disk#/dev/}/queue/max_sectors_kb"
diag "max_sectors_kb $(cat "/sys/block/${disk#/dev/}/queue/max_sectors_kb")," \
	"dma_alignment $(cat "/sys/block/${disk#/dev/}/queue/dma_alignment" 2> /dev/null)"

verify()	# text, options
{
	local text=$1
	shift
	ok "$text" fio --name=v --filename="$disk" --direct=1 --ioengine=libaio --rw=randwrite \
		--verify=crc32c --verify_fatal=1 --verify_state_save=0 \
		--output="$T_DIR/fio" "$@"
}

for bs in 512 1k 4k 64k 256k 1m 4m; do
	case $bs in
	512 | 1k) size=1m ;;
	4k) size=4m ;;
	64k) size=12m ;;
	256k) size=32m ;;
	*) size=64m ;;
	esac
	verify "blocks of $bs at depth 1" --bs=$bs --iodepth=1 --size=$((${size%m} / 4 + 1))m
	for qd in 32 128; do
		verify "blocks of $bs at depth $qd" --bs=$bs --iodepth=$qd --size=$size
	done
done
verify "mixed sizes" --bsrange=512-1m --blockalign=512 --bs_unaligned=0 --iodepth=16 --size=48m
verify "buffers aligned to 512 only" --bs=64k --iodepth=16 --size=24m --iomem_align=512 --mem=malloc
verify "two jobs on two CPUs" --bs=16k --iodepth=16 --size=24m --numjobs=2 --offset_increment=32m \
	--cpus_allowed=0-1 --cpus_allowed_policy=split
ok "vectors of small pieces" fio --name=v --filename="$disk" --ioengine=pvsync2 --direct=1 \
	--rw=randwrite --bs=32k --size=16m --verify=md5 --verify_fatal=1 --verify_state_save=0
size=$(blockdev --getsz "$disk")
ok "the last block can be read" dd if="$disk" of=/dev/null iflag=direct skip=$((size - 1)) count=1
is "$(dd if="$disk" iflag=direct bs=64k skip=$((size / 128 - 1)) count=2 status=none | wc -c)" 65536 \
	"a read past the end is short"
done_testing
