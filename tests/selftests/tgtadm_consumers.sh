# SPDX-License-Identifier: GPL-2.0
# What Cinder, Longhorn's go-iscsi-helper and Pacemaker's agents call, in their
# order, and what they look for in the answers; with an initiator that is logged in
# when they take things away.
# kernels: oldest
# timeout: 300
# requires: perl tgt-admin iscsid iscsiadm
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/openiscsi.sh"
t_start
own_tgtd=
t_cleanup()
{
	isc_stop
	[ -z "$own_tgtd" ] || kill "$own_tgtd" 2> /dev/null
	rm -f /etc/tgt/targets.conf
	[ ! -e "$T_DIR/targets.conf" ] || cp "$T_DIR/targets.conf" /etc/tgt/
}
mkdir -p /etc/tgt
cp /etc/tgt/targets.conf "$T_DIR/" 2> /dev/null
isc_start
show() { tgtadm --lld iscsi --op show --mode target; }

#
# Cinder: a file of tgt-admin for each volume.
#
mkdir "$T_DIR/volumes"
echo "include $T_DIR/volumes/*" > /etc/tgt/targets.conf
volume=volume-3fa85f64-5717-4562-b3fc-2c963f66afa6
iqn=iqn.2010-10.org.openstack:$volume
truncate -s 32M "$T_DIR/$volume"
show > /dev/null
cat > "$T_DIR/volumes/$volume" <<END

<target $iqn>
    backing-store $T_DIR/$volume
    driver iscsi
    incominguser user4cinder passw4cinder
    bsoflags direct
    write-cache on
    scsi_sn $volume
    scsi_id $volume
</target>
END
sed -i "s/bsoflags direct/bsoflags sync/" "$T_DIR/volumes/$volume"
tid_of() { tgt-admin --show | sed -n "s/^Target \([0-9]*\): $1\$/\1/p"; }
lun_1() { tgt-admin --show | awk -v t="Target $1:" '/^Target/ { own = index($0, t) == 1 } own' |
	grep -qx '        LUN: 1'; }
ok "Cinder: a volume" tgt-admin --update $iqn
tid=$(tid_of $iqn)
like "$tid" '^[0-9]+$' "its target is shown"
ok "its LUN 1 is shown" lun_1 "$tid"
like "$(show)" "SCSI ID: $volume
            SCSI SN: $volume" "its identity is the volume's, in full"
ok "the same again" tgt-admin --update $iqn
tid=$(tid_of $iqn)
ok "is still there" lun_1 "$tid"
ok "a LUN that is missing" tgtadm --lld iscsi --op delete --mode logicalunit --tid "$tid" --lun 1
ok "is made by itself" tgtadm --lld iscsi --op new --mode logicalunit --tid "$tid" --lun 1 -b "$T_DIR/$volume"
ok "and shown" lun_1 "$tid"
like "$(tgtadm --lld iscsi --op new --mode target --tid "$tid" -T $iqn 2>&1)" \
	'target already exists' "one that is there is told so"
isc_find > /dev/null
node() { iscsiadm -m node -T "$name" -p 127.0.0.1 "$@"; }
name=$iqn
node -o update -n node.session.auth.authmethod -v CHAP -n node.session.auth.username -v user4cinder \
	-n node.session.auth.password -v passw4cinder -n node.session.scan -v manual
ok "an initiator" node --login
like "$(tgt-admin --update ALL -v)" 'is in use, it won.t be updated' "a volume in use is not updated"
ok "a volume in use is deleted by force" tgt-admin --delete $iqn -f
is "$(tid_of $iqn)" '' "and is gone"
rm "$T_DIR/volumes/$volume"
out=$(tgt-admin --delete $iqn -f -v)
like "$out" 'does not exist' "once more: it isn't there"
iscsiadm -m session -u > /dev/null 2>&1
iscsiadm -m node -o delete > /dev/null 2>&1

#
# Pacemaker: iSCSITarget and iSCSILogicalUnit.
#
name=iqn.2026-01.com.example:cluster
ok "Pacemaker: a target" tgtadm --lld iscsi --op new --mode target --tid=5 --targetname $name
ok "its parameter" tgtadm --lld iscsi --op update --mode target --tid=5 --name=MaxBurstLength --value=131072
ok "an initiator's address" tgtadm --lld iscsi --op bind --mode target --tid=5 --initiator-address=127.0.0.1
ok "an account" tgtadm --lld iscsi --mode account --op new --user=pcs --password=secretofpcs
ok "for the target" tgtadm --lld iscsi --mode account --op bind --tid=5 --user=pcs
ok "its monitor" grep -Eq "Target [0-9]+: $name" <(show)
ok "a logical unit" tgtadm --lld iscsi --op new --mode logicalunit --tid=5 --lun=1 \
	--bstype=aio --backing-store "$T_DIR/$volume"
