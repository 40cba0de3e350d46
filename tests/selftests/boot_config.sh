# SPDX-License-Identifier: GPL-2.0
# A configuration brings the disks back after a reboot, with the same serials;
# a wrong line in it is named, and the rest still starts.
# own-vm: yes
# boots: 2
# timeout: 200
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
like "$log" 'tgtd.conf:3: ' "the wrong line is named"
like "$log" 'tgtd.conf:5: .*missing' "and the one whose file isn't there"

if [ "$T_BOOT" = 1 ]; then
	serial 1 > $keep/serials
	serial 3 >> $keep/serials
	naa 1 >> $keep/serials
	nok "serials differ" test "$(serial 1)" = "$(serial 3)"
else
	is "$(serial 1; serial 3; naa 1)" "$(cat $keep/serials)" "serials and NAA are those of before"
fi
sync
done_testing
