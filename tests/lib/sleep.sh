# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For selftests, after tap.sh: the machine falls asleep as far as the kernel's pm_test
# says, and wakes up again by itself.

power=/sys/power

# How many seconds it sleeps.  Skips the test where it can't.
sleep_for()
{
	local delay=/sys/module/suspend/parameters/pm_test_delay
	[ -w $power/pm_test ] && grep -qw freeze $power/state ||
		skip_all "this kernel does not suspend"
	[ ! -w $delay ] || echo "$1" > $delay
}

sleeps() { echo freeze > $power/state; }

# udev reads a disk whenever a writer has closed it, also in its first process, and can't
# be frozen meanwhile.
udev_stop()
{
	udevadm settle -t 30
	systemctl stop systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udevd
}
udev_start() { systemctl start systemd-udevd; }