ok "its parameters" tgtadm --lld iscsi --op update --mode logicalunit --tid=5 --lun=1 \
	--params ,scsi_id=resource_1,scsi_sn=0cc175b9,vendor_id=PACEMAKER,product_id=disk,
is "$(show | sed -ne "s/^Target \([[:digit:]]\+\): $name$/\1/p")" 5 "its target's number"
ok "its monitor" grep -E -q "[[:space:]]+Backing store.*: $T_DIR/$volume$" <(show)
isc_find > /dev/null
node -o update -n node.session.auth.authmethod -v CHAP -n node.session.auth.username -v pcs \
	-n node.session.auth.password -v secretofpcs -n node.session.scan -v manual
ok "an initiator" node --login
ok "the logical unit is stopped" tgtadm --lld iscsi --op delete --mode logicalunit --tid 5 --lun=1
nok "its monitor" grep -q "$T_DIR/$volume" <(show)
pairs=$(show | awk '/^Target/ { own = $2 == "5:" }
	own && /I_T nexus: / { sid = $3 } own && /Connection: / { print "--sid=" sid, "--cid=" $2 }')
like "$pairs" '^--sid=[0-9]+ --cid=0$' "the session is found"
# shellcheck disable=SC2086
ok "and closed" tgtadm --lld iscsi --op delete --mode connection --tid=5 $pairs
ok "the account goes" tgtadm --lld iscsi --mode account --op unbind --tid=5 --user=pcs
ok "for good" tgtadm --lld iscsi --mode account --op delete --user=pcs
stop_target() { tgtadm --lld iscsi --op delete --mode target --tid=5; }
ok "the target is stopped" wait_for 10 stop_target
is "$(show)" '' "and is gone"
iscsiadm -m session -u > /dev/null 2>&1
iscsiadm -m node -o delete > /dev/null 2>&1

#
# Longhorn: its own tgtd.
#
systemctl stop tgtd
tgtd -f -d 1 > "$T_DIR/tgtd.log" 2>&1 &
own_tgtd=$!
has() { tgtadm --lld iscsi --op show --mode system | grep -q " $1"; }
ok "Longhorn: its tgtd" wait_for 20 has rdwr
ok "has the store" has aio
nok "and not one that nobody has" has longhorn
name=iqn.2019-10.io.longhorn:vol
ok "a target" tgtadm --lld iscsi --op new --mode target --tid 1 -T $name
ok "a logical unit" tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b "$T_DIR/$volume" --bstype aio
ok "thin" tgtadm --lld iscsi --op update --mode logicalunit --tid 1 --lun 1 --params thin_provisioning=1
ok "without a write cache" tgtadm --lld iscsi --op update --mode logicalunit --tid 1 --lun 1 \
	--params mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0
ok "for all" tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
is "$(show | sed -n "/ $name\$/s/^Target \([0-9]*\):.*/\1/p")" 1 "its number"
like "$(iscsiadm -m discovery -t sendtargets -p 127.0.0.1)" " $name\$" "it is discovered"
node -o update -n node.session.err_timeo.abort_timeout -v 15
ok "an initiator" node --login
disk() { ls /sys/class/iscsi_session/session*/device/target*/*:1/block; }
ok "its disk appears" wait_for 20 disk
is "$(cat "/sys/block/$(disk)/device/scsi_disk"/*/cache_type)" 'write through' "without a write cache"
nok "a target in use is not deleted" tgtadm --lld iscsi --op delete --mode target --tid 1
ok "nobody is let in any more" tgtadm --lld iscsi --op unbind --mode target --tid 1 -I ALL
like "$(tgtadm --lld iscsi --op unbind --mode target --tid 1 -I ALL 2>&1)" \
	'this access control rule does not exist' "twice is told so"
conns=$(tgtadm --lld iscsi --op show --mode conn --tid 1)
like "$conns" '^Session: [0-9]+
    Connection: 0
        Initiator: iqn[^ ]*
        IP Address: 127.0.0.1$' "its connections"
sid=$(echo "$conns" | sed -n 's/^Session: //p')
ok "are closed" tgtadm --lld iscsi --op delete --mode conn --tid 1 --sid "$sid" --cid 0
ok "the logical unit goes" tgtadm --lld iscsi --op delete --mode logicalunit --tid 1 --lun 1
ok "and the target" tgtadm --op delete --mode target --tid 1
is "$(show)" '' "nothing is left"
timeout 30 iscsiadm -m session -u > /dev/null 2>&1
kill $own_tgtd
ok "its tgtd ends" wait $own_tgtd
own_tgtd=
done_testing
