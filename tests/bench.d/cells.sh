# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What is asked of each device: name, then fio's rw, bs and iodepth.

bench_cells='randread4k32 randread4k1 read256k write256k'

bench_cell_args()	# cell
{
	case $1 in
	randread4k32)	echo --rw=randread --bs=4k --iodepth=32 ;;
	randread4k1)	echo --rw=randread --bs=4k --iodepth=1 ;;
	read256k)	echo --rw=read --bs=256k --iodepth=8 ;;
	write256k)	echo --rw=write --bs=256k --iodepth=8 ;;
	*)		return 1 ;;
	esac
}

bench_cell_title()	# cell
{
	case $1 in
	randread4k32)	echo '4k random read, depth 32' ;;
	randread4k1)	echo '4k random read, depth 1' ;;
	read256k)	echo '256k read, depth 8' ;;
	write256k)	echo '256k write, depth 8' ;;
	esac
}

bench_fio()		# cell, device, MiB, seconds
{
	local args
	args=$(bench_cell_args "$1") || return 1
	# shellcheck disable=SC2086
	fio --name=bench --filename="$2" --size="$3M" --runtime="$4" --time_based \
		--ioengine=libaio --direct=1 --output-format=terse --terse-version=3 $args
}
