# SPDX-License-Identifier: GPL-2.0
#
# i915.awk -v test=NAME -v passed=0|1 - the kernel's log of a selftest as TAP
#
# The log tells when a subtest begins, and when one fails, which is the last one then.
# The selftest itself is a case, too: it may fail before and after all of them.

function verdict(ok)
{
	if (subtest != "")
		printf "%sok - %s/%s\n", ok ? "" : "not ", test, subtest
	subtest = ""
}

/i915: Running [^ ]*\// {
	verdict(1)
	subtest = $0
	sub(/.*\//, "", subtest)
}

/i915\/.*: .* failed with error/ {
	print "# " $0
	verdict(0)
}

END {
	verdict(passed)
	printf "%sok - %s\n", passed ? "" : "not ", test
}
