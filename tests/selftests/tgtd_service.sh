# SPDX-License-Identifier: GPL-2.0
# tgtd.service with all that it is forbidden still serves files and O_DIRECT block
# devices and saves its configuration; tgtd.socket starts it, and keeps initiators
# waiting while it is started again.
# timeout: 150
# requires: losetup systemctl
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
loop=

t_cleanup()
{
	systemctl -q stop tgtd.socket 2> /dev/null
	[ -z "$loop" ] || losetup -d "$loop" 2> /dev/null
	rm -rf /root/tgtd-test.img /etc/tgt
}

# Copies to a logical unit of target 1 and back.
moves()			# LUN
{
	local dev
	tgt_wait_disk 1 "$1" || return
	dev=$(tgt_disk 1 "$1") || return
	head -c 4M /dev/urandom > "$T_DIR/data"
	dd if="$T_DIR/data" of="$dev" bs=1M oflag=direct status=none &&
		dd if="$dev" bs=1M count=4 iflag=direct status=none | cmp - "$T_DIR/data"
}

tgt_start
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$(tgt_pid)/status"; }
is "$(status Seccomp)" 2 "system calls are filtered"
is "$(status NoNewPrivs)" 1 "no new privileges"
is $((0x$(status CapBnd) & 1 << 21)) 0 "no CAP_SYS_ADMIN"
exposure=$(systemd-analyze security tgtd.service --no-pager | sed -n 's/.*level for tgtd.service: \([0-9]*\).*/\1/p')
ok "exposure is ${exposure:-unknown}" test "${exposure:-10}" -le 4

truncate -s 16M "$T_DIR/disk" /root/tgtd-test.img "$T_DIR/direct"
loop=$(losetup -f --show "$T_DIR/direct") || bail "no loop device"
ok "a target" tgt_target 1
ok "a file" tgt_lun 1 1 /root/tgtd-test.img
ok "is written and read" moves 1
ok "a block device, O_DIRECT" tgt_lun 1 2 "$loop" --bsoflags direct
ok "is written and read" moves 2
ok "the configuration is saved" tgtadm --mode system --op save
ok "where it belongs" grep -q tgtd-test.img /etc/tgt/tgtd.conf
ok "systemctl reload" systemctl reload tgtd.service
ok "a disk of before" moves 1
tgt_stop
rm -f /etc/tgt/tgtd.conf
losetup -d "$loop"
loop=

active() { systemctl -q is-active tgtd.service; }
speaks() { exec {fd}<> "/dev/tcp/$1/3260" && exec {fd}>&-; }
ok "tgtd.socket" systemctl start tgtd.socket
nok "nothing runs yet" active
ok "somebody connects" speaks 127.0.0.1
ok "and tgtd runs" wait_for 30 active
ok "it answers" wait_for 30 tgt_answers
is "$(tgtadm --mode portal --op show | tr '\n' ' ')" \
	"Portal: 0.0.0.0:3260,1 Portal: [::]:3260,1 " "the portals are systemd's"
ok "a target" tgtadm --lld iscsi --mode target --op new --tid 2 -T "$(tgt_name 2)"
pid=$(tgt_pid)
kill -STOP "$pid"
kill -KILL "$pid"
ok "nobody is refused while it is started again" speaks 127.0.0.1
restarted() { [ "$(tgt_pid)" != "$pid" ] && tgt_answers; }
ok "it is" wait_for 30 restarted
like "$(tgtadm --mode target --op show)" "Target 2: $(tgt_name 2)" "with its target"
ok "the portals are there" speaks 127.0.0.1
ok "tgtd.socket stops" systemctl stop tgtd.socket
ok "tgtd stops" systemctl stop tgtd.service
nok "nobody listens" speaks 127.0.0.1
done_testing
