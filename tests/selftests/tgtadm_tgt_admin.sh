# SPDX-License-Identifier: GPL-2.0
# Debian's tgt-admin, as it is, with our tgtadm: as far as it goes without iSCSI.
# timeout: 240
# requires: perl tgt-admin
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
perl -MConfig::General -e1 2> /dev/null || skip_all "no Config::General"
tgt_start

a=$(tgt_name 1)
b=$(tgt_name 2)
truncate -s 16M "$T_DIR/a" "$T_DIR/b" "$T_DIR/c"
cat > "$T_DIR/targets.conf" <<END
default-driver loop
<target $a>
	<backing-store $T_DIR/a>
		lun 7
		vendor_id ACME
		scsi_sn serial-7
		write-cache on
	</backing-store>
	incominguser joe secretsecret
	outgoinguser bob anothersecret
	initiator-address ALL
</target>
<target $b>
	backing-store $T_DIR/b
	backing-store $T_DIR/c
	initiator-address 10.0.0.0/8
	initiator-name iqn.1993-08.org.debian:01:abc
</target>
END

ok "tgt-admin --execute" tgt-admin -c "$T_DIR/targets.conf" --execute
ok "its disk appears" tgt_wait_disk 1 7
is "$(sg_inq -p 0x80 "$(tgt_disk 1 7)" | sed -n 's/.*number: //p')" serial-7 "with its serial number"
ok "and the others" tgt_wait_disk 2 2
shown=$(tgtadm --op show)
like "$shown" "Account information:
        joe
        bob \(outgoing\)
    ACL information:
        ALL" "accounts and rules of the first"
like "$shown" "ACL information:
        10.0.0.0/8
        iqn.1993-08.org.debian:01:abc" "rules of the second"
is "$(tgt-admin --show)" "$shown" "tgt-admin --show"
dump=$(tgt-admin --dump 2> "$T_DIR/err")
like "$dump" "<target $a>
	backing-store $T_DIR/a
	incominguser joe PLEASE_CORRECT_THE_PASSWORD
	outgoinguser bob PLEASE_CORRECT_THE_PASSWORD" "tgt-admin --dump"
ok "tgt-admin --offline" tgt-admin --offline "$b"
like "$(tgtadm --op show)" "Target 2: $b
    System information:
        Driver: loop
        State: offline" "is offline"
ok "tgt-admin --ready" tgt-admin --ready tid=2
nok "is ready" grep -q 'State: offline' <(tgtadm --op show)
ok "tgt-admin --update" tgt-admin -c "$T_DIR/targets.conf" --update ALL --force
ok "its disk is there" tgt_wait_disk 1 7
is "$(sg_inq -p 0x80 "$(tgt_disk 1 7)" | sed -n 's/.*number: //p')" serial-7 "with the same serial number"
ok "tgt-admin --delete" tgt-admin --delete "$b" --force
nok "is gone" grep -q "$b" <(tgtadm --op show)
ok "tgt-admin --delete ALL" tgt-admin --delete ALL --force
is "$(tgtadm --op show)" "" "all are gone"
tgt_stop
done_testing
