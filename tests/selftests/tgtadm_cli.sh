# SPDX-License-Identifier: GPL-2.0
# tgtadm's exit statuses and messages, and who may use it.
# kernels: oldest
# timeout: 180
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start

# Runs tgtadm: its status in $rc, what it said in $out and $err.
run()
{
	rc=0
	tgtadm "$@" > "$T_DIR/out" 2> "$T_DIR/err" || rc=$?
	out=$(cat "$T_DIR/out")
	err=$(cat "$T_DIR/err")
}

refused()		# status, message, arguments
{
	local status=$1 message=$2
	shift 2
	run "$@"
	is "$rc" "$status" "tgtadm $*: exit status"
	like "$err" "^tgtadm: .*$message" "tgtadm $*: message"
	is "$(wc -l < "$T_DIR/err")" 1 "tgtadm $*: one line"
	is "$out" "" "tgtadm $*: nothing on stdout"
}

refused 107 "tgtd is not running; start it with 'systemctl start tgtd'" --op show
refused 107 "tgtd is not running" -C 7 --op show
run --help
is "$rc" 0 "help needs no tgtd"

tgt_start
run --op show
is "$rc$out$err" 0 "no targets, nothing said"
refused 1 "unknown mode: foo" --op show --mode foo
refused 1 "unknown operation: foo" --op foo
refused 22 "unrecognized option '--foo'" --foo
refused 22 "specify the mode" --op new
refused 22 "can't find the target" --op delete --mode target --tid 1
refused 22 "can't find the driver" --lld foo --op new --mode target --tid 1 -T x
refused 22 "'tid' cannot be 0" --lld loop --op new --mode target --tid 0 -T x
refused 22 "no parameter" --lld loop --op new --mode target --tid 1 -T x --params foo=1
refused 22 "policy is requeue or fail" --lld loop --op new --mode target --tid 1 -T x --params policy=1

ok "a target" tgt_target 1
refused 22 "this target already exists" --lld loop --op new --mode target --tid 1 -T x
refused 22 "No such file" --lld loop --op new --mode lu --tid 1 --lun 1 -b "$T_DIR/none"
truncate -s 10M "$T_DIR/store"
ok "a logical unit" tgt_lun 1 1 "$T_DIR/store" --blocksize 4096
refused 22 "this logical unit number already exists" --lld loop --op new --mode lu --tid 1 --lun 1 -b "$T_DIR/store"
refused 22 "can't find the logical unit" --lld loop --op delete --mode lu --tid 1 --lun 2
refused 22 "invalid request" --lld loop --op show --mode conn --tid 1
refused 22 "invalid request" --mode system --op delete

run --lld loop --op show --mode target
is "$rc" 0 "show"
want="Target 1: $(tgt_name 1)
    System information:
        Driver: loop
        State: ready
    I_T nexus information:"
is "$(head -5 "$T_DIR/out")" "$want" "show begins as scripts know it"
like "$out" "
        LUN: 1
            Type: disk
            SCSI ID: IET     [0-9a-f]{16}
            SCSI SN: [0-9a-f]{32}
            Size: 10 MB, Block size: 4096
            Online: Yes
            Removable media: No
            Prevent removal: No
            Readonly: No
            SWP: No
            Thin-provisioning: (Yes|No)
            Backing store type: aio
            Backing store path: $T_DIR/store
            Backing store flags: 
    Account information:
    ACL information:" "a logical unit as scripts know it"
run --mode system --op show
like "$out" " rdwr" "rdwr is a backing store"
run --op show --json
ok "JSON is JSON" python3 -c 'import json, sys; t = json.load(open(sys.argv[1])); assert t[0]["luns"][1]["size_bytes"] == 10485760' "$T_DIR/out"
run --op stat --mode system --json
ok "and that of stat" python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$T_DIR/out"
run --op stat --mode target --tid 1
like "$out" '^tgt lun sid rd_subm' "statistics"
ok "its disk appears" tgt_wait_disk 1 1
dd if="$(tgt_disk 1 1)" of=/dev/null bs=64k count=16 iflag=direct status=none
run --op stat --mode lu --tid 1 --lun 1 --json
ok "what was read is counted" python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))[0]["read_bytes"] >= 1048576' "$T_DIR/out"

run_as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
is "$(stat -c %a /run/tgtd)" 700 "/run/tgtd is root's"
is "$(stat -c %a /run/tgtd/tgtd.sock)" 600 "the socket is root's"
nok "nobody may not use tgtadm" run_as_nobody tgtadm --op show
# Even where the file would let them.
chmod 755 /run/tgtd
chmod 666 /run/tgtd/tgtd.sock
run_as_nobody tgtadm --op show > "$T_DIR/out" 2>&1
is "$?" 22 "nobody is refused by tgtd too"
like "$(cat "$T_DIR/out")" "permission denied" "and told so"
chmod 600 /run/tgtd/tgtd.sock
chmod 700 /run/tgtd

/usr/sbin/tgtd -f > "$T_DIR/out" 2>&1
nok "a second tgtd ends at once" test $? -eq 0
like "$(cat "$T_DIR/out")" "another tgtd is running with control port 0" "and says why"
run --op show
is "$rc" 0 "the first one still answers"
tgt_stop
done_testing
