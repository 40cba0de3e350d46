# SPDX-License-Identifier: GPL-2.0
#
# From cells' and devices' titles, limits and results to an SVG: a panel of
# bars for each cell, each with a scale of its own.

/^#/		{ next }
$1 == "cell"	{
	cell[++nc] = $2
	cell_title[$2] = rest()
}
$1 == "row"	{
	row[++nr] = $2
	title[$2] = rest()
}
$1 == "ours"	{ ours = $2 }
$1 == "limit"	{ limit[$2] = $3 }
$1 == "about"	{ about[$2] = $3 }
$1 == "result"	{ cost[$2, $3] = 1e9 / $4 }

function rest(	s)
{
	s = $0
	sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", s)
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	return s
}

function thousands(n)
{
	return sprintf(n < 99950 ? "%.1f" : "%.0f", n / 1000)
}

function text(x, y, class, s)
{
	printf "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y, class, s
}

function bar(x, y, w, class)
{
	printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"2\" class=\"%s\"/>\n",
		x, y, w, BAR, class
}

# A stroke across our bar's row, and how far right the row reaches then.
function limit_at(x, y, k)
{
	printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"limit\"/>\n",
		x, y - 3, x, y + BAR + 4
	text(x, y + BAR + 16, "limit", "limit " k / 1000)
	return x
}

function panel(c, left, top,	i, max, scale, x, y, d, mine, end)
{
	for (i = 1; i <= nr; i++)
		if (cost[row[i], c] > max)
			max = cost[row[i], c]
	scale = SPAN / max
	x = left + NAMES
	text(left + 8, top + 18, "h", cell_title[c])
	for (i = 1; i <= nr; i++) {
		d = row[i]
		y = top + HEAD + (i - 1) * STEP
		mine = d == ours ? " ours" : ""
		end = x + cost[d, c] * scale
		text(x - 8, y + BAR - 4, "name" mine, title[d])
		bar(x, y, end - x, "bar" mine)
		if (mine != "" && limit[c] && limit[c] <= max)
			end = larger(end, limit_at(x + limit[c] * scale, y, limit[c]))
		text(end + 6, y + BAR - 4, "n" mine, thousands(cost[d, c]))
	}
}

function larger(a, b) { return a > b ? a : b }

END {
	BAR = 16; STEP = 22; HEAD = 32; NAMES = 235; SPAN = 210
	width = 2 * (NAMES + SPAN + 65)
	height = HEAD + nr * STEP + 42
	total = 62 + int((nc + 1) / 2) * height + 24
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
		width, total, width, total
	print "<!-- SPDX-License-Identifier: GPL-2.0; made by make bench -->"
	print "<title>Thousands of instructions per I/O, by device</title>"
	print "<style>text { font-family: sans-serif; font-size: 12px; fill: #333 }"
	print "text.t { font-size: 17px; font-weight: bold; fill: #111 } text.s { fill: #666 }"
	print "text.h { font-size: 13.5px; font-weight: bold; fill: #111 } text.name { text-anchor: end }"
	print "text.ours { font-weight: bold; fill: #0b5394 } rect.bar { fill: #b6bec7 }"
	print "rect.ours { fill: #1f77b4 } text.limit { fill: #a33; font-size: 11px; text-anchor: middle }"
	print "line.limit { stroke: #a33; stroke-width: 2 }</style>"
	printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, total
	text(8, 26, "t", "Thousands of instructions per I/O: less is better")
	text(8, 46, "s", "All that the machine executes, initiator and fio included. Files on tmpfs. Each panel has its own scale.")
	for (i = 1; i <= nc; i++)
		panel(cell[i], (i - 1) % 2 * width / 2, 62 + int((i - 1) / 2) * height)
	text(8, total - 10, "s", "Linux " about["kernel"] ", fio " about["fio"] ", QEMU " about["qemu"] " counting instructions, one CPU")
	print "</svg>"
}
