# SPDX-License-Identifier: GPL-2.0
# A configuration brings disks and iSCSI targets back after a reboot, with the same serials;
# a wrong line in it is named, and the rest still starts.
# own-vm: yes
# boots: 2
# timeout: 200
# requires: iscsi-inq iscsi-ls
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start

# What has to survive the first boot is on the scratch disk.
keep=/mnt/keep
mkdir -p $keep
[ "$T_BOOT" != 1 ] || mkfs.ext4 -q /dev/vdb
mount /dev/vdb $keep
mkdir -p $keep/etc $keep/lib /etc/tgt /var/lib/tgtd
mount --bind $keep/etc /etc/tgt
mount --bind $keep/lib /var/lib/tgtd

if [ "$T_BOOT" = 1 ]; then
	truncate -s 64M $keep/image
	cat > /etc/tgt/tgtd.conf <<-END
	# a comment
	--lld loop --mode target --op new --tid 1 --targetname $(tgt_name 1)
	--lld loop --mode target --op nonsense --tid 2
	--lld loop --mode logicalunit --op new --tid 1 --lun 1 --backing-store $keep/image
	--lld loop --mode logicalunit --op new --tid 1 --lun 2 --backing-store $keep/missing
	--lld loop --mode logicalunit --op new --tid 1 --lun 3 --bstype mem --backing-store 16M
	--lld iscsi --mode target --op new --tid 2 --targetname $(tgt_name 2)
	--mode target --op bind --tid 2 --initiator-address 127.0.0.1
	--mode logicalunit --op new --tid 2 --lun 1 --backing-store $keep/image
	--mode logicalunit --op new --tid 2 --lun 2 --bstype mem --backing-store 16M
	END
	chmod 600 /etc/tgt/tgtd.conf
fi

tgt_start
ok "the first disk is there" tgt_wait_disk 1 1
ok "and the third" tgt_wait_disk 1 3
nok "the second is not" tgt_disk 1 2
serial() { sg_inq -p 0x80 "$(tgt_disk 1 "$1")" | sed -n 's/.*number: //p'; }
naa() { sg_vpd -p di "$(tgt_disk 1 "$1")" | grep 0x; }
log=$(journalctl -u tgtd --no-pager -b)
iscsi() { timeout 20 iscsi-inq -e 1 -c "$2" "iscsi://127.0.0.1/$(tgt_name 2)/$1"; }
identities() { for lun in 1 2; do iscsi $lun 128; iscsi $lun 131 | sha1sum; done; }
like "$(timeout 20 iscsi-ls iscsi://127.0.0.1)" "Target:$(tgt_name 2) Portal:127.0.0.1:3260,1" \
	"the iSCSI target is there"
like "$(iscsi 2 128)" 'Unit Serial Number:' "and its logical units"
like "$log" 'tgtd.conf:3: ' "the wrong line is named"
like "$log" 'tgtd.conf:5: .*missing' "and the one whose file isn't there"

if [ "$T_BOOT" = 1 ]; then
	serial 1 > $keep/serials
	serial 3 >> $keep/serials
	naa 1 >> $keep/serials
	identities > $keep/iscsi
	nok "serials differ" test "$(serial 1)" = "$(serial 3)"
else
	is "$(serial 1; serial 3; naa 1)" "$(cat $keep/serials)" "serials and NAA are those of before"
	is "$(identities)" "$(cat $keep/iscsi)" "those by iSCSI, too"
fi
sync
done_testing
