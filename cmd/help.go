package cmd

// exitStatus is the same for every command, so that scripts can rely on it.
const exitStatus = `EXIT STATUS
  0    done
  1    failed, progress is saved: run the same command again
  3    differences remain, or a dry run has changes pending
  10   the state file belongs to another move, is damaged, was written by a newer wherry, or (status) is not there
  11   another wherry holds the lock
  12   refused: a precondition is not met, nothing was changed
  13   the source's log no longer reaches back to the position: copy again
  14   the outcome is unknown: a human must look
  15   the target has taken over, but not all is done after it: mend what is named, run cutover again
  64   wrong usage
  78   wrong configuration, access refused, server set up otherwise, or no room: trying again does not help
  130  interrupted, progress is saved
`

// helpTemplate shows prose, examples first, and the exit status last.
const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}{{end}}

USAGE
  {{if .Runnable}}{{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND [flags]{{end}}
{{if .HasExample}}
EXAMPLES
{{.Example}}
{{end}}{{if .HasAvailableSubCommands}}
COMMANDS{{range .Commands}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding }}  {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
FLAGS
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
GLOBAL FLAGS
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}
{{end}}
` + exitStatus
