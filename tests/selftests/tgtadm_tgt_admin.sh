# SPDX-License-Identifier: GPL-2.0
# Debian's tgt-admin, as it is, with our tgtadm and tgtd: a configuration of several
# files, targets of both drivers, one of them in use.
# kernels: newest
# timeout: 300
# requires: perl tgt-admin iscsid iscsiadm sg_inq
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/openiscsi.sh"
t_start
perl -MConfig::General -e1 2> /dev/null || skip_all "no Config::General"
t_cleanup() { isc_stop; modprobe -r scsi_debug; }
tgt_start
isc_start
modprobe scsi_debug dev_size_mb=8 || bail "no scsi_debug"
udevadm settle -t 30
for drive in /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block/*; do :; done
drive=/dev/${drive##*/}

a=$(tgt_name 1)
b=$(tgt_name 2)
c=$(tgt_name 3)
d=$(tgt_name 4)
truncate -s 16M "$T_DIR"/{a,b,c,d,e}
mkdir "$T_DIR/conf.d"
cat > "$T_DIR/targets.conf" <<END
include $T_DIR/conf.d/*.conf
default-driver iscsi
incomingdiscoveryuser disco discoverysecret
outgoingdiscoveryuser discoback anotherdiscoverysecret
<target $a>
	driver loop
	<backing-store $T_DIR/a>
		lun 7
		vendor_id ACME
		scsi_sn serial-7
		write-cache on
	</backing-store>
	incominguser joe secretsecret
	outgoinguser bob anothersecret
	initiator-address ALL
	controller_tid 11
</target>
END
cat > "$T_DIR/conf.d/b.conf" <<END
<target $b>
	backing-store $T_DIR/b
	backing-store $T_DIR/c
	initiator-address 127.0.0.0/8
	initiator-address 10.0.0.1
	initiator-name $(sed -n 's/^InitiatorName=//p' /etc/iscsi/initiatorname.iscsi)
	vendor_id MyCompany Inc.
	write-cache off
	controller_tid 12
</target>
END
cat > "$T_DIR/conf.d/c.conf" <<END
<target $c>
	direct-store $drive
	allow-in-use yes
	incominguser joe secretsecret
	incominguser ann secretofann
	outgoinguser bob anothersecret
	controller_tid 13
</target>
<target $d>
	<backing-store $T_DIR/d>
		lun 5
		bs-type rdwr
		bsoflags sync
		block-size 4096
		scsi_id its-scsi-id
		product_id a disk
		product_rev 9.9
		sense_format 1
		removable 1
		readonly 1
		lbppbe 3
		optimal_xfer_len 64
		params rotation_rate=7200,thin_provisioning=1
	</backing-store>
	<backing-store $T_DIR/e>
		bs-type aio
		online 0
		mode_page 8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0
		mode_page 10:0:10:2:0:0:0:0:0:0:0:0:0
		mode_page 0x1c:0:10:8:0:0:0:0:0:0:0:0:0
	</backing-store>
	MaxRecvDataSegmentLength 8192
	MaxXmitDataSegmentLength 8192
	HeaderDigest None
	DataDigest CRC32C,None
	InitialR2T Yes
	MaxOutstandingR2T 1
	ImmediateData Yes
	FirstBurstLength 65536
	MaxBurstLength 262144
	DataPDUInOrder Yes
	DataSequenceInOrder Yes
	ErrorRecoveryLevel 0
	IFMarker No
	OFMarker No
	DefaultTime2Wait 2
	DefaultTime2Retain 20
	OFMarkInt Reject
	IFMarkInt Reject
	MaxConnections 1
	state offline
	controller_tid 14
</target>
END

admin() { tgt-admin -c "$T_DIR/targets.conf" "$@"; }
# A target's part of what tgtadm shows.
part() { tgtadm --op show | awk -v n="$1" '/^Target / { own = $3 == n } own'; }
lun() { part "$1" | awk -v l="$2" '/^        LUN: /{ own = $2 == l } /Account info/{ own = 0 } own'; }

ok "tgt-admin --execute" admin --execute
is "$(tgtadm --op show | grep ^Target)" "Target 11: $a
Target 12: $b
Target 13: $c
Target 14: $d" "makes all targets of all files"
ok "the disk of the one of driver loop appears" tgt_wait_disk 1 7
is "$(sg_inq -p 0x80 "$(tgt_disk 1 7)" | sed -n 's/.*number: //p')" serial-7 "with its serial number"
like "$(part "$a")" "Driver: loop" "and driver"
like "$(part "$a")" "Account information:
        joe
        bob \(outgoing\)
    ACL information:
        ALL" "its accounts and rules"
like "$(part "$b")" "Backing store path: $T_DIR/b
.*LUN: 2
.*Backing store path: $T_DIR/c
.*ACL information:
        127.0.0.0/8
        10.0.0.1
        iqn[^ ]*" "logical units in order, and rules"
like "$(tgtadm --mode system --op show)" "Account information:
    disco
    discoback \(outgoing\)" "accounts for discovery"
like "$(part "$c")" "Account information:
        ann
        joe
        bob \(outgoing\)
    ACL information:
        ALL|Account information:
        joe
        ann
        bob \(outgoing\)
    ACL information:
        ALL" "several accounts"
like "$(lun "$c" 1)" "SCSI SN: $(sg_inq "$drive" | sed -n 's/.*serial number: //p')" "direct-store: the drive's serial number"
like "$(lun "$d" 5)" "SCSI ID: its-scsi-id
.*Size: 17 MB, Block size: 4096
.*Removable media: Yes
.*Readonly: Yes
.*Thin-provisioning: Yes
.*Backing store type: (rdwr|aio)
.*Backing store flags: sync" "options of a backing store"
like "$(lun "$d" 1)" "Online: No" "and of another, which got the first free LUN"
keys=$(tgtadm --op show --mode target --tid 14)
like "$keys" "MaxRecvDataSegmentLength=8192" "keys of iSCSI"
like "$keys" "MaxXmitDataSegmentLength=8192" "also stgt's own"
like "$(part "$d")" "State: offline" "and the state"

is "$(tgt-admin --show)" "$(tgtadm --op show)" "tgt-admin --show"
dump=$(tgt-admin --dump 2> "$T_DIR/err")
like "$dump" "<target $a>
	driver loop
	backing-store $T_DIR/a
	incominguser joe PLEASE_CORRECT_THE_PASSWORD
	outgoinguser bob PLEASE_CORRECT_THE_PASSWORD" "tgt-admin --dump"
like "$dump" "<target $b>
	driver iscsi
	backing-store $T_DIR/b
	backing-store $T_DIR/c
	" "of all targets"
is "$(cat "$T_DIR/err")" '' "without a complaint"
ok "tgt-admin --offline" tgt-admin --offline "$b"
like "$(part "$b")" 'State: offline' "is offline"
ok "tgt-admin --ready" tgt-admin --ready tid=12
like "$(part "$b")" 'State: ready' "is ready"
ok "tgt-admin --offline ALL" tgt-admin --offline ALL
is "$(tgtadm --op show | grep -c 'State: offline')" 4 "all are offline"
ok "tgt-admin --ready ALL" tgt-admin --ready ALL
nok "all are ready" grep -q 'State: offline' <(tgtadm --op show)
like "$(admin --pretend --update ALL)" "tgtadm -C 0 --mode target --op delete --tid=12" "tgt-admin --pretend"

#
# With an initiator
#
iscsiadm -m discoverydb -t st -p 127.0.0.1 -o new > /dev/null
iscsiadm -m discoverydb -t st -p 127.0.0.1 -o update \
	-n discovery.sendtargets.auth.authmethod -v CHAP \
	-n discovery.sendtargets.auth.username -v disco \
	-n discovery.sendtargets.auth.password -v discoverysecret \
	-n discovery.sendtargets.auth.username_in -v discoback \
	-n discovery.sendtargets.auth.password_in -v anotherdiscoverysecret
like "$(iscsiadm -m discoverydb -t st -p 127.0.0.1 -D)" " $b" "discovery by its accounts"
ok "login" isc_login 2
ok "its disks appear" isc_wait_disk 2 2
disk=$(isc_disk 2 1)
like "$(sg_inq "$disk")" "Vendor identification: MyCompan" "a vendor's name that is too long is cut"
is "$(cat "/sys/block/${disk##*/}/device/scsi_disk"/*/cache_type)" 'write through' "write-cache off"
sn=$(sg_inq -p 0x80 "$disk" | sed -n 's/.*number: //p')
like "$(admin --update tid=12 -v)" "Target with tid 12 \($b\) is in use, it won't be updated" \
	"tgt-admin --update leaves what is in use"
is "$(part "$b" | grep -c 'I_T nexus: ')" 1 "alone"
ok "tgt-admin --update --force" admin --update "$b" --force
served() { [ "$(part "$b" | grep -c 'I_T nexus: ')" = 1 ] && isc_logged_in; }
ok "the initiator comes back" wait_for 60 served
is "$(sg_inq -p 0x80 "$disk" | sed -n 's/.*number: //p')" "$sn" "and finds the disk that it had"
like "$(part "$b")" "ACL information:
        127.0.0.0/8
        10.0.0.1
        iqn" "with the rules of before"
like "$(admin --delete "$b" -v)" "is in use, it won't be deleted" "tgt-admin --delete leaves what is in use"
ok "tgt-admin --delete --force" tgt-admin --delete "$b" --force
is "$(part "$b")" '' "it is gone"
ok "tgt-admin --delete by number" tgt-admin --delete tid=13
is "$(part "$c")" '' "it is gone"
ok "tgt-admin --delete ALL" tgt-admin --delete ALL --force
is "$(tgtadm --op show)" "" "all are gone"
iscsiadm -m session -u > /dev/null 2>&1
isc_stop
tgt_stop
done_testing
