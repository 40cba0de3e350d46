# SPDX-License-Identifier: GPL-2.0
# What tgtadm changes of a logical unit, an initiator sees.
# kernels: oldest
# timeout: 180
# requires: sg_inq sg_vpd sg_readcap
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

update() { tgtadm --lld loop --op update --mode logicalunit --tid 1 --lun 1 --params "$1"; }
inq() { sg_inq "$dev" | sed -n "s/^ *$1: *//p" | sed 's/ *$//'; }
sn() { sg_inq -p 0x80 "$dev" | sed -n 's/.*number: //p'; }
shown() { tgtadm --op show | awk -v l=1 '/LUN: /{ n = $2 } n == l' | sed -n "s/^ *$1: //p"; }

truncate -s 32M "$T_DIR/store"
ok "a target" tgt_target 1
ok "a logical unit" tgt_lun 1 1 "$T_DIR/store" --params vendor_id=ACME
ok "its disk appears" tgt_wait_disk 1 1
dev=$(tgt_disk 1 1) || bail "no disk"
is "$(inq 'Vendor identification')" ACME "a parameter given when it was made"
is "$(sn)" "$(shown 'SCSI SN')" "the serial number is what tgtadm shows"
uuid=$(tgtadm --op show --mode lu --tid 1 --lun 1 --json | sed -n 's/.*"uuid":"\(.*\)".*/\1/p')
like "$uuid" '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' "its UUID is a random one"
is "$(sn)" "$(echo "$uuid" | tr -d -)" "of which the serial number is made"

ok "names are changed" update "vendor_id=EXAMPLE,product_id=A product,product_rev=1.2"
is "$(inq 'Vendor identification')" EXAMPLE "vendor"
is "$(inq 'Product identification')" "A product" "product"
is "$(inq 'Product revision level')" 1.2 "revision"
ok "the serial number is changed" update scsi_sn=serial-1
is "$(sn)" serial-1 "to this"
ok "a vendor that is too long" update vendor_id=ninechars
is "$(inq 'Vendor identification')" ninechar "is cut"
nok "a serial number that is too long is refused" update "scsi_sn=$(printf '%065d' 0)"
is "$(sn)" serial-1 "and changes nothing"

ok "it goes offline" update online=0
is "$(shown Online)" No "tgtadm says so"
nok "and is not ready" sg_turs "$dev"
ok "it comes online" update online=1
wait_ready() { wait_for 10 sg_turs "$dev"; }
ok "and is ready" wait_ready

ok "it becomes read-only" update readonly=1
is "$(shown Readonly)" Yes "tgtadm says so"
nok "and is not written" sg_dd if=/dev/zero of="$dev" bs=512 count=1 oflag=sgio
ok "it becomes writable" update readonly=0
ok "and is written" sg_dd if=/dev/zero of="$dev" bs=512 count=1 oflag=sgio

truncate -s 48M "$T_DIR/store"
ok "it grows" update resize=yes
size() { [ "$(sg_readcap "$dev" | sed -n 's/.*Device size: \([0-9]*\) bytes.*/\1/p')" = 50331648 ]; }
ok "and says so" wait_for 10 size

ok "the target goes offline" tgtadm --op update --mode target --tid 1 -n state -v offline
like "$(tgtadm --op show)" 'State: offline' "tgtadm says so"
ok "and comes back" tgtadm --op update --mode target --tid 1 -n state -v ready
ok "and is ready" wait_ready
tgt_stop
done_testing
