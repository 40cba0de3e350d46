# SPDX-License-Identifier: GPL-2.0
# tgtd dies and never comes back: everything ends within the recovery window.
# timeout: 200
# requires: fio
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

t_cleanup() { systemctl unmask --runtime tgtd.service; }
ended() { ! kill -0 "$1" 2> /dev/null; }

# Kills tgtd for good.
kill_tgtd()
{
	local pid
	pid=$(tgt_pid)
	systemctl mask --runtime tgtd.service
	kill -KILL "$pid"
}

again()
{
	systemctl unmask --runtime tgtd.service
	systemctl reset-failed tgtd.service
	systemctl start tgtd.service
}

for policy in requeue fail; do
	truncate -s 64M "$T_DIR/store"
	ok "$policy: a target with a window of 5 s" \
		tgt_target 1 --params policy=$policy,recovery_ms=5000
	ok "$policy: a logical unit" tgt_lun 1 1 "$T_DIR/store"
	ok "$policy: its disk appears" tgt_wait_disk 1 1
	dev=$(tgt_disk 1 1) || bail "no disk"

	fio --name=w --filename="$dev" --ioengine=libaio --direct=1 --rw=randwrite --bs=4k \
		--iodepth=16 --time_based --runtime=60 > "$T_DIR/fio.out" 2>&1 &
	writer=$!
	sleep 1
	kill_tgtd
	killed=$(date +%s%3N)
	if [ $policy = requeue ]; then
		ok "requeue: the host waits for another helper" wait_for 3 tgt_state_is 1 recovering
		ok "requeue: and so does the writer" kill -0 $writer
	fi
	ok "$policy: the window ends" wait_for 20 tgt_state_is 1 down
	ok "$policy: the writer ends" wait_for 20 ended $writer
	diag "$policy: it ended $(($(date +%s%3N) - killed)) ms after the kill, 5000 of which are a window's"
	nok "$policy: with an error" wait $writer
	# sg_turs doesn't say so by its exit status.
	like "$(timeout 20 sg_turs "$dev" 2>&1)" DID_NO_CONNECT "$policy: a new command fails at once"
	ok "$policy: every command was given back" wait_for 5 tgt_balanced 1
	nok "$policy: the modules are in use" rmmod scsi_tgt_loop
	ok "$policy: the host can be deleted" sh -c "echo 1 > $(tgt_host 1)/delete"
	ok "$policy: and is gone" wait_for 30 tgt_no_hosts
	ok "$policy: the modules can be removed" wait_for 20 modprobe -r scsi_tgt_loop scsi_tgt
	rm -rf /run/tgtd/state
	again
	modprobe scsi_tgt_loop
	ok "$policy: a new tgtd" wait_for 30 tgt_answers
done
tgt_stop
done_testing
