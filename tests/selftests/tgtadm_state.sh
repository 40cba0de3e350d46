# SPDX-License-Identifier: GPL-2.0
# Who comes after a tgtd goes on with what it had; what is saved survives more.
# kernels: newest
# timeout: 240
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
rm -f /etc/tgt/tgtd.conf*
tgt_start

t_cleanup() { rm -f /etc/tgt/tgtd.conf*; }
new_tgtd() { tgt_answers && [ "$(tgt_pid)" != "$pid" ]; }
show() { tgtadm --op show; }

truncate -s 16M "$T_DIR/a b" "$T_DIR/c"
ok "a target" tgt_target 1 --params queue_depth=32,recovery_ms=20000
ok "a logical unit" tgt_lun 1 1 "$T_DIR/a b" --bsoflags sync
ok "another" tgtadm --op new --mode lu --tid 1 --lun 5 --bstype mem --bsopts 8M --params product_id=memory
ok "a rule" tgtadm --op bind --mode target --tid 1 -I ALL
ok "an account" tgtadm --mode account --op new --user joe --password "it's"
ok "which is used" tgtadm --mode account --op bind --tid 1 --user joe
ok "a second target" tgt_target 2
ok "its disk appears" tgt_wait_disk 1 1
ok "and the other" tgt_wait_disk 1 5
before=$(show)
is "$(stat -c %a /run/tgtd/state)" 600 "the state is root's"

pid=$(tgt_pid)
kill -KILL "$pid"
ok "after kill -9 it comes back" wait_for 30 new_tgtd
is "$(show)" "$before" "with everything as it was"
ok "and serves" dd if="$(tgt_disk 1 1)" of=/dev/null bs=64k count=4 iflag=direct

pid=$(tgt_pid)
ok "it is restarted" systemctl restart tgtd
ok "and comes back" wait_for 30 new_tgtd
is "$(show)" "$before" "with everything as it was"

ok "a target is deleted" tgtadm --op delete --mode target --tid 2
before=$(show)
pid=$(tgt_pid)
kill -KILL "$pid"
ok "after kill -9 it comes back" wait_for 30 new_tgtd
is "$(show)" "$before" "without what was deleted"

mkdir -p /etc/tgt
echo '# written by hand' > /etc/tgt/tgtd.conf
ok "all is saved" tgtadm --mode system --op save
is "$(stat -c %a /etc/tgt/tgtd.conf)" 600 "for root's eyes"
is "$(cat /etc/tgt/tgtd.conf.bak)" "# written by hand" "and what was there is kept"

# Its hosts stay in the kernel meanwhile; the state goes with a stop, as with a reboot.
ok "it is stopped" systemctl stop tgtd
nok "its state is gone" test -e /run/tgtd/state
ok "it is started" systemctl start tgtd
is "$(show)" "$before" "with what was saved"
ok "and serves" dd if="$(tgt_disk 1 1)" of=/dev/null bs=64k count=4 iflag=direct

ok "it is stopped" systemctl stop tgtd
chmod 644 /etc/tgt/tgtd.conf
ok "it starts with a configuration that all can read" systemctl start tgtd
is "$(show)" "" "but doesn't use it: it has passwords"
like "$(journalctl -u tgtd -b --no-pager)" 'tgtd.conf: not used: .*chmod 600' "and says what to do"
chmod 600 /etc/tgt/tgtd.conf
ok "mended, it is used" systemctl restart tgtd
is "$(show)" "$before" "after a restart"

# What is reloaded doesn't disturb what it is not about.
disk=$(tgt_disk 1 1)
(
	until [ -e "$T_DIR/stop" ]; do
		dd if="$disk" of=/dev/null bs=4k iflag=direct status=none || exit 1
	done
) &
reader=$!
sed -i '/--tid 1 --lun 5/d' /etc/tgt/tgtd.conf
echo "--lld loop --op new --mode target --tid 3 --targetname $(tgt_name 3)" >> /etc/tgt/tgtd.conf
pid=$(tgt_pid)
ok "it reads the configuration again" systemctl reload tgtd
third() { tgt_host 3; }
ok "what is new there is made" wait_for 30 third
ok "what is gone there is removed" wait_for 30 tgt_no_disk 1 5
ok "what is neither is there" tgt_disk 1 1
is "$(tgt_pid)" "$pid" "by the same tgtd"
touch "$T_DIR/stop"
ok "a reader of that was not disturbed" wait $reader
tgt_stop
done_testing
