# SPDX-License-Identifier: GPL-2.0
# iSCSI sessions with I/O while tgtd is killed, restarted, stopped, and reads its
# configuration again: nothing is lost.
# kernels: newest
# timeout: 300
# requires: iscsid iscsiadm fio
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/openiscsi.sh"
t_start
t_cleanup() { touch "$T_DIR/enough"; isc_stop; rm -f /etc/tgt/tgtd.conf*; }
rm -f /etc/tgt/tgtd.conf*
isc_start

new_tgtd() { tgt_answers && [ "$(tgt_pid)" != "$pid" ]; }
served() { [ "$(isc_sessions 1)" = 1 ] && isc_logged_in; }
# All but who is logged in.
shown() { tgtadm --op show | sed '/I_T nexus: /,/IP Address/d'; }
session() { tgtadm --op show | sed -n 's/^ *I_T nexus: //p'; }
portals() { isc_adm --mode portal --op show; }

truncate -s 64M "$T_DIR/store"
ok "a target" isc_target 1
ok "with a logical unit" isc_lun 1 1 "$T_DIR/store"
ok "another target" isc_target 2
isc_adm --mode account --op new --user joe --password 'a secret of joe'
isc_adm --mode account --op bind --tid 2 --user joe
ok "a portal" isc_adm --mode portal --op new --param portal=127.0.0.1:3261
isc_find > /dev/null
ok "login" isc_login 1
ok "its disk appears" isc_wait_disk 1 1
disk=$(isc_disk 1 1) || bail "no disk"
serial() { sg_inq -p 0x80 "$disk" | sed -n 's/.*number: //p'; }
sn=$(serial)
before=$(shown)
ports=$(portals)
isc_writer "$disk"

for i in 1 2; do
	pid=$(tgt_pid)
	sleep "0.$((RANDOM % 10))"
	kill -KILL "$pid"
	ok "after kill -9 it comes back ($i)" wait_for 30 new_tgtd
	ok "and the initiator ($i)" wait_for 60 served
done
is "$(shown)" "$before" "with everything as it was"
is "$(portals)" "$ports" "and the portals"

# A stop and a start, so that the state is not used.
ok "all is saved" tgtadm --mode system --op save
asked() { grep -ciE 'target (requests|dropping|.*async)' "$T_DIR/iscsid"; }
n=$(asked)
ok "it is stopped, with the session" systemctl stop tgtd
is "$(systemctl show -P Result tgtd) $(systemctl show -P ExecMainStatus tgtd)" "success 0" "in order"
like "$(journalctl -u tgtd -b --no-pager -o cat | tail -5)" 'session [0-9]* of target 1 has ended' \
	"it had let the session end"
nok "the initiator had been told" test "$(asked)" = "$n"
ok "it is started" systemctl start tgtd
is "$(shown)" "$before" "with what was saved"
is "$(portals)" "$ports" "and the portals"
ok "the initiator comes back" wait_for 60 served

# What is reloaded doesn't disturb what it is not about.
sid=$(session)
pid=$(tgt_pid)
sed -i '/--tid 2/d' /etc/tgt/tgtd.conf
echo "--lld iscsi --op new --mode target --tid 3 --targetname $(tgt_name 3)" >> /etc/tgt/tgtd.conf
ok "it reads its configuration again" systemctl reload tgtd
third() { shown | grep -q "^Target 3: $(tgt_name 3)"; }
second() { ! shown | grep -q '^Target 2:'; }
ok "what is new there is made" wait_for 30 third
ok "what is gone there is removed" wait_for 30 second
is "$(tgt_pid) $(session)" "$pid $sid" "the session has gone on"

ok "every write was verified" isc_writer_end
is "$(isc_disk 1 1)" "$disk" "the disk has kept its name"
is "$(serial)" "$sn" "and its serial number"
nok "no error reached the disk" sh -c "dmesg | sed '1,/selftest: start iscsi_service/d' | grep 'I/O error'"

truncate -s 96M "$T_DIR/store"
ok "the logical unit grows" isc_adm --mode logicalunit --op update --tid 1 --lun 1 --params resize=yes
ok "and another one comes" isc_adm --mode logicalunit --op new --tid 1 --lun 2 --bstype mem --bsopts 8M
ok "the initiator looks" iscsiadm -m session --rescan
size() { [ "$(blockdev --getsize64 "$disk")" = $((96 << 20)) ]; }
ok "and sees the size" wait_for 10 size
ok "and the other disk" isc_wait_disk 1 2
ok "logout" isc_logout 1
done_testing
