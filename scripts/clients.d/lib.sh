# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the programs of this directory share. Each runs in a guest with programs of
# Debian, and prints TAP.

HERE=$PWD
WORK=/tmp/${0##*/}
mkdir -p "$WORK"
export HERE WORK XDG_RUNTIME_DIR="$WORK" GST_DEBUG_NO_COLOR=1
cases=0

# gstreamer - let it look for its elements in a few files, not in hundreds
gstreamer()
{
	mkdir -p "$WORK/plugins"
	for plugin in coreelements video4linux2 kms debugutilsbad waylandsink; do
		ln -s /usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgst$plugin.so \
			"$WORK/plugins"
	done
	export GST_PLUGIN_SYSTEM_PATH="$WORK/plugins" GST_REGISTRY_FORK=no
	export GST_REGISTRY="$WORK/registry"
}

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

# videos NAME - the video devices of that name, in order
videos()
{
	for path in $(printf '%s\n' /sys/class/video4linux/video* | sort -V); do
		[ "$(cat "$path/name")" != "$1" ] || echo "/dev/${path##*/}"
	done
}

# number - number cases that come without, and plan as many
number()
{
	awk '/^(not )?ok - / { sub(/ok -/, "ok " ++cases) }
		{ print; fflush() }
		END { print "1.." cases + 0 }'
}

# camera PATTERN - let both cameras show a test pattern, with no words in it, at 640x480
camera()
{
	for device in $(videos vivid-000-vid-cap) $(videos vivid-001-vid-cap); do
		v4l2-ctl -d "$device" -c osd_text_mode=2,test_pattern="$1" \
			--set-fmt-video=width=640,height=480,pixelformat=XR24
	done >"$WORK/camera" 2>&1
}

# The display: its device, and where the kernel tells the CRC of each frame.
CARD=$(for card in /sys/class/drm/card*-Virtual-1; do
	name=${card##*/} && echo "${name%-Virtual-1}"
done)
CRC=/sys/kernel/debug/dri/${CARD#card}/crtc-0/crc

# shown SECONDS - the CRC of what is on the screen after so long. One that a busy display
# has not got is the last that it has.
shown()
{
	echo auto >"$CRC/control"
	timeout "$1" cat "$CRC/data" 2>/dev/null |
		sed -nE 's/^ *0x[0-9a-f]+ (0x[0-9a-f]{8})$/\1/p' | tail -n 1
}

# on_screen - something is shown
on_screen()
{
	[ -n "$(shown 1)" ]
}

# importers NAME - how many buffers are attached to a device of that name now
importers()
{
	grep -c "^[[:space:]]*$1\$" /sys/kernel/debug/dma_buf/bufinfo
}

# buffers - how many there are now
buffers()
{
	sed -nE 's/^Total ([0-9]+) objects.*/\1/p' /sys/kernel/debug/dma_buf/bufinfo
}

# sensor - let the pipelines of vimc have one format from end to end
sensor()
{
	raw=SBGGR8_1X8/640x480 rgb=RGB888_1X24/640x480
	media-ctl -d platform:vimc -V "\"Sensor A\":0[fmt:$raw]" &&
	media-ctl -d platform:vimc -V "\"Debayer A\":0[fmt:$raw]" &&
	media-ctl -d platform:vimc -V "\"Scaler\":0[fmt:$rgb]" &&
	media-ctl -d platform:vimc -V "\"Scaler\":1[fmt:$rgb]" &&
	v4l2-ctl -d "$(videos "RGB/YUV Capture")" -v width=640,height=480 &&
	v4l2-ctl -d "$(videos "Raw Capture 0")" -v pixelformat=BA81
}
