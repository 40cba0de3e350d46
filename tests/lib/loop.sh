# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Disks that tgtd serves by the loop transport, for tests in shell; after tap.sh.
#
#	tgt_start		modules loaded, tgtd launched by udev and answering
#	tgt_target TID [tgtadm options]	makes target TID, named $(tgt_name TID)
#	tgt_lun TID LUN PATH [options]	makes a logical unit
#	tgt_lun_del TID LUN, tgt_target_del TID
#	tgt_disk TID LUN	prints /dev/sdX when it is there; fails if not
#	tgt_host TID		prints the host's directory in sysfs
#	tgt_stat TID NAME	prints a counter
#	tgt_pid			of tgtd
#	tgt_stop		everything is deleted, tgtd stopped, modules removed

tgt_name() { echo "iqn.2026-01.org.example:t$1"; }
tgt_pid() { systemctl show -P MainPID tgtd.service; }
tgt_answers() { tgtadm --mode system --op show; }

tgt_start()
{
	modprobe scsi_tgt_loop || bail "the modules can't be loaded"
	wait_for 30 tgt_answers || bail "tgtd doesn't answer"
}

tgt_target()
{
	local tid=$1
	shift
	tgtadm --lld loop --mode target --op new --tid "$tid" \
		--targetname "$(tgt_name "$tid")" "$@"
}

tgt_lun()
{
	local tid=$1 lun=$2 path=$3
	shift 3
	tgtadm --lld loop --mode logicalunit --op new --tid "$tid" \
		--lun "$lun" --backing-store "$path" "$@"
}

tgt_lun_del()
{
	tgtadm --lld loop --mode logicalunit --op delete --tid "$1" --lun "$2"
}

tgt_target_del()
{
	tgtadm --lld loop --mode target --op delete --force --tid "$1"
}

tgt_host()
{
	local h
	for h in /sys/class/scsi_tgt/*; do
		[ "$(cat "$h/name" 2> /dev/null)" = "$(tgt_name "$1")" ] || continue
		echo "$h"
		return
	done
	return 1
}

# Linux shows LUNs from 256 on by their flat space address (SAM-5, 4.7.7.3).
tgt_disk()
{
	local b lun=$2
	[ "$lun" -lt 256 ] || lun=$((lun + 0x4000))
	for b in "$(tgt_host "$1")"/host*/target*/*:"$lun"/block/*; do
		[ -b "/dev/${b##*/}" ] || continue
		echo "/dev/${b##*/}"
		return
	done
	return 1
}

tgt_no_disk() { ! tgt_disk "$@"; }
tgt_state_is() { [ "$(cat "$(tgt_host "$1")/state")" = "$2" ]; }
tgt_stat() { cat "$(tgt_host "$1")/stats/$2"; }
tgt_no_hosts() { [ -z "$(ls /sys/class/scsi_tgt)" ]; }
tgt_unloaded() { [ ! -e /sys/module/scsi_tgt ]; }

# Created = destroyed: what a host has taken it has given back.
tgt_balanced() { [ "$(tgt_stat "$1" queued)" = "$(tgt_stat "$1" done)" ]; }

# Ready to use: there, and udev has done with it.
tgt_wait_disk()
{
	wait_for "${3:-30}" tgt_disk "$1" "$2" && udevadm settle -t 30
}

tgt_stop()
{
	local h
	for h in /sys/class/scsi_tgt/*; do
		[ -e "$h" ] || continue
		h=$(cat "$h/name")
		tgt_target_del "${h##*:t}"
	done
	ok "all hosts are gone" wait_for 30 tgt_no_hosts
	ok "tgtd stops" systemctl stop tgtd.service
	ok "the modules are removed" wait_for 20 modprobe -r scsi_tgt_loop scsi_tgt
	ok "nothing of them is left" wait_for 10 tgt_unloaded
}
