# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests/host: a tgtd of the test's own on this machine's loopback, without
# kernel modules and without root.  A test is run from anywhere, and begins with
#
#	cd "$(dirname "$0")/../.." || exit
#	. tests/lib/iscsi.sh
#
#	$bin			where tgtd and tgtadm are; HOST_SAN=1: those with sanitizers
#	$port $name $url	a port that is the test's, as is the next; a target's name;
#				iscsi://HOST:PORT
#	start_tgtd [OPTION...]	and waits until it answers; its pid in $tgtd_pid
#	stop_tgtd		SIGTERM; its exit status in $tgtd_status
#	adm, adm_target		tgtadm --lld iscsi [--mode target]
#	t CMD...		a command of libiscsi, with an end
#	inq URL [INITIATOR]	logs in and out
#	seen [INITIATOR]	how many targets discovery shows

set -u -o pipefail
T_DIR=$(mktemp -d)
export T_DIR
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh

bin=build/usr${HOST_SAN:+-san}
# Below the range that initiators get theirs from: one in TIME_WAIT would be in use.
port=$((10000 + $$ % 4500 * 2))
name=iqn.2024-01.example:t
url=iscsi://127.0.0.1:$port
tgtd_pid=
others=()		# pids to kill at the end

t_cleanup()
{
	local p
	for p in $tgtd_pid "${others[@]}"; do kill -9 "$p" 2> /dev/null; done
	rm -rf "$T_DIR"
}
t_start

for tool in iscsi-ls iscsi-inq iscsi-perf iscsi-test-cu; do
	command -v $tool > /dev/null || skip_all "$tool is missing: apt-get install libiscsi-bin"
done
[ -x $bin/tgtd ] || bail "$bin/tgtd isn't built"

export TGT_IPC_SOCKET=$T_DIR/sock TGTD_CONFIG=$T_DIR/conf TGTD_STATE=$T_DIR/state \
	TGTD_IDENTITY=$T_DIR/identity TGTD_RESERVATIONS=$T_DIR/reservations \
	TGTD_UNITS=$T_DIR/units
install -m 600 /dev/null "$TGTD_CONFIG"

adm() { timeout 20 $bin/tgtadm --lld iscsi "$@"; }
adm_target() { adm --mode target "$@"; }
answers() { adm --mode system --op show > /dev/null 2>&1; }

start_tgtd()
{
	$bin/tgtd -f "$@" >> "$T_DIR/log" 2>&1 &
	tgtd_pid=$!
	wait_for 20 answers
}

wait_tgtd()
{
	timeout 20 tail --pid="$tgtd_pid" -f /dev/null
	tgtd_status=none
	kill -0 "$tgtd_pid" 2> /dev/null && return
	wait "$tgtd_pid"
	# shellcheck disable=SC2034
	tgtd_status=$?
	tgtd_pid=
}

stop_tgtd()
{
	kill -TERM "$tgtd_pid"
	wait_tgtd
}

t() { timeout 60 "$@" < /dev/null; }
inq() { t iscsi-inq -i "${2:-iqn.2024-01.example:me}" "$1" > /dev/null 2>&1; }
seen() { t iscsi-ls -i "${1:-iqn.2024-01.example:me}" $url 2> /dev/null | grep -c "^Target:$name"; }

# The number of the first session of target 1, if there is one.
session() { adm_target --op show | sed -n 's/^ *I_T nexus: //p' | head -1; }
has_session() { [ -n "$(session)" ]; }
no_session() { [ -z "$(session)" ]; }
