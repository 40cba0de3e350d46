# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Disks of this machine by open-iscsi, and commands by sg_raw; after tap.sh and loop.sh.
#
#	iscsi_target TID	makes iSCSI target TID, open to all, at 127.0.0.1
#	iscsi_login TID		logs in; iscsi_logout TID
#	iscsi_disk TID LUN	prints /dev/sdX when it is there; fails if not
#	iscsi_lun TID LUN PATH [options]	makes a logical unit
#	sense CMD...		runs sg_raw and the like, and prints what the command ended
#				with: "good", or "sense key, additional sense"

iscsi_target()
{
	tgtadm --lld iscsi --mode target --op new --tid "$1" --targetname "$(tgt_name "$1")" &&
		tgtadm --lld iscsi --mode target --op bind --tid "$1" --initiator-address ALL
}

iscsi_lun()
{
	local tid=$1 lun=$2 path=$3
	shift 3
	tgtadm --lld iscsi --mode logicalunit --op new --tid "$tid" --lun "$lun" \
		--backing-store "$path" "$@"
}

iscsi_login()
{
	modprobe iscsi_tcp && systemctl start iscsid &&
		iscsiadm -m discovery -t st -p 127.0.0.1 > /dev/null &&
		iscsiadm -m node -T "$(tgt_name "$1")" -p 127.0.0.1 --login
}

iscsi_logout() { iscsiadm -m node -T "$(tgt_name "$1")" -p 127.0.0.1 --logout; }

iscsi_disk()
{
	local s b
	for s in /sys/class/iscsi_session/*; do
		[ "$(cat "$s/targetname" 2> /dev/null)" = "$(tgt_name "$1")" ] || continue
		for b in "$s"/device/target*/*:"$2"/block/*; do
			[ -b "/dev/${b##*/}" ] || continue
			echo "/dev/${b##*/}"
			return
		done
	done
	return 1
}

sense()
{
	local out
	if out=$("$@" 2>&1); then echo good; return; fi
	out=$(sed -n 's/.*[Ss]ense key: *\([^;]*[a-z]\) *$/\1/p; s/.*Additional sense: *\(.*[a-z]\) *$/\1/p' <<< "$out" |
		paste -sd, | sed 's/,/, /')
	echo "${out:-failed: $("$@" 2>&1 | tail -3)}"
}
