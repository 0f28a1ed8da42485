# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the programs of this directory share. Each runs in a guest with programs of
# Debian, and prints TAP.

. ../guest-lib.sh
export XDG_RUNTIME_DIR="$WORK" GST_DEBUG_NO_COLOR=1

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

# videos NAME - the video devices of that name, in order
videos()
{
	for path in $(printf '%s\n' /sys/class/video4linux/video* | sort -V); do
		[ "$(cat "$path/name")" != "$1" ] || echo "/dev/${path##*/}"
	done
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
