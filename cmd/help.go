package cmd

// exitStatus is the same for every command, so that scripts can rely on it. README has the same words; a test compares
// them. The codes themselves are in package monitor, and move.Code maps errors to them.
const exitStatus = `EXIT STATUS
  0    done
  1    failed, progress is saved: run the same command again
  3    differences remain, or a dry run has changes pending
  10   the state file belongs to another move, is damaged, or was written by a newer wherry; or status finds none and
       cannot rule out that the move has begun
  11   another wherry holds the lock
  12   refused: a precondition is not met, nothing was changed (start-replica: it stopped before a schema change that
       it cannot follow)
  13   the source's log no longer reaches back to the position: copy again
  14   the outcome is unknown: a human must look
  15   the target has taken over, but something after that is not done (a hook, triggers): mend what is named, and
       run cutover again
  64   wrong usage
  78   wrong configuration, access refused, a server's settings are wrong, or a disk is full: trying again does not
       help
  130  interrupted, progress is saved
`

// helpTemplate shows what a command does and what it does not, then examples, flags, and the exit status last, where a
// terminal still shows it. Cobra's own template begins with the flags.
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
