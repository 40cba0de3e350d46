# SPDX-License-Identifier: GPL-2.0
#
# The modules can't be removed while they are in use, and can afterwards; a
# host goes by sysfs, too.
#
# tgtd: no
# timeout: 240

. "$TREE/tests/lib/tap.sh"
t_start

pid=''
t_cleanup() { [ -z "$pid" ] || kill -9 "$pid" 2> /dev/null; }

class=/sys/class/scsi_tgt
start()
{
	"$T_BIN/examples/ramdisk" "rmmod-$1" 16 > "$T_DIR/out" &
	pid=$!
	wait_for 20 grep -q '^host [0-9]' "$T_DIR/out" || bail "ramdisk does not start"
	host=$(sed -n 's/^host //p' "$T_DIR/out")
}
disks() { echo "$class/scsi_tgt$host"/host*/target*/*/block/*; }
has_disk() { test -e "$(disks)"; }
state() { cat "$class/scsi_tgt$host/state"; }
gone() { test ! -e "$class/scsi_tgt$host"; }

modprobe scsi_tgt_loop || bail "modprobe"
ok "unused, they go" modprobe -r scsi_tgt_loop
modprobe scsi_tgt_loop || bail "modprobe"
start 1
ok "a disk" wait_for 30 has_disk
udevadm settle -t 60
nok "rmmod scsi_tgt_loop while it has a host" rmmod scsi_tgt_loop
nok "rmmod scsi_tgt while scsi_tgt_loop needs it" rmmod scsi_tgt
for attr in name transport nr_queues queue_depth policy recovery_ms cmd_timeout_ms \
	tmf_received_ms tmf_done_ms state helper_pid stats/queued stats/given stats/completed \
	stats/done stats/requeued stats/failed stats/bad_completions; do
	ok "sysfs attribute $attr" cat "$class/scsi_tgt$host/$attr"
done
is "$(cat "$class/scsi_tgt$host/name")" rmmod-1 "name"
is "$(cat "$class/scsi_tgt$host/helper_pid")" "$pid" "helper_pid"

kill -9 "$pid"
wait "$pid" 2> /dev/null
pid=''
nok "rmmod while the host waits for a helper" rmmod scsi_tgt_loop
nok "delete wants a 1" sh -c "echo 2 > $class/scsi_tgt$host/delete"
ok "the host is deleted by sysfs" sh -c "echo 1 > $class/scsi_tgt$host/delete"
ok "it goes, without a helper" wait_for 60 gone
ok "then the modules go" modprobe -r scsi_tgt_loop

modprobe scsi_tgt_loop || bail "modprobe"
start 2
ok "a disk" wait_for 30 has_disk
udevadm settle -t 60
ok "the host is deleted under its helper" sh -c "echo 1 > $class/scsi_tgt$host/delete"
ok "it goes" wait_for 60 gone
rc=0
wait "$pid" || rc=$?
pid=''
is $rc 0 "the helper ends by itself"
ok "the modules go" modprobe -r scsi_tgt_loop

# An open fd that never attached holds the module, not the host.
modprobe scsi_tgt_loop || bail "modprobe"
start 3
ok "a disk" wait_for 30 has_disk
udevadm settle -t 60
exec 7<> "/dev/scsi_tgt$host"
kill "$pid"
wait "$pid"
pid=''
ok "the host goes though its node is open" wait_for 60 gone
nok "but not the module" rmmod scsi_tgt
exec 7>&-
ok "until it is closed" modprobe -r scsi_tgt_loop scsi_tgt
done_testing
