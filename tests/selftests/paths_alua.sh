# SPDX-License-Identifier: GPL-2.0
# Two paths to one disk: dm-multipath follows the states of their port groups,
# whoever sets them, under verified I/O.
# timeout: 240
# requires: multipath multipathd fio sg_rtpg sg_stpg
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/initiator.sh"
t_start
tgt_start
fio=''
t_cleanup()
{
	[ -z "$fio" ] || kill "$fio" 2> /dev/null
	multipath -F > /dev/null 2>&1
	systemctl stop multipathd.service multipathd.socket 2> /dev/null
	rm -f /etc/multipath.conf
}

alua() { tgtadm --mode target --op update --tid "$1" --params "$2"; }
truncate -s 64M "$T_DIR/store"
for t in 1 2; do
	tgt_target $t --params nr_queues=1 && alua $t "alua_group=$((t + 100)),alua_access=both" ||
		bail "target $t"
	tgt_lun $t 1 "$T_DIR/store" && tgt_wait_disk $t 1 ||
		bail "unit $t"
done
ok "one path is in standby" alua 2 alua_state=standby
d1=$(tgt_disk 1 1) d2=$(tgt_disk 2 1)
for d in "$d1" "$d2"; do wait_for 5 sg_turs "$d"; done

like "$(sg_inq "$d1")" 'TPGS=3' "INQUIRY says who changes states"
like "$(sg_vpd -p di "$d2")" 'Target port group: 0x66' "the port group of a port"
like "$(sg_vpd -p di "$d2")" 'Relative target port: 0x2' "and its number"
groups() { sg_rtpg -d "$1" | tr -s ' \n' ' '; }
like "$(groups "$d1")" '0x65 .*active/optimized.* 0x66 .*standby' "both groups by one path"
is "$(groups "$d1")" "$(groups "$d2")" "and the same by the other"
is "$(sense sg_raw -r 512 "$d2" 28 00 00 00 00 00 00 00 01 00)" \
	"Not Ready, Logical unit not accessible, target port in standby state" "no READ in standby"

cat > /etc/multipath.conf <<-END
	defaults {
		find_multipaths no
		polling_interval 1
		max_polling_interval 1
	}
	blacklist {
		devnode "^vd"
	}
	overrides {
		prio alua
		path_grouping_policy group_by_prio
		failback immediate
		no_path_retry 60
	}
END
modprobe -a dm_multipath scsi_dh_alua
ok "multipathd" systemctl start multipathd.service
map() { dmsetup ls --target multipath | awk '$1 != "No" {print $1; exit}'; }
has_map() { [ -n "$(map)" ] && [ "$(dmsetup table "$(map)" | grep -o '[0-9]*:[0-9]* 1' | wc -l)" = 2 ]; }
wait_for 20 has_map || { multipath -v3 "$d1" 2>&1 | tail -40; bail "no multipath device"; }
mp=/dev/mapper/$(map)
diag "$(multipath -ll)"

fio --name=v --filename="$mp" --direct=1 --ioengine=libaio --rw=randwrite --bs=4k --iodepth=8 \
	--size=8M --time_based=0 --loops=10000 --verify=crc32c --verify_fatal=1 \
	--verify_state_save=0 --do_verify=1 > "$T_DIR/fio" 2>&1 &
fio=$!
sectors() { awk '{print $3 + $7}' "/sys/block/${1##*/}/stat"; }
works() { [ "$(sectors "$1")" -gt $((from + 1000)) ]; }
moves_to() { from=$(sectors "$1"); ok "$2" wait_for 30 works "$1"; }
moves_to "$d1" "I/O goes by the optimized path"

alua 2 alua_state=optimized
alua 1 alua_state=standby
moves_to "$d2" "and by the other when that is it"
alua 1 alua_state=optimized
alua 2 alua_state=unavailable
moves_to "$d1" "and back"
alua 2 alua_state=standby
ok "SET TARGET PORT GROUPS" sg_stpg --tp 101,102 --state 2,0 "$d2"
like "$(tgtadm --mode target --op show --tid 2)" 'alua_state=optimized' "is what tgtadm shows"
moves_to "$d2" "and moves the I/O"
alua 1 alua_state=transitioning
alua 1 alua_state=offline
moves_to "$d2" "it goes on with a path offline"
pid=$(tgt_pid)
kill -9 "$pid"
new_tgtd() { tgt_answers && [ "$(tgt_pid)" != "$pid" ]; }
ok "tgtd is killed and comes back" wait_for 30 new_tgtd
like "$(tgtadm --mode target --op show --tid 1)" 'alua_state=offline' "with its states"
moves_to "$d2" "and the I/O"
# Between the loops, each of which writes and verifies.
ok "fio still runs" kill -0 $fio
kill -INT $fio
wait $fio
nok "nothing was wrong" grep -qiE 'verify failed|verify: bad|bad header|err= *[1-9]' "$T_DIR/fio"
diag "$(grep -E 'READ:|WRITE:|err=' "$T_DIR/fio")"
fio=''
alua 1 alua_state=optimized
# multipathd may take longer than the command waits for it.
map_goes() { [ -z "$(map)" ] || multipath -f "$(map)"; }
ok "the map goes" wait_for 30 map_goes
systemctl stop multipathd.service multipathd.socket
tgt_stop
done_testing
