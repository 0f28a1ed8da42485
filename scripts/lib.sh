# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# What the host-side commands share: places, steps, logs.
#
# A command begins with
#
#	. "${0%/*}/lib.sh"
#	begin NAME PACKAGE_GROUP...
#
# runs its long parts with `step`, and ends with `finish`. Full output goes to
# build/log/NAME.log; a command run by another one writes to the log of that.

# make's own variables would reach into the kernel's make.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

# check_place DIR - leave unless make, kernels, mount and QEMU can take the name:
# all of them see more in it than a name
check_place()
{
	case $1 in
	*[[:space:][:cntrl:]:,\"\'\`\$\#%\&\;\|\<\>\(\)\{\}\*\?\[\\\!]* | *]*)
		echo "$0: the name of the checkout has a character that no" \
			"kernel can be built with: $1" >&2
		exit 1
		;;
	esac
}

# A name may end in a newline, which $() would drop: hence the dot.
TOP=$(cd "${0%/*}/.." && pwd -P && echo .) || exit
TOP=${TOP%??}
check_place "$TOP"

SCRIPTS=$TOP/scripts
BUILD=$TOP/build
TREE=$BUILD/tree			# the host's tree with the project in it
: "${JOBS:=$("$SCRIPTS/jobs")}"
# ccache is welcome, not needed. A cache that the user has is warm, and outlives
# make clean.
CC=gcc
! command -v ccache >/dev/null || CC="ccache gcc"
[ -n "$CCACHE_DIR" ] || [ -d "$HOME/.cache/ccache" ] || [ -d "$HOME/.ccache" ] ||
	CCACHE_DIR=$BUILD/ccache
[ -z "$CCACHE_DIR" ] || export CCACHE_DIR
export TOP SCRIPTS BUILD TREE JOBS CC
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

say()
{
	printf '%s\n' "$*"
	[ -z "$DMABUF_LOG" ] || printf '%s\n' "$*" >>"$DMABUF_LOG"
}

die()
{
	say "$0: $*" >&2
	exit 1
}

# lock NAME - let no other command of this checkout run until this one has ended, and
# all that it has started. The file may be gone with build/ once it is not locked.
lock()
{
	mkdir -p "$BUILD" || exit
	while :; do
		exec 9>>"$BUILD/.lock"
		flock -n 9 || {
			echo "waiting for another command of this checkout:" \
				"$(cat "$BUILD/.lock")"
			flock 9 || die "no lock"
		}
		[ "$(stat -L -c %i /dev/fd/9)" != \
			"$(stat -c %i "$BUILD/.lock" 2>/dev/null)" ] || break
	done
	echo "$1" >"$BUILD/.lock"
}

# check_machine GROUP... - leave if kernels are wanted that this machine cannot run
check_machine()
{
	case " $* " in *" kernel "*) ;; *) return ;; esac
	[ "$(uname -m)" = x86_64 ] ||
		die "the kernels of this command are for x86-64, not $(uname -m)"
}

# begin NAME GROUP... - open the log and see that the packages are there. The
# outermost command has the lock and the log for those that it calls.
begin()
{
	umask 022
	command=$1
	shift
	check_machine "$@"
	if [ -z "$DMABUF_LOG" ]; then
		case $JOBS in
		*[!0-9]* | 0*) die "JOBS is a number of compilers, not '$JOBS'" ;;
		esac
		lock "$command"
		mkdir -p "$BUILD/log"
		DMABUF_LOG=$BUILD/log/$command.log
		DMABUF_COMMAND=$command
		export DMABUF_LOG
		: >"$DMABUF_LOG"
	fi
	"$SCRIPTS/packages" "$@" || exit
}

# log_name - the log as a user at the top of the checkout would type it
log_name()
{
	printf '%s\n' "${DMABUF_LOG#"$TOP"/}"
}

# finish - last line of a command; only the outermost one says it
finish()
{
	[ -z "$DMABUF_COMMAND" ] || printf 'log: %s\n' "$(log_name)"
}

# failed - show how the log ends and leave
failed()
{
	printf '\n%s\n' "--- last lines of $(log_name):" >&2
	tail -n 25 "$DMABUF_LOG" >&2
	printf '%s\n' "failed: $1 (log: $(log_name))" >&2
	exit 1
}

# timed TEXT COMMAND... - one line for a long step and the time that it took
timed()
{
	text=$1
	shift
	printf '%-48s ' "$text"
	printf '\n=== %s\n' "$text" >>"$DMABUF_LOG"
	began=$(date +%s)
	if ("$@") >>"$DMABUF_LOG" 2>&1 </dev/null; then
		took=$(($(date +%s) - began))
		printf '%5d s\n' $took
		printf '=== took %d s\n' $took >>"$DMABUF_LOG"
	else
		printf 'FAILED\n'
		return 1
	fi
}

# step TEXT COMMAND... - a step without which it makes no sense to go on
step()
{
	timed "$@" || failed "$1"
}

