# SPDX-License-Identifier: GPL-2.0
# Completion of headway(8) for fish. What there is to choose is what --help lists at that moment.

function __headway_commands
	command headway --help | string replace -rf '^  ([a-z][a-z-]*) +(.*)$' '$1\t$2'
end

# What headway COMMAND --help says, with a line for each option: "--pid=", "-p", "PID" and what it is for.
function __headway_help
	ARGP_HELP_FMT=rmargin=1000 command headway $argv[1] --help
end

function __headway_command
	set -l words (commandline -opc)
	test (count $words) -gt 1; and echo $words[2]
end

function __headway_no_command
	test (count (commandline -opc)) -eq 1
end

# Behind -- is another program's command line.
function __headway_behind_dashes
	contains -- -- (commandline -opc)[2..]
end

# The name that --help gives the value of option $argv[2], "-p" or "--pid", of command $argv[1].
function __headway_value_name
	set -l option (string escape --style=regex -- $argv[2])
	__headway_help $argv[1] | string replace -rf "^ +(?:-., )?$option\[?=([^] ]+).*" '$1'
	__headway_help $argv[1] | string replace -rf "^ +$option, --[a-z-]+\[?=([^] ]+).*" '$1'
end

# What an option or an argument named $argv[1] in --help can be; $argv[2] is what is there of it.
function __headway_values
	switch "$argv[1]"
		case PID
			__fish_complete_pids
		case FILE
			__fish_complete_path $argv[2]
		case CGROUP
			string replace /sys/fs/cgroup '' /sys/fs/cgroup/$argv[2]*/
		case DOMAIN
			command ls /sys/kernel/debug/headway/domains 2>/dev/null
		case SPEC
			string split ' ' 'uprobe: usdt: syscall: tracepoint:'
		case 'VERDICT*'
			# The list is in the tool's answer to a word that is none.
			set -l before (string replace -r '[^,]*$' '' -- $argv[2])
			command headway replay --fail-on '?' 2>&1 | string replace -rf '.*there are: *' '' |
				string split ' ' | string replace -r '^' "$before"
	end
end

function __headway_arguments
	set -l words (commandline -opc)
	set -l token (commandline -ct)
	set -l command (__headway_command)
	set -l name

	if string match -qr -- '^--[a-z-]+=' $token
		set -l option (string replace -r '=.*' '' -- $token)
		set name (__headway_value_name $command $option)
		__headway_values "$name" (string replace -r '^[^=]*=' '' -- $token) |
			string replace -r '^' "$option="
		return
	end
	set name (__headway_value_name $command $words[-1])
	if test -n "$name"
		__headway_values "$name" $token
		return
	end
	if string match -q -- '-*' $token
		__headway_help $command |
			string replace -rf '^ +(?:-., )?(--[a-z-]+)(?:\[?(=)[^ ]*)? +(.*)$' '$1$2\t$3'
		return
	end
	for name in FILE DOMAIN
		if __headway_help $command | string match -qr "^Usage: [^]]*\] \[?$name"
			__headway_values $name $token
			return
		end
	end
end

complete -c headway -f
complete -c headway -n __headway_no_command -a '(__headway_commands)'
complete -c headway -n __headway_no_command -l help -d 'what commands there are'
complete -c headway -n __headway_no_command -l version -d 'the version'
complete -c headway -n 'not __headway_no_command; and not __headway_behind_dashes' -a '(__headway_arguments)'
complete -c headway -n __headway_behind_dashes -a '(__fish_complete_subcommand --fcs-skip=3)'
