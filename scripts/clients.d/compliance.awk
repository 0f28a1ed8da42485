# SPDX-License-Identifier: GPL-2.0
#
# compliance.awk -v label=LABEL -v only=EXPRESSION - v4l2-compliance's report as TAP
#
# A case is named after the device and the section that it stands in, and numbered if it
# is not the first of its name. The report's end is a case, too, for it may break off.

function result(ok, name)
{
	name = label " " device " " name
	if (seen[name]++)
		name = name " " seen[name]
	printf "%sok - %s%s\n", ok == "FAIL" ? "not " : "", name,
		ok ~ /Not Supported/ ? " # SKIP not supported" : ""
	fflush()
}

/^[A-Z].*:$/ { section = $0 }
/^Compliance test for / { device = $NF }
/^\t+(fail|warn): / { print "#" $0 }
/^(Grand )?Total for / { ended = 1 }

/^\t*test .*: (OK|FAIL)/ && section " " $0 ~ only {
	verdict = $0
	sub(/^.*: /, "", verdict)
	sub(/^\t*test /, "")
	sub(/: [^:]*$/, "")
	result(verdict, section " " $0)
}

END { result(ended ? "OK" : "FAIL", "ends") }