# boot_step DIR TEXT COMMAND... - a step that boots a guest with output in DIR;
# sets complaints to the number of failures that the kernel's own log shows, or
# to one if it failed otherwise, perhaps before there was a guest.
boot_step()
{
	dir=$1
	shift
	mkdir -p "$dir"
	rm -f "$dir/boot.log" "$dir/console.log" "$dir/output.log"
	complaints=0
	timed "$@" || {
		[ -e "$dir/boot.log" ] || echo "boot: no guest: $1" >"$dir/boot.log"
		complaints=$(grep -c '^boot: splat: ' "$dir/boot.log")
		[ "${complaints:-0}" != 0 ] || complaints=1
		sed 's/^/  /' "$dir/boot.log" | remember
	}
}

# What races: the KUnit suites of two CPUs, and the programs with threads.
RACES="dma_fence_race dma_resv_race dma_buf_race dma_buf_poll_race dma_buf_list_race
	dma_buf_users_race sw_sync_race"
# shellcheck disable=SC2034 # for smp and kcsan
THREADS="poll sync sync_wait sync_file sync_merge sw_sync stats bufinfo name"

# pc_races KERNEL DIR MINUTES OPTION... - run the suites that race on an emulated PC,
# and then again and again for MINUTES. Of the three CPUs the first and the last race.
pc_races()
{
	kernel=$1 dir=$2 minutes=$3
	shift 3
	# shellcheck disable=SC2086 # several suites
	"$SCRIPTS/boot" -c 3 -m 2G -t $((60 * minutes + 1800)) -o "$dir" "$@" \
		-k kunit.enable=1 -k 'kunit.filter_glob=*_race' \
		"$kernel" "$SCRIPTS/guest-races" "$minutes" $RACES
}

# own_programs GLOB - names of the kselftests that the Makefile has now; of one that
# it had, the program may still be there
own_programs()
{
	make -s -C "$TREE/tools/testing/selftests/dma-buf" COLLECTION='' \
		OUTPUT="$BUILD/kselftest/dma-buf" emit_tests |
	while IFS=: read -r _ name; do
		# shellcheck disable=SC2254 # a pattern
		case $name in $1) echo "$name" ;; esac
	done
}

# build_programs NAME... - build the kselftests, and see that these are there
build_programs()
{
	"$SCRIPTS/user-tests" dma-buf || exit
	for name; do
		[ -x "$BUILD/kselftest/dma-buf/$name" ] ||
			die "no such program: $name"
	done
}

# pc_programs KERNEL DIR OPTION... -- NAME... - run kselftests there
pc_programs()
{
	kernel=$1 dir=$2 options=
	shift 2
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	for name; do
		shift
		set -- "$@" "$BUILD/kselftest/dma-buf/$name"
	done
	# shellcheck disable=SC2086 # options are words
	"$SCRIPTS/boot" -c 2 -m 2G -t 7200 -o "$dir" -e LIMIT=3600 -k cma=64M -k hugepages=32 \
		$options "$kernel" "$SCRIPTS/guest-tap" "$@"
}

# random_options - options of boot that pass on what the environment has for the
# program random
random_options()
{
	env | sed -nE 's/^(RANDOM_[A-Z]+=[0-9.]+)$/-e \1/p'
}

# judge_log NAME LOG - show what a kernel's log has that should not be there; sets
# complaints to the number of lines. A judge that fails is a complaint, too.
judge_log()
{
	splats=$BUILD/log/$1-splats.log
	complaints=0
	"$SCRIPTS/splat.py" "$2" "$SCRIPTS/splat.allow" >"$splats" 2>&1 || {
		complaints=$(wc -l <"$splats")
		[ "${complaints:-0}" != 0 ] || complaints=1
		sed 's/^/  splat: /' "$splats" | remember
	}
}

# take_figures RESULTS WHAT - set figures to PASSED FAILED SKIPPED, of the line "total" of a
# judge. Without that line it is one failure.
take_figures()
{
	figures=$(sed -nE 's/^total (([0-9]+ ){2}[0-9]+)$/\1/p' "$1")
	[ -n "$figures" ] || {
		echo "    no results of $2, see $(log_name)" >>"$1"
		figures="0 1 0"
	}
}

