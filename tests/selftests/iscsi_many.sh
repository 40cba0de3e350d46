# SPDX-License-Identifier: GPL-2.0
# 1,000 logical units on a target, and 64 sessions of Linux's initiator on another.
# kernels: oldest
# timeout: 300
# requires: iscsid iscsiadm sg_luns
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/openiscsi.sh"
t_start
t_cleanup() { isc_stop; rm -f /etc/tgt/tgtd.conf*; }
mkdir -p /etc/tgt
{
	echo "--lld iscsi --mode target --op new --tid 1 --targetname $(tgt_name 1)"
	echo "--mode target --op bind --tid 1 -I ALL"
	for i in $(seq 999); do
		echo "--mode logicalunit --op new --tid 1 --lun $i --bstype null --bsopts 16M"
	done
	echo "--lld iscsi --mode target --op new --tid 2 --targetname $(tgt_name 2)"
	echo "--mode target --op bind --tid 2 -I ALL"
} > /etc/tgt/tgtd.conf
chmod 600 /etc/tgt/tgtd.conf
begin=$SECONDS
isc_start
diag "started within $((SECONDS - begin)) s"
is "$(tgtadm --op show | grep -c '^        LUN: ')" 1001 "there are 1,000, and one of another target"

isc_find > /dev/null
isc_set 1 node.session.scan manual
ok "login" isc_login 1
host=$(echo /sys/class/iscsi_host/host*)
host=${host##*/}
scan() { echo "0 0 $1" > "/sys/class/scsi_host/$host/scan"; }
scan 0
scan $((999 + 0x4000))
ok "the last one is found" isc_wait_disk 1 999
disk=$(isc_disk 1 999) || bail "no disk"
ok "and written" dd if=/dev/zero of="$disk" bs=64k count=8 oflag=direct
luns() { sg_luns "$disk" | grep -cE '^ +[0-9a-f]{16}'; }
is "$(luns)" 1000 "it reports 1,000"
ok "one more" isc_adm --mode logicalunit --op new --tid 1 --lun 1000 --bstype null --bsopts 16M
is "$(luns)" 1001 "is reported"
scan $((1000 + 0x4000))
ok "and found" isc_wait_disk 1 1000
ok "logout" isc_logout 1

isc_set 2 node.session.scan manual node.session.nr_sessions 64
begin=$SECONDS
ok "64 sessions" isc_login 2
diag "within $((SECONDS - begin)) s"
is "$(isc_sessions 2)" 64 "tgtd has them"
ok "the initiator, too" isc_logged_in 64
diag "$(awk '/VmRSS/ { print $2, $3 }' "/proc/$(tgt_pid)/status") of memory"
ok "logout of all" isc_logout 2
ok "tgtd has none" wait_for 20 isc_no_sessions 2
done_testing
