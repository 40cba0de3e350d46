# SPDX-License-Identifier: GPL-2.0
# The machine shuts down by itself with disks that tgtd serves and nobody uses: when
# they are flushed, nobody waits for another tgtd.
# own-vm: yes
# timeout: 200
. "$TREE/tests/lib/tap.sh"
. "$TREE/tests/lib/loop.sh"
t_start
tgt_start

truncate -s 64M /var/tmp/image
ok "a target" tgt_target 1 --params recovery_ms=3600000
ok "a logical unit" tgt_lun 1 1 /var/tmp/image
ok "another" tgt_lun 1 2 64M --bstype mem
ok "disks appear" tgt_wait_disk 1 1
ok "both" tgt_wait_disk 1 2
done_testing
