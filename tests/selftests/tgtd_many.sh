# SPDX-License-Identifier: GPL-2.0
# 64 hosts at once, 1,000 logical units on one, and what a host costs.
# timeout: 400
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

# Memory that the kernel holds, in KiB, once it has settled.
kernel_kib()
{
	sync
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|VmallocUsed|KernelStack|Percpu|PageTables):/ { n += $2 } END { print n }' /proc/meminfo
}

hosts() { ls /sys/class/scsi_tgt | wc -l; }

n=64
before=$(kernel_kib)
for i in $(seq $n); do
	tgt_target "$i" --params nr_queues=2,queue_depth=128 || break
done
is "$(hosts)" $n "$n hosts at once"
after=$(kernel_kib)
each=$(((after - before) / n))
diag "kernel memory of a host with 2 queues of 128, its Scsi_Host included: $each KiB"
ok "an idle host costs less than 1 MiB" test $each -lt 1024

# One of every eighth has a disk that works.
for i in $(seq 8 8 $n); do
	truncate -s 8M "$T_DIR/s$i"
	tgt_lun "$i" 1 "$T_DIR/s$i"
done
good=0
for i in $(seq 8 8 $n); do
	tgt_wait_disk "$i" 1 && dd if=/dev/zero of="$(tgt_disk "$i" 1)" bs=64k count=8 oflag=direct status=none &&
		good=$((good + 1))
done
is $good 8 "disks on eight of them"
for i in $(seq $n); do
	tgt_target_del "$i"
done
ok "they all go" wait_for 60 tgt_no_hosts

luns=1000
ok "one target" tgt_target 1
for i in $(seq $luns); do
	tgtadm --lld loop --mode logicalunit --op new --tid 1 --lun "$i" \
		--bstype null --backing-store 8M || break
done
is "$i" $luns "$luns logical units are made"
sdevs() { ls -d "$(tgt_host 1)"/host*/target*/*:*:*:*/ | wc -l; }
all() { [ "$(sdevs)" -ge $luns ]; }
ok "and appear" wait_for 200 all
diag "$(sdevs) SCSI devices"
ok "the last one can be read" sh -c "dd if=$(tgt_disk 1 $luns) of=/dev/null bs=4k count=1 iflag=direct"
ok "the target is deleted" tgt_target_del 1
tgt_stop
done_testing
