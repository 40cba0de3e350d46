# SPDX-License-Identifier: GPL-2.0
# sg3_utils against disks of 512 and of 4096 bytes a block, through the ring: what
# each answers is what the standards want.
# kernels: oldest
# timeout: 400
# requires: sg_inq sg_vpd sg_opcodes sg_xcopy sg_sanitize sg_format sg_wr_mode sdparm
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

truncate -s 64M "$T_DIR/a" "$T_DIR/b" "$T_DIR/c"
ok "a target" tgt_target 1
ok "a unit of 512" tgt_lun 1 1 "$T_DIR/a"
ok "a unit of 4096" tgt_lun 1 2 "$T_DIR/b" --blocksize 4096
ok "another of 512, that writes slowly by itself" \
	tgt_lun 1 3 "$T_DIR/c" --params background_rate=6
for lun in 1 2 3; do ok "its disk" tgt_wait_disk 1 $lun; done
a=$(tgt_disk 1 1) b=$(tgt_disk 1 2) c=$(tgt_disk 1 3)
for d in "$a" "$b" "$c"; do [ -b "$d" ] || bail "no disk"; done
sg() { echo "/dev/$(ls "/sys/block/${1##*/}/device/scsi_generic")"; }

t() { timeout 60 "$@" 2>&1; }
# The command's output, on one line, matches; and it is GOOD.
says()			# text ere cmd...
{
	local text=$1 ere=$2 out rc=0
	shift 2
	out=$(t "$@") || rc=$?
	[ $rc -eq 0 ] || out="exit status $rc: $out"
	like "$(tr -s ' \t\n' ' ' <<< "$out")" "$ere" "$text" || diag "of: $*"
}
# Sense keys as sg3_utils' exit statuses have them.
ILLEGAL=5 NOT_READY=2 INVALID_OP=9 MISCOMPARE=14 RANGE=22
status()		# text status cmd...
{
	local text=$1 want=$2 rc=0
	shift 2
	t "$@" > "$T_DIR/out" || rc=$?
	is $rc "$want" "$text" || diag "$(cat "$T_DIR/out")"
}

#
# What a disk says of itself
#
says 'INQUIRY' 'PQual=0 PDT=0 .*SPC-4.*3PC=1 .*CmdQue=1.*IET .*VIRTUAL-DISK' sg_inq "$a"
says 'VPD 00: ascending, and no other' '\[sv\].*\[sn\].*\[di\].*\[ei\].*\[mpp\].*\[bl\].*\[bdc\].*\[lbpv\]' \
	sg_vpd -p sv "$a"
serial=$(sg_vpd -p sn "$a" | sed -n 's/.*number: //p')
like "$serial" '^[0-9a-f]{32}$' 'VPD 80: the UUID'
says 'VPD 83: NAA, T10, UUID, port, device' \
	"NAA,.*0x3.*T10 vendor.*${serial:0:16}.*UUID.*${serial:0:8}-.*Relative target port: 0x1.*$(tgt_name 1)" \
	sg_vpd -p di "$a"
says 'VPD 86' 'V_SUP=1.*LUICLR=1' sg_vpd -p ei "$a"
says 'VPD 87' 'code: 0x3f, subpage code: 0xff.*Policy: shared' sg_vpd -p mpp "$a"
says 'VPD B0' '\(WSNZ\): 1 .*compare and write length: 255 .*granularity: 8 .*transfer length: 16384 .*prefetch transfer length: 16384 .*unmap LBA count: 1048576 .*descriptor count: 256 .*granularity: 8 .*write same length: 0xfff8' \
	sg_vpd -p bl "$a"
says 'VPD B0 in blocks of 4096' 'granularity: 1 .*transfer length: 2048 ' sg_vpd -p bl "$b"
says 'VPD B1' 'WABEREQ=1 WACEREQ=0' sg_vpd -p bdc "$a"
says 'VPD B2' '\(LBPU\): 1 .*\(LBPWS\): 1 .*\(LBPWS10\): 1 .*\(LBPRZ\): 1 .*\(ANC_SUP\): 0 .*exponent: 11 .*thin' \
	sg_vpd -p lbpv "$a"
says 'READ CAPACITY (16) agrees' 'prot_en=0.*lbpme=1, lbprz=1.*blocks=131072 .*length=512 .*exponent=3 ' \
	sg_readcap -l "$a"
says 'READ CAPACITY (16) of 4096' 'blocks=16384 .*length=4096 .*exponent=0' sg_readcap -l "$b"
says 'READ CAPACITY (10)' 'blocks=131072 ' sg_readcap "$a"
says 'REPORT LUNS' 'length = 32 .*0000000000000000 0001000000000000 0002000000000000 0003' sg_luns "$a"
says 'REPORT LUNS: well-known ones only' 'length = 0 ' sg_luns -s 1 "$a"
says 'REPORT LUNS: all' 'length = 32 ' sg_luns -s 2 "$a"
status 'REPORT LUNS: reserved' $ILLEGAL sg_luns -s 3 "$a"
says 'supported commands' '83 0 16 0,0 Extended copy.* 8a 16 .*a3 f .*a8 12 ' sg_opcodes "$a"
says 'usage data and time-outs' 'conforming.*Usage data: 28 18 ff ff ff ff 00 ff ff 00 .*recommended timeout: 60' \
	sg_opcodes -R -o 0x28 "$a"
says 'of a service action' 'supported \[conforming.*Usage data: 9e 10 ' sg_opcodes -o 0x9e,0x10 "$a"
says 'cryptographic erase is not supported' 'NOT supported' sg_opcodes -o 0x48,3 "$a"
says 'READ (32) is not supported' 'NOT supported' sg_opcodes -o 0x7f,9 "$a"
status 'nor executed' $INVALID_OP sg_raw -r 512 "$a" 7f 00 00 00 00 00 00 18 00 09 00 00 \
	00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01
ok 'commands of 32 bytes, on demand' tgtadm --lld loop --mode logicalunit --op update --tid 1 --lun 1 \
	--params long_cdbs=1
says 'ORWRITE (32) is' 'supported \[conforming.*Usage data: 7f ' sg_opcodes -o 0x7f,0xe "$a"
printf '\360%.0s' $(seq 512) > "$T_DIR/mask"
orwrite_32()		# BMOP, policy, expected and new generation: of block 64
{
	orwrite=(sg_raw -s 512 -i "$T_DIR/mask" "$a" 7f 00 "$1" "$2" 00 00 00 18 00 0e 00 00
		00 00 00 00 00 00 00 40 00 00 00 "$3" 00 00 00 "$4" 00 00 00 01)
}
orwrite_32 0 0 0 0
ok 'ORWRITE (32)' "${orwrite[@]}"
is "$(dd if="$a" bs=512 skip=64 count=1 iflag=direct status=none | od -An -tx1 -N2)" ' f0 f0' \
	'which has set bits'
orwrite_32 1 7 0 1
ok 'it begins a new generation' "${orwrite[@]}"
orwrite_32 0 0 0 0
status 'then the old one is refused' $ILLEGAL "${orwrite[@]}"
orwrite_32 1 7 1 0
ok 'another one' "${orwrite[@]}"
ok 'the block is unmapped' sg_unmap -f -l 64 -n 8 "$a"
ok 'GET LBA STATUS (32)' sg_raw -r 24 "$a" 7f 00 00 00 00 00 00 18 00 12 00 00 \
	00 00 00 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 18
says 'supported TMFs' 'Abort task .*Abort task set .*Clear task set .*Logical unit reset .*Query task' \
	sg_opcodes -t "$a"
now=$(date +%s)
stamp=$(t sg_timestamp "$a")
ok 'REPORT TIMESTAMP' test $((stamp / 1000 - now)) -ge -5 -a $((stamp / 1000 - now)) -le 30
says 'REQUEST SENSE, fixed' 'Fixed format.*No Sense' sg_requests "$a"
says 'REQUEST SENSE, descriptor' 'Descriptor format.*No Sense' sg_requests -d "$a"

#
# Mode and log pages, diagnostics
#
says 'mode pages' 'Read-Write error.*Caching.*88 12 04 .*Control.*8a 0a 02 10 .*Informational' sg_modes -a "$a"
says 'changeable' 'changeable 00 88 12 04 00' sg_modes -p 8 -c 1 "$a"
says 'default' 'default 00 88 12 04 00' sg_modes -p 8 -c 2 "$a"
says 'logical block provisioning' '5c 02 00 1c ' sg_modes -p 0x1c,2 "$a"
says 'MODE SENSE (6)' '88 12 04 ' sg_modes -6 -p 8 "$a"
zero=,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00,00
ok 'MODE SELECT, saved' sg_wr_mode -p 8 -s -c 88,12,00,00$zero "$a"
says 'it is saved' 'saved 00 88 12 00 00' sg_modes -p 8 -c 3 "$a"
ok 'MODE SELECT, current only' sdparm -q --set=WCE "$a"
says 'it is current' 'current 00 88 12 04 00' sg_modes -p 8 "$a"
status 'what can not be changed is refused' $ILLEGAL sg_wr_mode -p 8 -c 88,12,01,00$zero "$a"
pid=$(tgt_pid)
ok 'tgtd is killed' kill -9 "$pid"
ok 'and comes back' wait_for 30 tgt_answers
ready() { t sg_turs "$a" > /dev/null; }
ok 'with the disk' wait_for 20 ready
says 'what was saved is current' 'current 00 88 12 00 00' sg_modes -p 8 "$a"
ok 'the default is saved' sg_wr_mode -p 8 -s -c 88,12,04,00$zero "$a"
is "$(sg_vpd -p sn "$a" | sed -n 's/.*number: //p')" "$serial" 'the serial number is the same'
says 'log pages' '0x00 .*0x0c ' sg_logs "$a"
says 'log page of provisioning' 'Available LBA.*not dedicated.*Used LBA.*: 0 .*dedicated' sg_logs -p 0xc "$a"
says 'default self-test' 'GOOD' sg_senddiag -t "$a"
says 'foreground self-test' 'GOOD' sg_senddiag -s 5 "$a"
status 'no background self-test' $ILLEGAL sg_senddiag -s 1 "$a"
says 'diagnostic pages' '0x00 Supported diagnostic pages' sg_senddiag -l "$a"
says 'defects' 'list: 0' sg_reassign -g "$a"
# By the sg node: when somebody opens the disk, Linux starts it.
udevadm settle -t 30
udevadm control --stop-exec-queue
ok 'START STOP UNIT: stop' sg_start -S "$(sg "$a")"
status 'it is stopped' $NOT_READY sg_turs "$(sg "$a")"
ok 'START STOP UNIT: start' sg_start -s "$(sg "$a")"
ok 'it is ready' sg_turs "$(sg "$a")"
udevadm control --start-exec-queue
ok 'PREVENT' sg_prevent -p 1 "$a"
ok 'ALLOW' sg_prevent -a "$a"
status 'nothing is ejected' $ILLEGAL sg_start -e "$a"

#
# Blocks
#
blocks()		# disk size
{
	local d=$1 bs=$2 n=$((1048576 / $2))		# blocks of a MiB
	dd if=/dev/urandom of="$d" bs=1M count=8 oflag=direct status=none
	dd if="$d" of="$T_DIR/data" bs="$bs" count=8 iflag=direct status=none
	head -c "$bs" "$T_DIR/data" > "$T_DIR/one"
	ok "$bs: VERIFY" sg_verify -l 0 -c $((8 * n)) "$d"
	ok "$bs: VERIFY (16)" sg_verify -S -l 0 -c 8 "$d"
	ok "$bs: VERIFY with data" sg_verify -l 0 -c 8 -n $((8 * bs)) -i "$T_DIR/data" "$d"
	status "$bs: VERIFY with other data" $MISCOMPARE \
		sg_verify -l 1 -c 8 -n $((8 * bs)) -i "$T_DIR/data" "$d"
	status "$bs: VERIFY past the end" $RANGE sg_verify -l $((64 * n)) -c 1 "$d"
	ok "$bs: WRITE SAME (10)" sg_write_same -R -l 16 -n 8 -x "$bs" -i "$T_DIR/one" "$d"
	ok "$bs: VERIFY of each block with one" \
		sg_verify -E 3 -l 16 -c 8 -n "$bs" -i "$T_DIR/one" "$d"
	ok "$bs: WRITE SAME (16), NDOB" sg_write_same -S -l 16 -n 8 -N "$d"
	ok "$bs: which are zeroes" cmp -n $((8 * bs)) -i $((16 * bs)):0 "$d" /dev/zero
	status "$bs: WRITE SAME, no length" $ILLEGAL \
		sg_write_same -S -l 16 -n 0 -x "$bs" -i "$T_DIR/one" "$d"
	ok "$bs: WRITE SAME (16), UNMAP" sg_write_same -S -l "$n" -n "$n" -U "$d"
	says "$bs: GET LBA STATUS" "blocks: $n deallocated" sg_get_lba_status -l "$n" "$d"
	says "$bs: GET LBA STATUS of others" "blocks: $((6 * n)) mapped" \
		sg_get_lba_status -l $((2 * n)) "$d"
	status "$bs: ANCHOR is refused by tmpfs" $ILLEGAL sg_write_same -S -l "$n" -n 8 -U -a "$d"
	ok "$bs: UNMAP" sg_unmap -f -l $((4 * n)) -n "$n" "$d"
	says "$bs: GET LBA STATUS" "blocks: $n deallocated" sg_get_lba_status -l $((4 * n)) "$d"
	ok "$bs: SYNCHRONIZE CACHE" sg_sync "$d"
	ok "$bs: PRE-FETCH" sg_raw "$d" 34 00 00 00 00 00 00 00 08 00
	status "$bs: PRE-FETCH past the end" $RANGE sg_raw "$d" 34 00 00 ff ff ff 00 00 08 00
	cat "$T_DIR/one" "$T_DIR/one" > "$T_DIR/two"
	ok "$bs: COMPARE AND WRITE" sg_compare_and_write --in="$T_DIR/two" --lba=0 --num=1 \
		--xferlen=$((2 * bs)) "$d"
	status "$bs: which miscompares" $MISCOMPARE sg_compare_and_write --in="$T_DIR/two" \
		--lba=1 --num=1 --xferlen=$((2 * bs)) "$d"
	ok "$bs: EXTENDED COPY" sg_xcopy if="$d" of="$d" bs="$bs" count=$((4 * n)) seek=$((32 * n))
	ok "$bs: which copied" cmp -n 4194304 -i 0:33554432 "$d" "$d"
}
blocks "$a" 512
blocks "$b" 4096
ok 'EXTENDED COPY from disk to disk' sg_xcopy if="$(sg "$a")" of="$(sg "$c")" bs=512 count=16384
ok 'which copied' cmp -n 8388608 "$a" "$c"
says 'RECEIVE COPY RESULTS: operating parameters' \
	'count: 16 .*count: 128 .*Segment descriptor 0x02.*Target descriptor 0xe4' sg_copy_results -p "$a"
status 'RECEIVE COPY RESULTS: of no copy' $ILLEGAL sg_copy_results -s "$a"

#
# All blocks
#
kib() { du -k "$1" | cut -f1; }
zeroes() { cmp -n 67108864 "$1" /dev/zero; }
ok 'SANITIZE, block erase' sg_sanitize -B -Q -w "$a"
is "$(kib "$T_DIR/a")" 0 'nothing is allocated'
# By sg: Linux waits with what it reads for itself when it opens the disk.
c=$(sg "$c")
ok 'SANITIZE, overwrite, at once' sg_sanitize -O -Q -e -z "$c"
status 'it is under way' $NOT_READY sg_turs "$c"
says 'and says how far' 'Progress indication: [0-9.]+% done' sg_requests -p "$c"
status 'reading is refused' $NOT_READY sg_raw -r 512 "$c" 28 00 00 00 00 00 00 00 01 00
ok 'INQUIRY is not' sg_inq "$c"
pid=$(tgt_pid)
ok 'tgtd is killed' kill -9 "$pid"
ok 'and comes back' wait_for 30 tgt_answers
again() { [ "$(t sg_turs "$c" > /dev/null; echo $?)" = $NOT_READY ]; }
ok 'the next tgtd goes on' wait_for 20 again
over() { t sg_turs "$c" > /dev/null; }
ok 'to the end' wait_for 60 over
ok 'all of it is written' zeroes "$T_DIR/c"
ok 'and allocated' test "$(kib "$T_DIR/c")" -ge 65536
status 'SANITIZE, cryptographic erase' $ILLEGAL sg_sanitize -C -Q -w "$a"
ok 'SANITIZE, exit failure mode' sg_sanitize -F -Q "$a"
dd if=/dev/urandom of="$b" bs=1M count=4 oflag=direct status=none
ok 'FORMAT UNIT' sg_format -F -Q -w "$b"
# What udev has read of it before may be cached.
udevadm settle -t 20
blockdev --flushbufs "$b"
ok 'zeroes' zeroes "$b"
is "$(kib "$T_DIR/b")" 0 'nothing is allocated'
ok 'FORMAT UNIT, at once' sg_format -F -Q -e "$b"
formatted() { t sg_turs "$b" > /dev/null; }
ok 'is done soon' wait_for 30 formatted

#
# Space that is kept
#
file=/var/tmp/scsi_sg3
truncate -s 64M $file
ok 'a unit on ext4' tgt_lun 1 4 $file
ok 'its disk' tgt_wait_disk 1 4
d=$(tgt_disk 1 4)
says 'VPD B2: it can keep space' '\(ANC_SUP\): 1 ' sg_vpd -p lbpv "$d"
ok 'UNMAP with ANCHOR' sg_unmap -f -a -l 2048 -n 2048 "$d"
says 'GET LBA STATUS: anchored' 'blocks: 2048 anchored' sg_get_lba_status -l 2048 "$d"
is "$(kib $file)" 1024 'the file has the space'
ok 'WRITE SAME with ANCHOR' sg_write_same -S -l 4096 -n 1024 -U -a "$d"
says 'GET LBA STATUS: likewise' 'blocks: 3072 anchored' sg_get_lba_status -l 2048 "$d"
ok 'which are zeroes' cmp -n 1572864 -i 1048576:0 "$d" /dev/zero
ok 'UNMAP' sg_unmap -f -l 2048 -n 3072 "$d"
says 'GET LBA STATUS: deallocated' 'deallocated' sg_get_lba_status -l 2048 "$d"
is "$(kib $file)" 0 'the file has nothing'
rm $file

tgt_stop
done_testing
