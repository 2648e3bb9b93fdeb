# SPDX-License-Identifier: GPL-2.0
# manpages.awk - cuts the page of one command out of headway.8; see manpages.sh.
#
# -v command=NAME     "": headway(8) itself, which only gets the list of commands
# -v help=FILE        what the command's --help prints
# -v about=FILE       what the command is for, a line, and its description, in roff
# -v status=FILE      what it says of its exit status there, in roff
# -v listing=FILE     all commands, "NAME TAB what it is for", in roff
#
# In headway.8, the comment '.\" pages: NAME...' as first line of a section says whose pages have that
# section too; "all" is every command. '.\" commands' is where the list of commands goes.

function fail(text) {
	print FILENAME ": " text >"/dev/stderr"
	failed = 1
	exit 1
}

function plain(text) {
	gsub(/\\-/, "-", text)
	return text
}

function list_commands(   line, parts) {
	while ((getline line < listing) > 0) {
		split(line, parts, "\t")
		printf ".TP\n.BR headway\\-%s (8)\n%s\n", parts[1], parts[2]
	}
}

# The long options that the command takes.
function read_help(   line) {
	while ((getline line < help) > 0)
		if (match(line, /^ +(-., )?--[a-z-]+/)) {
			line = substr(line, RSTART, RLENGTH)
			sub(/^.*--/, "", line)
			takes[line] = 1
		}
	# Every command has these two.
	delete takes["help"]
	delete takes["usage"]
}

# The option that this head of a paragraph is about, or "".
function option_of(head) {
	head = plain(head)
	if (!match(head, /--[a-z][a-z-]*/))
		return ""
	return substr(head, RSTART + 2, RLENGTH - 2)
}

# One line of a section about options: keeps those that the command takes and nobody has told of yet.
function option_line(line,   name) {
	if (line ~ /^\.RS/)
		depth++
	if (line ~ /^\.RE/)
		depth--
	if (!depth && line ~ /^\.(PP|SS)/)
		skipping = !all_of_it
	if (!depth && line == ".TP") {
		head_next = 1
		return
	}
	if (head_next) {
		head_next = 0
		name = option_of(line)
		skipping = name != "" && (!(name in takes) || name in told)
		if (!skipping) {
			told[name] = 1
			body = body ".TP\n"
		}
	}
	if (!skipping)
		body = body line "\n"
}

BEGIN {
	if (command != "") {
		read_help()
		getline what < about
		while ((getline line < about) > 0)
			description = description line "\n"
		while ((getline line < status) > 0)
			statuses = statuses line "\n"
	}
}

command == "" {
	print
	if ($0 == ".\\\" commands")
		list_commands()
	next
}

/^\.SH / {
	section = substr($0, 5)
	sub_section = ""
	copies = 0
	title = $0
	next
}

/^\.\\" pages: / {
	copies = (" " $0 " ") ~ (" (all|" command ") ")
	if (copies)
		rest = rest title "\n"
	next
}

copies {
	rest = rest $0 "\n"
	next
}

section == "SYNOPSIS" {
	if ($0 == ".br") {
		mine = 0
		next
	}
	line = plain($0)
	if (line ~ /^\.B headway /)
		mine = (line " ") ~ ("^\\.B headway " command " ")
	if (mine) {
		synopsis = synopsis (synopsis != "" && line ~ /^\.B headway / ? ".br\n" : "") $0 "\n"
		as_watch = as_watch || line ~ /options of watch/
	}
	next
}

section == "OPTIONS" && /^\.SS / {
	sub_section = substr($0, 5)
	next
}

section == "OPTIONS" && sub_section == "headway " command {
	own[++nr_own] = $0
}

section == "OPTIONS" && sub_section == "headway watch" {
	watch[++nr_watch] = $0
}

END {
	if (failed)
		exit 1
	if (command == "")
		exit
	if (!synopsis || !nr_own)
		fail("no synopsis, or no '.SS headway " command "' in OPTIONS, for a command of the tool")
	for (i = 1; i <= nr_own; i++)
		if (!intro_ended && own[i] !~ /^\.TP/)
			intro = intro own[i] "\n"
		else {
			intro_ended = all_of_it = 1
			option_line(own[i])
		}
	# An option that watch has too need not be told of twice.
	skipping = head_next = 0
	all_of_it = as_watch
	for (i = 1; i <= nr_watch; i++)
		option_line(watch[i])
	for (name in takes)
		if (!(name in told))
			fail("headway " command " takes --" name ", and nothing is said about it")
	name = "HEADWAY-" toupper(command)
	gsub(/-/, "\\-", name)
	printf ".\\\" Made from headway.8 by manpages.sh.\n.TH %s 8 \"\" \"Headway\" \"System Administration\"\n", name
	printf ".SH NAME\nheadway\\-%s \\- %s\n.SH SYNOPSIS\n%s", command, what, synopsis
	printf ".SH DESCRIPTION\n%s", description
	if (intro)
		printf ".PP\n%s", intro
	if (body)
		printf ".SH OPTIONS\n%s", body
	if (statuses)
		printf ".SH EXIT STATUS\n%s", statuses
	printf "%s.SH SEE ALSO\n.BR headway (8)\n", rest
}