# judge_programs DIR [EXPECTED...] - show what the test programs of a guest gave,
# see tap.py; sets figures to PASSED FAILED SKIPPED. Without figures it is one
# failure.
judge_programs()
{
	results=$1/results
	output=$1/output.log
	shift
	"$SCRIPTS/tap.py" "$output" "$@" >"$results" 2>>"$DMABUF_LOG" ||
		: >"$results"
	take_figures "$results" programs
	grep -v '^total' "$results"
	grep '^    ' "$results" | remember >/dev/null
	note_cases "$(basename "${output%/*}")-programs" "$output"
}

# on_both_cores PART NAME - let the caller's guest CORE NAME run the program PART.d/NAME
# on both cores, "ours" and "host", with output in build/PART/NAME/CORE, and judge the one
# by the other
on_both_cores()
{
	[ -x "$SCRIPTS/$1.d/$2" ] || die "no such test: $2"
	place=$BUILD/$1/$2
	rm -rf "$place"
	mkdir -p "$place"
	# The status tells of programs that fail, which they may on both.
	timed "$2, here" guest ours "$2" || :
	timed "$2, stock core" guest host "$2" || :
	compare_cores "$place" "$2"
}

# compare_cores DIR NAME - show what fails in DIR/ours and not in DIR/host, and add to the
# figures of the command. What fails in both is listed in DIR/stock: see clients.py
compare_cores()
{
	"$SCRIPTS/clients.py" "$1/ours" "$1/host" "$1/stock" \
		>"$1/results" 2>>"$DMABUF_LOG"
	take_figures "$1/results" "$2"
	grep -v '^total' "$1/results" | remember
	# shellcheck disable=SC2086 # three numbers
	count $figures
	# shellcheck disable=SC2086
	printf '  %s: %d passed, %d failed, %d skipped' "$2" $figures
	printf ', of which %d fail on the stock core, too\n' "$(grep -c . "$1/stock")"
}

# judge_kunit DIR - show which KUnit cases of a guest have not passed; sets figures
# to PASSED FAILED SKIPPED
judge_kunit()
{
	results=$1/results
	(cd "$TREE" && tools/testing/kunit/kunit.py parse "$1/console.log") \
		>"$results" 2>&1
	cat "$results" >>"$DMABUF_LOG"
	grep -E '\[(FAILED|CRASHED|ERROR)\]' "$results" | remember
	figures=$("$SCRIPTS/kunit-figures" "$results")
	note_cases "$(basename "$1")-kunit" "$1/console.log"
}

# note_cases NAME LOG - keep what became of each case, for make nightly
note_cases()
{
	mkdir -p "$BUILD/cases"
	[ ! -e "$2" ] || "$SCRIPTS/cases.py" log "$2" >"$BUILD/cases/$1"
}

# kunit_config FRAGMENTS VERB ARGS... - run a verb of kunit.py, by the caller's kunit_py,
# with the options of fragments in config/ on top of the project's own. The later of
# two lines about one option counts.
kunit_config()
{
	fragments=$1 verb=$2
	shift 2
	while read -r line; do
		case $line in
		CONFIG_* | '# CONFIG_'*) set -- "$@" --kconfig_add "$line" ;;
		esac
	done <<-END
	$(cd "$SCRIPTS/config" && for file in $fragments; do cat "$file.config"; done)
	END
	kunit_py "$verb" --kunitconfig=drivers/dma-buf "$@"
}

# own_tests - run the tests that need no kernel, those of scripts and headers
own_tests()
{
	for test in "$SCRIPTS"/*_test.py; do
		"$test" || return
	done
}

# kernel_version DIR - of a kernel tree
kernel_version()
{
	sed -nE 's/^(VERSION|PATCHLEVEL|SUBLEVEL) *= *//p' "$1/Makefile" |
		paste -s -d . -
}

# run_part NAME COMMAND... - run a part of make test or make nightly
run_part()
{
	part=$1
	shift
	rm -f "$BUILD/result/$part"
	"$@"
	end_part "$part" $?
}

# end_part NAME STATUS - see that a part has noted its figures. One that has no cases,
# or did not get that far, is itself the case.
end_part()
{
	[ "$2" != 0 ] || [ -e "$BUILD/result/$1" ] || result "$1" 1 0 0
	[ "$2" = 0 ] || grep -q '^[0-9]* [1-9]' "$BUILD/result/$1" 2>/dev/null ||
		result "$1" 0 1 0
	return "$2"
}

# sum_parts NAME... - say what failed, and add up the figures. It fails if something
# has, if nothing has passed, or if one of the parts has left no figures.
sum_parts()
{
	[ ! -s "$BUILD/log/failures.log" ] || {
		echo "what failed:"
		cat "$BUILD/log/failures.log"
	}
	passed=0 failed=0 skipped=0
	for part; do
		# shellcheck disable=SC2046 # three numbers
		set -- $(cat "$BUILD/result/$part")
		[ $# = 3 ] || {
			echo "no figures: $part"
			set -- 0 1 0
		}
		count "$@"
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}

# count PASSED FAILED SKIPPED - add to the figures of a command
passed=0 failed=0 skipped=0
count()
{
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# remember - pass on lines about failures, noted for the end of scripts/test
remember()
{
	tee -a "$BUILD/log/failures.log"
}

# result PART PASSED FAILED SKIPPED - note the figures of a part of the tests
result()
{
	mkdir -p "$BUILD/result"
	echo "$2 $3 $4" >"$BUILD/result/$1"
	printf '%-48s %5d passed, %d failed, %d skipped\n' "$1" "$2" "$3" "$4"
}
