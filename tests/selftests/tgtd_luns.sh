# SPDX-License-Identifier: GPL-2.0
# 1,000 logical units on one target: made by a configuration, used, and gone by
# one request.
# timeout: 600
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
luns=1000
# Each takes a third of a second there.
[[ $(uname -r) != *-@(debug|kcsan) ]] || luns=300

conf=/etc/tgt/tgtd.conf
# Started anew, udev forgets what it had to do for devices that are gone.
t_cleanup()
{
	echo 0 > /sys/kernel/rcu_expedited
	systemctl restart systemd-udevd
	rm -f $conf
}
devices() { find "$(tgt_host 1)"/host*/target*/ -maxdepth 1 -name '[0-9]*:*:*:*' | wc -l; }
all_there() { [ "$(devices)" -eq $luns ]; }
disk_there() { grep -q . "$(tgt_host 1)"/host*/target*/*:"$1"/block/*/size; }
reads() { timeout 20 dd if="$(tgt_disk 1 "$1")" of=/dev/null bs=4k count=1 iflag=direct status=none; }

since=$(date +%s)
tgt_start
# What udev would load.  It would have work for minutes with so many.
modprobe -a sd_mod sg
udevadm control --stop-exec-queue
echo 1 > /sys/kernel/rcu_expedited

mkdir -p /etc/tgt
{
	echo "--lld loop --mode target --op new --tid 1 --targetname $(tgt_name 1)"
	seq -f "--lld loop --mode logicalunit --op new --tid 1 --lun %g --bstype null --backing-store 1M" $luns
} > $conf
ok "tgtd reads them" systemctl reload tgtd.service
ok "$luns devices appear" wait_for 300 all_there
is "$(tgtadm --lld loop --mode target --op show | grep -c 'LUN:')" $((luns + 1)) \
	"tgtadm shows them and the controller"
for lun in 1 255 256 $luns; do
	no=$lun
	[ "$no" -lt 256 ] || no=$((no + 0x4000))
	wait_for 60 disk_there $no
	ok "LUN $lun can be read" reads "$lun"
done
ok "the target is deleted" tgt_target_del 1
ok "and gone" tgt_no_hosts
nok "also for tgtadm" tgtadm --lld loop --mode target --op show --tid 1
nok "nothing took too long" grep -q 'takes long' <(journalctl -u tgtd.service --no-pager --since "@$since")
tgt_stop
done_testing
