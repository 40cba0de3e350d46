# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# tgtd's iSCSI targets and Linux's initiator (open-iscsi), for tests in shell;
# after tap.sh and loop.sh, of which tgt_name and the like are used.
#
#	isc_start		tgtd without a kernel module, and iscsid
#	isc_target TID [tgtadm options]		makes target TID, open to all
#	isc_lun TID LUN PATH [options]
#	isc_adm ...		tgtadm --lld iscsi
#	isc_find [IP]		discovery: the records of the targets that are shown
#	isc_node TID ...	iscsiadm --mode node on the record of target TID
#	isc_set TID NAME VALUE...	changes settings of that record
#	isc_login TID, isc_logout TID
#	isc_disk TID LUN [N]	prints /dev/sdX of the (first) session when it is there
#	isc_wait_disk TID LUN	until udev is done with it, too
#	isc_sessions TID	how many tgtd has
#	isc_stop		logout of all, and iscsid ends; by t_cleanup, too
#
# isc_ip is the portal that they use.  iscsid's log is $T_DIR/iscsid.

isc_ip=127.0.0.1
isc_pid=

isc_adm() { tgtadm --lld iscsi "$@"; }
isc_iscsid() { iscsiadm -m session 2>&1 | grep -qE 'No active sessions|^tcp'; }

isc_start()
{
	local conf=/etc/iscsi/iscsid.conf
	modprobe iscsi_tcp || bail "iscsi_tcp can't be loaded"
	systemctl start tgtd || bail "tgtd doesn't start"
	wait_for 30 tgt_answers || bail "tgtd doesn't answer"
	grep -q '^InitiatorName=' /etc/iscsi/initiatorname.iscsi 2> /dev/null ||
		echo "InitiatorName=iqn.2026-01.org.example:me" > /etc/iscsi/initiatorname.iscsi
	systemctl -q stop iscsid.socket iscsid.service 2> /dev/null
	[ -e $conf.orig ] || cp $conf $conf.orig
	rm -rf /etc/iscsi/nodes /etc/iscsi/send_targets /var/lib/iscsi
	cat > $conf <<-END
	iscsid.startup = /bin/true
	node.startup = manual
	node.leading_login = No
	node.session.timeo.replacement_timeout = 120
	node.conn[0].timeo.login_timeout = 30
	node.conn[0].timeo.logout_timeout = 15
	node.conn[0].timeo.noop_out_interval = 2
	node.conn[0].timeo.noop_out_timeout = 4
	node.session.initial_login_retry_max = 2
	discovery.sendtargets.auth.chap_algs = SHA3-256,SHA256,SHA1,MD5
	node.session.iscsi.InitialR2T = No
	node.session.iscsi.ImmediateData = Yes
	END
	# At its end it ends its process group.
	setsid iscsid -f -d 1 > "$T_DIR/iscsid" 2>&1 &
	isc_pid=$!
	wait_for 20 isc_iscsid || bail "iscsid doesn't answer: $(tail -3 "$T_DIR/iscsid")"
}

isc_target()
{
	local tid=$1
	shift
	isc_adm --mode target --op new --tid "$tid" --targetname "$(tgt_name "$tid")" "$@" &&
		isc_adm --mode target --op bind --tid "$tid" -I ALL
}

isc_lun()
{
	local tid=$1 lun=$2 path=$3
	shift 3
	isc_adm --mode logicalunit --op new --tid "$tid" --lun "$lun" --backing-store "$path" "$@"
}

isc_find() { iscsiadm -m discovery -t sendtargets -p "${1:-$isc_ip}"; }

isc_node()
{
	local tid=$1
	shift
	iscsiadm -m node -T "$(tgt_name "$tid")" -p "$isc_ip" "$@"
}

isc_set()
{
	local tid=$1 args=()
	shift
	while [ $# -ge 2 ]; do
		args+=(-n "$1" -v "$2")
		shift 2
	done
	isc_node "$tid" -o update "${args[@]}"
}

isc_login() { isc_node "$1" --login; }
isc_logout() { isc_node "$1" --logout; }

# By the session's target name in sysfs.
isc_disk()
{
	local s b n=${3:-1} lun=$2
	[ "$lun" -lt 256 ] || lun=$((lun + 0x4000))
	for s in /sys/class/iscsi_session/session*; do
		[ "$(cat "$s/targetname" 2> /dev/null)" = "$(tgt_name "$1")" ] || continue
		[ $((n -= 1)) -le 0 ] || continue
		for b in "$s"/device/target*/*:"$lun"/block/*; do
			[ -b "/dev/${b##*/}" ] || continue
			echo "/dev/${b##*/}"
			return
		done
		return 1
	done
	return 1
}

isc_wait_disk() { wait_for "${3:-30}" isc_disk "$1" "$2" && udevadm settle -t 30; }
isc_sessions() { isc_adm --mode target --op show | awk -v t="Target $1:" \
	'/^Target/ { own = index($0, t) == 1 } own && /I_T nexus: / { n++ } END { print n + 0 }'; }
isc_no_sessions() { [ "$(isc_sessions "$1")" = 0 ]; }
isc_none() { ! iscsiadm -m session; }
# What iscsid says of them.
isc_state() { cat /sys/class/iscsi_session/session*/state 2> /dev/null | sort | uniq -c | xargs; }
isc_logged_in() { [ "$(isc_state)" = "${1:-1} LOGGED_IN" ]; }

# Sessions first, while somebody answers: a disk without its target takes minutes to go.
isc_stop()
{
	[ -z "$isc_pid" ] || {
		tgt_answers > /dev/null 2>&1 || systemctl start tgtd
		timeout 60 iscsiadm -m session -u > /dev/null 2>&1
		wait_for 20 isc_none
		kill "$isc_pid"
		wait "$isc_pid"
		isc_pid=
		mv /etc/iscsi/iscsid.conf.orig /etc/iscsi/iscsid.conf
	} 2> /dev/null
}

#
# I/O that is checked: isc_writer DISK writes and reads back until
# isc_writer_end, which says whether all was right.
#
isc_writer()
{
	rm -f "$T_DIR/enough"
	(
		passes=0
		until [ -e "$T_DIR/enough" ]; do
			fio --name=w --filename="$1" --ioengine=libaio --direct=1 --rw=randwrite \
				--bsrange=4k-64k --iodepth=16 --size=8M --verify=crc32c \
				--verify_fatal=1 --randseed=$((passes + 1)) \
				> "$T_DIR/fio" 2>&1 || exit 1
			passes=$((passes + 1))
			echo $passes > "$T_DIR/passes"
		done
	) &
	isc_writer_pid=$!
}

isc_writer_end()
{
	touch "$T_DIR/enough"
	wait "$isc_writer_pid" || { tail -20 "$T_DIR/fio"; return 1; }
	echo "# passes: $(cat "$T_DIR/passes")"
}
