# SPDX-License-Identifier: GPL-2.0
#
# A 32-bit helper on a 64-bit kernel: the example takes over a host, and its
# commands, from a 64-bit one that was killed.
#
# tgtd: no
# requires: fio sg_inq
# timeout: 120

. "$TREE/tests/lib/tap.sh"
t_start

helper32=$T_BIN/selftests/ramdisk32
[ -x "$helper32" ] || skip_all "there is no 32-bit build on this architecture"
"$helper32" > /dev/null 2>&1	# says how it is used
[ $? -ne 126 ] || skip_all "this kernel runs no 32-bit programs"
pid=''
t_cleanup()
{
	[ -z "$pid" ] || kill -9 "$pid" 2> /dev/null
	for d in /sys/class/scsi_tgt/scsi_tgt*; do
		[ ! -w "$d/delete" ] || echo 1 > "$d/delete"
	done
}
disks() { echo "/sys/class/scsi_tgt/scsi_tgt$host"/host*/target*/*/block/*; }
has_disk() { test -e "$(disks)"; }

modprobe scsi_tgt_loop || bail "modprobe"
"$T_BIN/examples/ramdisk" both 64 > "$T_DIR/out" &
pid=$!
wait_for 20 grep -q '^host [0-9]' "$T_DIR/out" || bail "ramdisk does not start"
host=$(sed -n 's/^host //p' "$T_DIR/out")
wait_for 30 has_disk || bail "no disk"
disk=/dev/$(basename "$(disks)")
udevadm settle -t 60

kill -9 $pid
wait $pid
fio --name=v --filename="$disk" --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite \
	--bsrange=512-256k --bs_unaligned=0 --blockalign=512 --size=16m --verify=crc32c \
	--verify_fatal=1 --verify_state_save=0 --output="$T_DIR/fio" &
fio=$!
sleep 0.3
like "$(file -L "$helper32" 2> /dev/null || od -An -tx1 -j4 -N1 "$helper32")" '32-bit|01' "a 32-bit program"
HOST_NO=$host "$helper32" both 64 > "$T_DIR/out32" 2>&1 &
pid=$!
wait_for 20 grep -q '^host [0-9]' "$T_DIR/out32" || bail "it attaches: $(cat "$T_DIR/out32")"
wait $fio
is $? 0 "I/O that waited for it, and more, verified"
like "$(sg_inq "$disk")" 'Vendor identification: SCSI_TGT.*RAM disk' "a response from its memory"
nok "sense from its memory" sg_raw "$disk" 2f 0 0 0 0 0 0 0 1 0
is "$(cat "/sys/class/scsi_tgt/scsi_tgt$host/stats/bad_completions")" 0 "nothing of it was refused"
kill -TERM $pid
wait $pid
is $? 0 "it ends in order"
pid=''
nok "its host is gone" test -e "/sys/class/scsi_tgt/scsi_tgt$host"
ok "the modules can be removed" wait_for 20 modprobe -r scsi_tgt_loop scsi_tgt
done_testing
