# SPDX-License-Identifier: GPL-2.0
# tally.awk - counts the leaf results of a KTAP report, and finds what is wrong with its form.
#
# Output: lines "problem: WHY", "failed: RESULT LINE" and "note: COMMENT", what was said before the result that failed,
# then one line "tally PASSED FAILED SKIPPED" (problems not included). A comment "# kernel: NAME" says where all that
# follows it was run, and is added to the result lines.
#
# Only leaves count: a result line that closes a nested report (KUnit's suite lines) repeats what its
# cases said. It counts only when it is the sole witness: "not ok" although no case below it failed.
# A report may hold several documents one after another (one for each test program). A top-level
# document must have a plan and keep it; a nested one may do without (KUnit's parameters do), but a
# plan that is there must be kept. The name of a level is the width of its indentation.

BEGIN { MAX_NOTES = 8 }

function problem(why) {
	print "problem: " why
}

# Ends the documents at every level deeper than LEVEL (or as deep, with INCLUSIVE).
function close_levels(level, inclusive,    l) {
	for (l in open) {
		if (l + 0 < level || (l + 0 == level && !inclusive))
			continue
		if (plan[l] == "" && l + 0 == 0)
			problem("no plan in the document '" name[l] "' (it ended early?)")
		else if (plan[l] != "" && plan[l] != seen[l])
			problem("'" name[l] "' planned " plan[l] " results and gave " seen[l])
		delete open[l]
	}
}

function open_level(level) {
	close_levels(level, 1)
	open[level] = 1
	plan[level] = ""
	seen[level] = 0
	name[level] = "line " NR
	child_results[level] = child_failures[level] = 0
}

function result(level, bad, text,    l, n) {
	close_levels(level, 0)
	if (!(level in open))
		open_level(level)
	seen[level]++
	if (child_results[level] && !(bad && !child_failures[level])) {
		child_results[level] = child_failures[level] = 0
		return
	}
	child_results[level] = child_failures[level] = 0
	if (bad) {
		failed++
		print "failed: " text (kernel == "" ? "" : " (kernel " kernel ")")
		for (n = 1; n <= nr_notes; n++)
			print "note: " notes[n]
	}
	else if (text ~ /# *[Ss][Kk][Ii][Pp]/)
		skipped++
	else
		passed++
	for (l in open) {
		if (l + 0 < level) {
			child_results[l]++
			child_failures[l] += bad
		}
	}
}

{
	match($0, /^ */)
	level = RLENGTH
	line = substr($0, level + 1)
}
line ~ /^(K?TAP) version [0-9]+/ { open_level(level); next }
line ~ /^# kernel: / { kernel = substr(line, index(line, ":") + 2); next }
line ~ /^# ([Ss]ubtest|suite): / && (level in open) { name[level] = substr(line, index(line, ":") + 2); next }
line ~ /^1\.\.[0-9]+( |$)/ {
	close_levels(level, 0)
	if (!(level in open))
		open_level(level)
	if (plan[level] != "")
		problem("'" name[level] "' has two plans")
	plan[level] = substr(line, 4) + 0
	next
}
line ~ /^(not )?ok [0-9]+( |$)/ { result(level, line ~ /^not/, line); nr_notes = 0; next }
# The kernel's KUnit has what it expected and what it got on the lines after the comment.
line ~ /^# / || more > 0 {
	more = line ~ /(EXPECTATION|ASSERTION) FAILED/ ? 3 : more - 1
	if (nr_notes < MAX_NOTES)
		notes[++nr_notes] = line
}
line ~ /^Bail out!/ { problem(line) }

END {
	close_levels(0, 1)
	printf "tally %d %d %d\n", passed, failed, skipped
}
