# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What programs share that run in a guest, in their own directory, and print TAP.

HERE=$PWD
WORK=/tmp/${0##*/}
mkdir -p "$WORK"
export HERE WORK
cases=0

# check NAME COMMAND... - a case, with what the command says if it fails
check()
{
	name=$1
	shift
	"$@" >"$WORK/said" 2>&1 </dev/null
	verdict $? "$name" "$WORK/said"
}

# verdict STATUS NAME FILE - a case, with the end of a file if it fails
verdict()
{
	cases=$((cases + 1))
	[ "$1" = 0 ] || {
		echo "# status $1"
		tail -n 40 "$3" | sed 's/^/# /'
		printf 'not '
	}
	echo "ok $cases $2"
}

# plan - the last line
plan()
{
	echo "1..$cases"
}

# until_true SECONDS COMMAND... - wait until a command succeeds, but not longer
until_true()
{
	end=$(($(date +%s) + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $end ] || return
		sleep 0.2
	done
}

# stop PID - end a program in the background, and wait until it has
stop()
{
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# buffers - how many there are now
buffers()
{
	sed -nE 's/^Total ([0-9]+) objects.*/\1/p' /sys/kernel/debug/dma_buf/bufinfo
}

# number - number cases that come without, as they come, and plan as many
number()
{
	while IFS= read -r line; do
		case $line in
		"ok - "* | "not ok - "*)
			cases=$((cases + 1))
			line="${line%%ok - *}ok $cases ${line#*ok - }"
			;;
		esac
		printf '%s\n' "$line"
	done
	plan
}
