# SPDX-License-Identifier: GPL-2.0
# Everything at once, at random: tgtd killed, stopped and restarted, logical units,
# targets and hosts that come and go, resets, rescans, updates, modules removed
# and loaded again, all under a verified load.  No error is seen, and nothing is left.
#
# $T_MINUTES (else 20 seconds) in rounds of a minute, from $T_SEED: `make soak`.
# timeout: 300
# requires: fio sg_reset sg_dd
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start

seed=${T_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
length=$((${T_MINUTES:-0} * 60))
[ $length -gt 0 ] || length=20
end=$((SECONDS + length))
declare -A count=()
others=()
diag "seed $seed, $length seconds"

t_cleanup()
{
	local p
	touch "$T_DIR/stop"
	for p in "${others[@]}"; do kill -KILL "$p" 2> /dev/null; done
	p=$(tgt_pid)
	signal CONT "$p"
}

below() { echo $((RANDOM % $1)); }		# from 0
pause() { sleep "$(below "$1").$(below 10)"; }
quietly() { timeout 60 "$@" > /dev/null 2>&1; }
sysfs() { [ ! -w "$2" ] || echo "$1" 2> /dev/null > "$2"; }

# Writes, and reads back, until told to stop; every pass verified.
load()			# device
{
	local n=1
	until [ -e "$T_DIR/stop" ]; do
		fio --name=w --filename="$1" --ioengine=libaio --direct=1 --rw=randwrite \
			--bsrange=4k-64k --iodepth=16 --size=12M --verify=crc32c --verify_fatal=1 \
			--verify_state_save=0 --randseed=$((seed + n)) > "$T_DIR/fio.out" 2>&1 || return 1
		n=$((n + 1))
	done
	echo $((n - 1)) > "$T_DIR/passes"
}

# Whatever comes of it: its host fails commands when the helper dies.
hammer()
{
	local dev
	until [ -e "$T_DIR/stop" ]; do
		dev=$(tgt_disk 2 1) && timeout 60 dd if=/dev/zero of="$dev" bs=64k count=64 \
			oflag=direct conv=nocreat status=none 2> /dev/null
		sleep 0.2
	done
}

#
# What happens.  tgtd may be dead or hung at any of these, so that none has to succeed.
#

# Between two of them there is none, and process 0 would be this test's group.
signal()		# signal, pid
{
	[ "${2:-0}" -gt 0 ] && kill "-$1" "$2" 2> /dev/null
}
do_kill() { signal KILL "$(tgt_pid)"; }

do_stop()
{
	local p
	p=$(tgt_pid)
	signal STOP "$p" || return
	pause 4
	[ "$(below 4)" != 0 ] || signal KILL "$p"
	signal CONT "$p"
}

do_restart() { quietly systemctl restart tgtd.service; }

do_lun()
{
	local lun=$((2 + $(below 3))) dev
	quietly tgt_lun 1 $lun "$T_DIR/b"
	pause 1
	if dev=$(tgt_disk 1 $lun); then
		quietly dd if=/dev/zero of="$dev" bs=64k count=100 oflag=direct conv=nocreat &
		others+=($!)
	fi
	quietly tgt_lun_del 1 $lun
}

do_target()
{
	local dev
	quietly tgt_target 3 --params "policy=$([ "$(below 2)" = 0 ] && echo fail || echo requeue)"
	quietly tgt_lun 3 1 16M --bstype mem
	pause 1
	if dev=$(tgt_disk 3 1); then
		quietly dd if=/dev/zero of="$dev" bs=64k count=1000 oflag=direct conv=nocreat &
		others+=($!)
	fi
	quietly tgt_target_del 3
}

do_reset()
{
	local dev kinds=(-d -t -b -H)
	dev=$(tgt_disk $((1 + $(below 2))) 1) || return
	quietly sg_reset "${kinds[$(below 4)]}" "$dev"
}

do_rescan()
{
	local h
	h=$(tgt_host 1) || return
	for h in "$h"/host*/scsi_host/host*/scan; do sysfs '- - -' "$h"; done
	for h in /sys/class/scsi_tgt/*/host*/target*/*/rescan; do sysfs 1 "$h"; done
}

do_update()
{
	quietly tgtadm --lld loop --mode logicalunit --op update --tid 1 --lun 1 \
		--params "product_rev=$(below 1000)"
	quietly tgtadm --lld loop --mode logicalunit --op update --tid 2 --lun 1 \
		--params "online=$(below 2)"
	quietly tgtadm --mode target --op show
	quietly tgtadm --mode target --op stat --tid 1
}

# A host of another helper's, which is killed, or told to end.
do_host()
{
	local pid h
	"$T_BIN/examples/ramdisk" "soak-$BASHPID-$SECONDS" 8 > "$T_DIR/ramdisk" 2>&1 &
	pid=$!
	pause 2
	if [ "$(below 2)" = 0 ]; then
		kill -TERM $pid 2> /dev/null
	else
		kill -KILL $pid 2> /dev/null
		for h in /sys/class/scsi_tgt/*; do
			[[ $(cat "$h/name" 2> /dev/null) != soak-* ]] || sysfs 1 "$h/delete"
		done
	fi
	others+=($pid)
}

actions=(kill kill kill stop stop restart lun lun target target reset reset rescan update host)

act()
{
	local a=${actions[$(below ${#actions[@]})]}
	count[$a]=$((${count[$a]:-0} + 1))
	"do_$a"
	case $(below 3) in
	0)	pause 2 ;;
	1)	sleep 0.$(below 10) ;;
	esac
}

# Those that are not tgtd's: tgt_stop would not know what to do with them.
no_foreign()
{
	! cat /sys/class/scsi_tgt/*/name 2> /dev/null | grep -q ^soak-
}

end_others()
{
	local p h
	for p in "${others[@]}"; do
		timeout 100 tail --pid="$p" -f /dev/null || kill -KILL "$p"
		wait "$p" 2> /dev/null
	done
	others=()
	for h in /sys/class/scsi_tgt/*; do
		[[ $(cat "$h/name" 2> /dev/null) != soak-* ]] || sysfs 1 "$h/delete"
	done
	wait_for 60 no_foreign
}

up() { [ "$(cat "$(tgt_host "$1")/state")" = up ]; }

round()
{
	local dev writer hammerer until=$((SECONDS + 60)) n=0
	[ $until -lt $end ] || until=$end
	rm -f "$T_DIR"/{stop,passes,fio.out}
	tgt_start
	truncate -s 32M "$T_DIR/a" "$T_DIR/b" "$T_DIR/c"
	ok "a target" tgt_target 1 --params "nr_queues=$((1 + $(below 2))),tmf_received_ms=3000,tmf_done_ms=5000,recovery_ms=120000"
	ok "its logical unit" tgt_lun 1 1 "$T_DIR/a"
	ok "a target that fails commands" tgt_target 2 --params policy=fail
	ok "its logical unit" tgt_lun 2 1 "$T_DIR/c"
	ok "the disk appears" tgt_wait_disk 1 1
	dev=$(tgt_disk 1 1) || bail "no disk"
	load "$dev" & writer=$!
	hammer & hammerer=$!
	while [ $SECONDS -lt $until ] || [ $n -lt 5 ]; do
		act
		n=$((n + 1))
		kill -0 $writer 2> /dev/null || break
	done
	touch "$T_DIR/stop"
	ok "every write was verified" wait $writer || diag "$(tail -5 "$T_DIR/fio.out")"
	wait $hammerer
	ok "nothing of other helpers is left" end_others
	ok "tgtd answers" wait_for 60 tgt_answers
	ok "the host is up" wait_for 60 up 1
	diag "passes: $(cat "$T_DIR/passes"), requeued: $(tgt_stat 1 requeued), failed:" \
		"$(tgt_stat 1 failed), $(tgt_stat 2 failed), in $n events"
	for n in 1 2; do
		ok "target $n: every command was given back" wait_for 20 tgt_balanced $n
	done
	tgt_stop
}

while [ $SECONDS -lt $end ]; do round; done
diag "$(for a in "${!count[@]}"; do echo -n "$a ${count[$a]} "; done)"
done_testing
