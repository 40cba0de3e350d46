# SPDX-License-Identifier: GPL-2.0
# Initiators on a network: who is let in, who sees what, IPv6, and a network that
# is cut with I/O under way.  tgtd is in a namespace of its own, two initiators in
# others, Linux's in this one.
# kernels: newest
# timeout: 300
# requires: iscsid iscsiadm iscsi-ls iscsi-inq ip fio
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/openiscsi.sh"
t_start
dropin=/run/systemd/system/tgtd.service.d
t_cleanup()
{
	touch "$T_DIR/enough"
	ip -n tgt link set n1 up
	isc_stop
	systemctl stop tgtd
	rm -rf $dropin
	systemctl daemon-reload
	for ns in tgt i2 i3; do ip netns del $ns; done
	rm -f /etc/tgt/tgtd.conf*
}

# Network N: 10.77.N.1 and fd77:N::1 are the initiator's, ...2 tgtd's.
net()			# N, the initiator's namespace or nothing
{
	local here=()
	[ -z "${2:-}" ] || here=(-n "$2")
	ip "${here[@]}" link add "v$1" type veth peer name "n$1" netns tgt
	ip "${here[@]}" addr add "10.77.$1.1/24" dev "v$1"
	ip "${here[@]}" addr add "fd77:$1::1/64" dev "v$1" nodad
	ip "${here[@]}" link set "v$1" up
	ip -n tgt addr add "10.77.$1.2/24" dev "n$1"
	ip -n tgt addr add "fd77:$1::2/64" dev "n$1" nodad
	ip -n tgt link set "n$1" up
}
ip netns add tgt && ip netns add i2 && ip netns add i3 || bail "no network namespaces"
ip -n tgt link set lo up
net 1
net 2 i2
net 3 i3
mkdir -p $dropin
printf '[Service]\nNetworkNamespacePath=/run/netns/tgt\n' > $dropin/netns.conf
systemctl daemon-reload

rules()			# TID, rule...
{
	local tid=$1
	shift
	echo "--lld iscsi --mode target --op new --tid $tid --targetname $(tgt_name "$tid")"
	echo "--mode logicalunit --op new --tid $tid --lun 1 --bstype null --bsopts 1M"
	while [ $# -ge 2 ]; do
		echo "--mode target --op bind --tid $tid $1 $2"
		shift 2
	done
}
me=iqn.2026-01.org.example:i
truncate -s 64M "$T_DIR/store"
mkdir -p /etc/tgt
{
	rules 1 -I 10.77.2.1
	rules 2 -I 10.77.3.0/24
	rules 3 -I fd77:2::/64
	rules 4 -Q ${me}3
	rules 5 -I 10.77.2.0/24 -I 10.77.3.1 -Q ${me}2
	rules 6
	rules 7 -I ALL
	rules 8 -I 10.77.1.0/24 -I fd77:1::1
	echo "--mode logicalunit --op new --tid 8 --lun 2 --backing-store $T_DIR/store"
	echo "--mode target --op update --tid 8 --name nop_interval --value 1"
	echo "--mode target --op update --tid 8 --name nop_count --value 2"
} > /etc/tgt/tgtd.conf
chmod 600 /etc/tgt/tgtd.conf
isc_ip=10.77.1.2
isc_start

#
# Who is shown what, and who may log in to what, is the same.
#
in_ns()			# network, command
{
	local n=$1
	shift
	timeout 20 ip netns exec "i$n" "$@"
}
portal() { if [ "$2" = 4 ]; then echo "10.77.$1.2"; else echo "[fd77:$1::2]"; fi; }
seen()			# network, family, name's number
{
	in_ns "$1" iscsi-ls -i "$me$3" "iscsi://$(portal "$1" "$2")" 2> /dev/null |
		sed -n 's/^Target:.*:t\([0-9]*\) .*/\1/p' | sort | xargs
}
enters()
{
	local t
	for t in $(seq 8); do
		! in_ns "$1" iscsi-inq -i "$me$3" \
			"iscsi://$(portal "$1" "$2")/$(tgt_name "$t")/1" > /dev/null 2>&1 || echo "$t"
	done | xargs
}
access()		# network, family, name's number, targets, who that is
{
	is "$(seen "$1" "$2" "$3")" "$4" "$5: sees these"
	[ "$2" = 6 ] || is "$(enters "$1" "$2" "$3")" "$4" "$5: may log in to the same"
}
access 2 4 2 '1 5 7' "the first initiator"
access 2 6 2 '3 7' "the first one by IPv6"
access 3 4 3 '2 4 7' "the second initiator"
access 3 6 3 '4 7' "the second one by IPv6"
access 2 4 3 '1 4 7' "the first one under the second one's name"
access 3 4 2 '2 5 7' "the second one under the first one's name"
like "$(journalctl -u tgtd -b --no-pager -o cat)" \
	"10.77.2.1: login of ${me}2 to $(tgt_name 2) refused \(0202\): no access rule admits it" \
	"tgtd says who was refused"

#
# Linux's initiator
#
is "$(isc_find | sed 's/.*://' | xargs)" 't7 t8' "Linux's initiator sees its own"
iscsiadm -m node -T "$(tgt_name 1)" -p $isc_ip:3260,1 -o new > /dev/null
nok "and can't log in to another" isc_login 1
isc_find '[fd77:1::2]' > "$T_DIR/found"
is "$(sed 's/ .*//' "$T_DIR/found" | sort -u)" '[fd77:1::2]:3260,1' "by IPv6 it is shown IPv6 addresses"
isc_ip='[fd77:1::2]'
ok "login by IPv6" isc_login 8
ok "its disk appears" isc_wait_disk 8 2
like "$(tgtadm --op show)" 'IP Address: fd77:1::1' "tgtd shows it"
ok "it writes" dd if=/dev/zero of="$(isc_disk 8 2)" bs=64k count=32 oflag=direct
ok "logout" isc_logout 8

#
# The network is cut
#
isc_ip=10.77.1.2
isc_set 8 'node.conn[0].timeo.noop_out_interval' 1 'node.conn[0].timeo.noop_out_timeout' 3
ok "login" isc_login 8
ok "its disk appears" isc_wait_disk 8 2
disk=$(isc_disk 8 2) || bail "no disk"
isc_writer "$disk"
sleep 1
ip -n tgt link set n1 down
failed() { isc_state | grep -q FAILED; }
ok "the initiator finds out that the network is cut" wait_for 30 failed
ok "and tgtd" wait_for 30 isc_no_sessions 8
sleep 1
ip -n tgt link set n1 up
ok "when it is there again, so is the session" wait_for 60 isc_logged_in
ok "every write was verified" isc_writer_end
is "$(isc_disk 8 2)" "$disk" "the disk has kept its name"
nok "no error reached the disk" sh -c "dmesg | sed '1,/selftest: start iscsi_net/d' | grep 'I/O error'"
like "$(journalctl -u tgtd -b --no-pager -o cat)" \
	'10.77.1.1 .*: connection closed: it (doesn.t answer NOP-In|takes nothing)' "tgtd says why it let go"
ok "logout" isc_logout 8
done_testing
