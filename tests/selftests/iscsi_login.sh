# SPDX-License-Identifier: GPL-2.0
# Linux's initiator: discovery, every combination of CHAP, digests, a file system;
# and a logical unit that the loop transport has as well is the same disk.
# timeout: 300
# requires: iscsid iscsiadm mkfs.ext4 sg_vpd
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/openiscsi.sh"
t_start
t_cleanup() { umount "$T_DIR/mnt" 2> /dev/null; isc_stop; }
tgt_start
isc_start

truncate -s 96M "$T_DIR/store"
ok "a target" isc_target 1
ok "with a logical unit" isc_lun 1 1 "$T_DIR/store"
isc_adm --mode account --op new --user joe --password 'a secret of joe'
isc_adm --mode account --op new --user tgt --password 'a secret of tgt'
ok "a target for those who authenticate" isc_target 2
isc_adm --mode account --op bind --tid 2 --user joe
isc_adm --mode account --op bind --tid 2 --user tgt --outgoing
is "$(isc_find | sort)" "$isc_ip:3260,1 $(tgt_name 1)
$isc_ip:3260,1 $(tgt_name 2)" "discovery shows both"

#
# CHAP, without a look at the disks
#
isc_set 2 node.session.scan manual
login() { isc_login 2 && isc_logout 2; }
chap()			# algorithms, name, password, target's name, target's password
{
	local a=node.session.auth
	isc_set 2 $a.authmethod CHAP $a.chap_algs "$1" $a.username "$2" $a.password "$3" \
		$a.username_in "${4:-}" $a.password_in "${5:-}"
	login
}
nok "without CHAP" login
ok "one-way by MD5" chap MD5 joe 'a secret of joe'
ok "one-way by one of all" chap SHA3-256,SHA256,SHA1,MD5 joe 'a secret of joe'
for alg in MD5 SHA1 SHA256 SHA3-256; do
	ok "mutual by $alg" chap $alg joe 'a secret of joe' tgt 'a secret of tgt'
done
nok "a wrong password" chap SHA256 joe 'a secret of bob'
nok "a wrong name" chap SHA256 bob 'a secret of joe'
nok "the target's account" chap SHA256 tgt 'a secret of tgt'
nok "mutual, the target's password is another" chap SHA256 joe 'a secret of joe' tgt 'another'
is "$(isc_sessions 2)" 0 "no session is left of these"
like "$(journalctl -u tgtd -b --no-pager -o cat)" \
	'127.0.0.1: login of iqn[^ ]* to iqn[^ ]*:t2 refused \(0201\): wrong name or password' \
	"tgtd says who was refused"

discover()		# settings of the record
{
	local args=(-n discovery.sendtargets.auth.authmethod -v CHAP)
	iscsiadm -m discoverydb -t st -p $isc_ip -o delete > /dev/null 2>&1
	iscsiadm -m discoverydb -t st -p $isc_ip -o new > /dev/null
	while [ $# -ge 2 ]; do
		args+=(-n "discovery.sendtargets.auth.$1" -v "$2")
		shift 2
	done
	[ ${#args[@]} -eq 4 ] || iscsiadm -m discoverydb -t st -p $isc_ip -o update "${args[@]}"
	iscsiadm -m discoverydb -t st -p $isc_ip -D -o nonpersistent | grep -q "$(tgt_name 1)"
}
isc_adm --mode account --op bind --user joe
isc_adm --mode account --op bind --user tgt --outgoing
nok "discovery without CHAP" discover
ok "discovery with CHAP" discover username joe password 'a secret of joe'
ok "with mutual CHAP" discover username joe password 'a secret of joe' \
	username_in tgt password_in 'a secret of tgt'
nok "with a wrong password" discover username joe password 'a secret of bob'
nok "where the target's password is another" discover username joe password 'a secret of joe' \
	username_in tgt password_in 'another'
isc_adm --mode account --op unbind --user joe
isc_adm --mode account --op unbind --user tgt --outgoing
isc_find > /dev/null

#
# Digests
#
digests()		# header, data
{
	isc_set 1 'node.conn[0].iscsi.HeaderDigest' "$1" 'node.conn[0].iscsi.DataDigest' "$2"
	ok "login with digests $1 and $2" isc_login 1
	like "$(iscsiadm -m session -P 2)" "HeaderDigest: $1
.*DataDigest: $2" "they are agreed on"
}
isc_set 1 node.session.scan manual
digests CRC32C None
ok "logout" isc_logout 1
isc_set 1 node.session.scan auto

#
# A file system
#
digests CRC32C CRC32C
ok "its disk appears" isc_wait_disk 1 1
disk=$(isc_disk 1 1)
mkdir "$T_DIR/mnt"
tree=/usr/lib/udev
ok "mkfs" mkfs.ext4 -q "$disk"
ok "mount" mount "$disk" "$T_DIR/mnt"
ok "a copy" cp -a "$tree" "$T_DIR/mnt/copy"
ok "umount" umount "$T_DIR/mnt"
ok "logout" isc_logout 1
nok "the disk is gone" isc_disk 1 1
ok "tgtd knows" wait_for 10 isc_no_sessions 1
digests None CRC32C
ok "its disk appears" isc_wait_disk 1 1
disk=$(isc_disk 1 1)
ok "the file system is clean" e2fsck -fn "$disk"
ok "mount" mount "$disk" "$T_DIR/mnt"
ok "the copy is what was copied" diff -r "$tree" "$T_DIR/mnt/copy"
ok "umount" umount "$T_DIR/mnt"

#
# The same logical unit by loop
#
ok "a target of driver loop" tgt_target 3
ok "with the same logical unit, as LUN 5" tgt_lun 3 5 "$T_DIR/store"
ok "its disk appears" tgt_wait_disk 3 5
here=$(tgt_disk 3 5) || bail "no disk"
nok "these are two disks here" test "$here" = "$disk"
same() { is "$("$@" "$here")" "$("$@" "$disk")" "$* is the same"; }
same sg_vpd -p sn
same sg_vpd -p di_lu -q
id_of() { udevadm info -q property -n "$1" | grep -E '^(ID_SERIAL|ID_SERIAL_SHORT|ID_WWN)=' | sort; }
same id_of
like "$(id_of "$here")" 'ID_SERIAL=.*ID_WWN=' "and there"
ok "what one wrote the other reads" cmp -n 4M "$here" "$disk"
ok "logout" isc_logout 1
ok "no session is left" isc_none
ok "the other goes on" dd if="$here" of=/dev/null bs=64k count=16 iflag=direct
isc_stop
tgt_stop
done_testing
