# SPDX-License-Identifier: GPL-2.0
# kill -9 of tgtd while it is written to: the next one goes on, nothing is lost.
# timeout: 300
# requires: fio
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

truncate -s 128M "$T_DIR/store"
ok "a target" tgt_target 1 --params nr_queues=2
ok "a logical unit" tgt_lun 1 1 "$T_DIR/store"
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"
sn=$(cat "/sys/block/${dev##*/}/device/vpd_pg80" | tr -d '\0' | tail -c 32)

# Without a process: there may be thousands of cycles.
host=$(tgt_host 1)
helper() { read -r helper < "$host/helper_pid"; }
new_tgtd()
{
	local end=$((SECONDS + 60))
	until helper && [ "$helper" != 0 ] && [ "$helper" != "$1" ]; do
		[ $SECONDS -lt $end ] || return 1
		read -r -t 0.01 <> "$T_DIR/never"
	done
	return 0
}
mkfifo "$T_DIR/never"
slab() { awk '/^scsi_tgt|^kmalloc-1k|^kmalloc-4k/ { print $1, $2 }' /proc/slabinfo | paste -sd' '; }

# Writes, and reads back, until told to stop; every pass verified.
stop=$T_DIR/stop
(
	passes=0
	until [ -e "$stop" ]; do
		fio --name=w --filename="$dev" --ioengine=libaio --direct=1 --rw=randwrite \
			--bsrange=4k-64k --iodepth=32 --size=24M --verify=crc32c --verify_fatal=1 \
			--randseed=$((passes + 1)) > "$T_DIR/fio.out" 2>&1 || exit 1
		passes=$((passes + 1))
	done
	echo $passes > "$T_DIR/passes"
) &
writer=$!

kills=${T_CYCLES:-20}
if [ "$kills" -gt 100 ]; then
	# Many: not with the pause that the unit makes.
	mkdir -p /run/systemd/system/tgtd.service.d
	printf '[Service]\nRestartSec=0\n' > /run/systemd/system/tgtd.service.d/kill.conf
	systemctl daemon-reload
fi
t_cleanup() { rm -rf /run/systemd/system/tgtd.service.d; }

diag "before: $(slab)"
i=0
while [ $i -lt "$kills" ]; do
	helper
	read -r -t "0.$((RANDOM % 10))$((RANDOM % 10))" <> "$T_DIR/never"
	kill -KILL "$helper" 2> /dev/null
	new_tgtd "$helper" || { fail "the host is served again (time $i)"; break; }
	i=$((i + 1))
	kill -0 $writer 2> /dev/null || break
	[ $((i % 100)) -ne 0 ] || diag "$i cycles in $SECONDS s, requeued $(tgt_stat 1 requeued), $(slab)"
done
diag "after: $(slab)"
is "$i" "$kills" "tgtd was killed $kills times and came back"
touch "$stop"
ok "every write was verified" wait $writer
diag "$(tail -3 "$T_DIR/fio.out")"
like "$(cat "$T_DIR/passes")" '^[1-9]' "at least one pass ended"
diag "passes: $(cat "$T_DIR/passes"), requeued: $(tgt_stat 1 requeued)"
is "$(tgt_stat 1 failed)" 0 "no command failed"
is "$(tgt_disk 1 1)" "$dev" "the disk has kept its name"
is "$(sg_inq -p 0x80 "$dev" | sed -n 's/.*number: //p')" "$sn" "and its serial number"
ok "every command was given back" wait_for 5 tgt_balanced 1
tgt_stop
done_testing
