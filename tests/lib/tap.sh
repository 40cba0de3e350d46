# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# TAP for selftests in shell.  A test begins with
#
#	. "$TREE/tests/lib/tap.sh"
#	t_start
#
# and ends with done_testing, which prints the plan and exits.  A test that
# ends in any other way has failed.
#
#	ok TEXT CMD...		CMD succeeds (what it prints is shown if not)
#	nok TEXT CMD...		CMD fails
#	is GOT WANT TEXT	strings are equal
#	like GOT ERE TEXT	string matches the regular expression
#	pass TEXT, fail TEXT
#	skip TEXT REASON	one test is not run; skip_all REASON: none is
#	diag TEXT...		a comment
#	bail TEXT		it makes no sense to go on
#	wait_for SECONDS CMD...	until CMD succeeds; fails when the time is over, and
#				shows what CMD printed last
#	t_cleanup()		define it: it is called at the end, however that comes
#
# Given by the runner: TREE (the shared tree), T_DIR (a directory on tmpfs that
# is removed after the test), T_BIN (built selftests and examples), T_BOOT
# (which boot this is, from 1).

set -u

t_count=0
t_failed=0
t_ended=

t_start()
{
	: "${T_DIR:?the selftests are run by tests/run}"
	trap t_exit EXIT
}

t_exit()
{
	local rc=$?
	trap - EXIT
	if declare -F t_cleanup > /dev/null; then t_cleanup; fi
	if [ -z "$t_ended" ]; then
		echo "# ended early, exit status $rc"
		exit 1
	fi
	exit "$rc"
}

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

pass()
{
	t_count=$((t_count + 1))
	echo "ok $t_count - $1"
}

fail()
{
	t_count=$((t_count + 1))
	t_failed=$((t_failed + 1))
	echo "not ok $t_count - $1"
	diag "at ${BASH_SOURCE[-1]##*/} line ${BASH_LINENO[-2]}"
	return 1
}

ok()
{
	local text=$1 out rc=0
	shift
	out=$T_DIR/.ok.$BASHPID
	"$@" > "$out" 2>&1 || rc=$?
	if [ $rc -eq 0 ]; then
		pass "$text"
	else
		fail "$text"
		diag "exit status $rc of: $*"
		diag "$(tail -50 "$out")"
	fi
	rm -f "$out"
	return $rc
}

nok()
{
	local text=$1 out rc=0
	shift
	out=$T_DIR/.ok.$BASHPID
	"$@" > "$out" 2>&1 || rc=$?
	if [ $rc -ne 0 ]; then
		pass "$text"
	else
		fail "$text"
		diag "should have failed: $*"
		diag "$(tail -50 "$out")"
	fi
	rm -f "$out"
	[ $rc -ne 0 ]
}

is()
{
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		fail "$3"
		diag "got:    $1"
		diag "wanted: $2"
		return 1
	fi
}

like()
{
	if [[ $1 =~ $2 ]]; then
		pass "$3"
	else
		fail "$3"
		diag "got:    $1"
		diag "wanted: /$2/"
		return 1
	fi
}

skip()
{
	t_count=$((t_count + 1))
	echo "ok $t_count - $1 # SKIP $2"
}

skip_all()
{
	echo "1..0 # SKIP $*"
	t_ended=yes
	exit 77
}

bail()
{
	fail "$*" || :
	done_testing
}

done_testing()
{
	echo "1..$t_count"
	t_ended=yes
	[ $t_failed -eq 0 ] && [ $t_count -gt 0 ] && exit 0
	exit 1
}

wait_for()
{
	local end=$((SECONDS + $1 + 1))
	shift
	while ! "$@" > "$T_DIR/.waited" 2>&1; do
		[ $SECONDS -lt $end ] || { cat "$T_DIR/.waited"; return 1; }
		sleep 0.1
	done
}
