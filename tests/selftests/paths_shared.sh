# SPDX-License-Identifier: GPL-2.0
# One disk by loop and by iSCSI at once: reservations, COMPARE AND WRITE against
# each other, a resize that both see; and a round of discards.
# timeout: 200
# requires: iscsiadm sg_persist perl resize2fs fstrim
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
. "$TREE/tests/lib/initiator.sh"
t_start
tgt_start

truncate -s 32M "$T_DIR/store"
tgt_target 1 --params nr_queues=2 && tgt_lun 1 1 "$T_DIR/store" && tgt_wait_disk 1 1 || bail "no disk"
iscsi_target 2 && iscsi_lun 2 1 "$T_DIR/store" || bail "no iSCSI target"
ok "login" iscsi_login 2
is_there() { iscsi_disk 2 1; }
wait_for 30 is_there || bail "no disk by iSCSI"
udevadm settle -t 20
a=$(tgt_disk 1 1) b=$(iscsi_disk 2 1)
for d in "$a" "$b"; do sense sg_turs "$d" > /dev/null; done

# One disk: serial number, designators, however it is reached.
is "$(sg_inq -p 0x80 "$a" | grep number)" "$(sg_inq -p 0x80 "$b" | grep number)" "the same serial number"
lu_ids() { sg_vpd -p di_lu "$1" | sed 1d; }
is "$(lu_ids "$a")" "$(lu_ids "$b")" "and designators"

# Reservations.
pr() { local d=$1; shift; sg_persist -n -o "$@" "$d"; }
ok "both register" pr "$a" -G -S a
ok "with a key each" pr "$b" -G -S b
keys() { sg_persist -n -k "$1" | grep -c '^ *0x'; }
is "$(keys "$b")" 2 "one list for both"
ok "one reserves" pr "$a" -R -K a -T 1
is "$(sense sg_raw -s 512 -i /dev/zero "$b" 2a 00 00 00 00 00 00 00 01 00 |
	grep -c good)" 0 "the other does not write"
nok "nor reserve" pr "$b" -R -K b -T 1
is "$(sense sg_raw -r 512 -o /dev/null "$b" 28 00 00 00 00 00 00 00 01 00)" good "but reads"
ok "it preempts" pr "$b" -A -K b -S a -T 1
tur() { sense sg_raw "$1" 00 00 00 00 00 00; }
is "$(tur "$a")" "Unit Attention, Registrations preempted" "who was preempted hears of it"
is "$(keys "$a")" 1 "and has no registration any more"
ok "all is cleared" pr "$b" -C -K b
for d in "$a" "$b"; do sense sg_turs "$d" > /dev/null; done

# COMPARE AND WRITE of a counter in a block: no increment is lost.
cat > "$T_DIR/count.pl" <<'END'
use strict; use warnings;
my ($dev, $n) = @ARGV;
my $sense = "\0" x 64;
open(my $fh, '+<', $dev) or die "$dev: $!";
sub sg {
	my ($cdb, $dir, undef) = @_;
	my $hdr = pack('iiCCSIPPPIIix4PCCCCSSiIIx4', ord('S'), $dir, length($cdb), 64, 0,
		       length($_[2]), $_[2], $cdb, $sense, 30000, 0, 0, undef, (0) x 9);
	ioctl($fh, 0x2285, $hdr) or die "SG_IO: $!";
	return unpack('x64 C', $hdr);
}
my ($made, $lost) = (0, 0);
while ($made < $n) {
	my $block = "\0" x 512;
	my $s = sg(pack('CCNCnC', 0x28, 0, 8, 0, 1, 0), -3, $block);
	next if $s;
	my $new = $block;
	substr($new, 0, 8) = pack('Q', unpack('Q', $block) + 1);
	my $data = $block . $new;
	$s = sg(pack('CCQ>x3CCC', 0x89, 0, 8, 1, 0, 0), -2, $data);
	if ($s) { $lost++ } else { $made++ }
}
print "$made $lost\n";
END
dd if=/dev/zero of="$a" bs=4k count=2 oflag=direct status=none
n=150 pids=''
for d in "$a" "$a" "$b" "$b"; do
	perl "$T_DIR/count.pl" "$d" $n >> "$T_DIR/counts" 2>&1 &
	pids+=" $!"
done
# shellcheck disable=SC2086
wait $pids
diag "made, lost: $(paste -sd' ' "$T_DIR/counts")"
is "$(dd if="$b" bs=512 skip=8 count=1 iflag=direct status=none | od -An -tu8 -N8 | tr -d ' ')" \
	$((4 * n)) "no increment is lost between the two transports"
like "$(awk '{s += $2} END {print s}' "$T_DIR/counts")" '^[1-9]' "they were in each other's way"

# A resize, seen by both; an ext4 that grows on it, discards.
ok "a file system" mkfs.ext4 -q -E nodiscard "$a"
mkdir "$T_DIR/mnt"
ok "is mounted" mount "$a" "$T_DIR/mnt"
head -c 8M /dev/urandom > "$T_DIR/mnt/data"
sum=$(sha256sum < "$T_DIR/mnt/data")
# udev looks at what was written, and would be told first.
udevadm settle -t 60
truncate -s 96M "$T_DIR/store"
ok "it grows" tgtadm --mode logicalunit --op update --tid 1 --lun 1 --params resize=yes
sized() { [ "$(cat "/sys/block/${1##*/}/size")" = $((96 * 2048)) ]; }
ok "the loop disk sees it by itself" wait_for 15 sized "$a"
is "$(tur "$b")" "Unit Attention, Capacity data has changed" "the iSCSI initiator is told"
echo 1 > "/sys/block/${b##*/}/device/rescan"
ok "and sees it when it looks" wait_for 15 sized "$b"
ok "the file system grows" resize2fs "$a"
kib() { du -k "$T_DIR/store" | cut -f1; }
before=$(kib)
head -c 24M /dev/urandom > "$T_DIR/mnt/more"
sync "$T_DIR/mnt/more"
full=$(kib)
rm "$T_DIR/mnt/more"
sync
ok "fstrim" fstrim "$T_DIR/mnt"
diag "KiB: $before, $full, $(kib)"
ok "gives space back" test "$(kib)" -lt $((full - (full - before) / 2))
is "$(sha256sum < "$T_DIR/mnt/data")" "$sum" "and leaves the data alone"
ok "unmounted" umount "$T_DIR/mnt"
ok "which is a whole file system" e2fsck -fn "$a"
ok "BLKZEROOUT" blkdiscard -z -o 16M -l 8M "$a"
ok "reads as zeroes by the other" cmp -n 8388608 -i 16777216:0 "$b" /dev/zero
ok "blkdiscard" blkdiscard "$b"
is "$(kib)" 0 "leaves nothing"
ok "logout" iscsi_logout 2
tgtadm --lld iscsi --mode target --op delete --force --tid 2
tgt_stop
done_testing
