# SPDX-License-Identifier: GPL-2.0
#
# From rows and the guest's results to the table.  Exit status 1: a limit is
# exceeded; 2: something was not measured.
# -v devices=..., -v cells=...: what was asked for.

/^#/		{ next }
$1 == "row"	{
	order[++nr] = $2
	title[$2] = $0
	sub(/^row[ \t]+[^ \t]+[ \t]+/, "", title[$2])
}
$1 == "ours"	{ ours = $2 }
$1 == "limit"	{ limit[$2] = $3 }
$1 == "about"	{ about[$2] = $3 }
$1 == "result"	{ cost[$2, $3] = 1e9 / $4 }

function thousands(n)
{
	return sprintf(n < 99950 ? "%.1f" : "%.0f", n / 1000)
}

function line(name, values, n,	i, s)
{
	s = sprintf("%-34s", name)
	for (i = 1; i <= n; i++)
		s = s sprintf("%14s", values[i])
	print s
}

function device(d,	i, v)
{
	for (i = 1; i <= nc; i++) {
		if ((d, cell[i]) in cost) {
			v[i] = thousands(cost[d, cell[i]])
		} else {
			v[i] = "-"
			missing = 1
		}
	}
	line(title[d], v, nc)
}

function limits(	i, v)
{
	for (i = 1; i <= nc; i++) {
		v[i] = thousands(limit[cell[i]])
		if (cost[ours, cell[i]] > limit[cell[i]])
			over = over sprintf("%s is over the limit: %d instructions, not %d\n",
				cell[i], cost[ours, cell[i]], limit[cell[i]])
	}
	line("  and may have at most", v, nc)
}

END {
	nc = split(cells, cell)
	nd = split(devices, want)
	for (i = 1; i <= nd; i++)
		asked[want[i]] = 1
	print "Thousands of guest instructions per I/O, initiator and fio included\n"
	line("", cell, nc)
	for (i = 1; i <= nr; i++)
		if (order[i] in asked)
			device(order[i])
	if (ours in asked)
		limits()
	printf "\nLinux %s, fio %s, QEMU %s, one CPU\n", about["kernel"], about["fio"], about["qemu"]
	printf "%s", over
	exit missing ? 2 : over != "" ? 1 : 0
}
