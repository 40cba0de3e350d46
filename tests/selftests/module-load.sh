# SPDX-License-Identifier: GPL-2.0
# Loading the module launches the daemon, by udev and systemd; both go again.
. "$TREE/tests/lib/tap.sh"
t_start

state() { systemctl show -P ActiveState tgtd.service; }
active() { [ "$(state)" = active ]; }
gone() { [ ! -e /sys/module/scsi_tgt ]; }

is "$(state)" inactive "no daemon without the module"
ok "the modules load" modprobe scsi_tgt_loop
ok "the daemon is launched" wait_for 30 active
pid=$(systemctl show -P MainPID tgtd.service)
ok "it is the installed one" test /usr/sbin/tgtd -ef "/proc/$pid/exe"

kill -KILL "$pid"
restarted() { active && [ "$(systemctl show -P MainPID tgtd.service)" != "$pid" ]; }
ok "a killed daemon comes back" wait_for 30 restarted

ok "it stops when asked to" systemctl stop tgtd.service
ok "the modules are removed" wait_for 20 modprobe -r scsi_tgt_loop scsi_tgt
ok "nothing of them is left" wait_for 10 gone
is "$(state)" inactive "the daemon has not been launched by that"
done_testing
