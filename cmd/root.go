// Package cmd is the command line: flags become options, options one phase, and a phase's error an exit code.
//
// Its one invariant: it holds nothing that a move needs. All of that is in pkg/move, which other programs use too; here
// is what a terminal needs: flags, help, questions, printing and exit codes. For example, `wherry verify --repair`
// fills move.Verify{Repair: true}, hands it to runPhase, prints the report, and ends with exit status 3 if rows differ.
package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"wherry/pkg/config"
	"wherry/pkg/monitor"
	"wherry/pkg/move"
)

// version is set by the build (-ldflags "-X wherry/cmd.version=1.2.3").
var version = "dev"

// app is what every command needs of its surroundings.
type app struct {
	// What the process was given. Nothing below reads os.Args, os.Environ or os.Stdout, so that tests can run whole
	// commands side by side.
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string

	global globalOptions
	json   *monitor.Stream // nil without --json
	// commands writes the commands that are advised, with the options of this one.
	commands monitor.Commands

	// Set by configure: the configuration, and where log and progress go. Both share standard error, so the log is
	// written through the progress, which keeps its bars below the log lines.
	cfg      *config.Config
	log      zerolog.Logger
	progress *monitor.Progress
	// move is nil until open, and stays nil if the configuration is wrong: report must cope with that.
	move        *move.Move
	allFindings bool // check prints those that are ok too
}

// globalOptions are the flags of every command. state, logLevel and logFormat are keys of the configuration too; load
// hands them over only if they were given, so that an empty flag does not hide a file's value.
type globalOptions struct {
	config      []string
	state       string
	logLevel    string
	logFormat   string
	json        bool
	progress    bool
	printConfig bool
	flags       *pflag.FlagSet
}

// addFlags adds the flags that every command has. Passwords have none: other users see the arguments of a process.
func (o *globalOptions) addFlags(flags *pflag.FlagSet) {
	o.flags = flags
	flags.StringArrayVarP(&o.config, "config", "c", nil,
		"configuration `file`; several are merged, later ones win (default wherry.yaml)")
	flags.StringVar(&o.state, "state", "", "state `file`, instead of the configuration's")
	flags.StringVar(&o.logLevel, "log-level", "", "trace, debug, info, warn or error")
	flags.StringVar(&o.logFormat, "log-format", "", "auto, json or text")
	flags.BoolVar(&o.json, "json", false, "print results as JSON lines on standard output (docs/json.md)")
	flags.BoolVar(&o.progress, "progress", false,
		"with --json: print progress as JSON lines there too, instead of logging it")
	flags.BoolVar(&o.printConfig, "print-config", false,
		"print the effective configuration, without secrets, with the origin of each key, and exit")
}

// Execute runs wherry and returns its exit code. environ is as os.Environ returns it. It may be called several times in
// one process, also at the same time: it keeps nothing between calls, apart from handling signals while it runs.
func Execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	ctx, stop := withSignals(ctx, stderr)
	defer stop()
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, environ: environ}
	root := newRootCmd(a)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	// An unknown flag ends cobra before --json is read. A program that asked for JSON still gets its error as JSON.
	if a.json == nil && asksJSON(args) {
		a.json = monitor.NewStream(a.stdout)
	}
	return a.report(ctx, err)
}

// asksJSON tells whether --json was given, without parsing the rest of the command line. After -- nothing is a flag.
func asksJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}

// withSignals ends the context at the first SIGINT or SIGTERM: the phase commits its batch and saves its position. The
// second one ends the process at once, without waiting for a server that does not answer: what is saved is always
// enough to continue.
func withSignals(parent context.Context, stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			cancel(fmt.Errorf("%w by signal: %s", move.ErrInterrupted, s))
		case <-done:
			return
		}
		select {
		case <-signals:
			fmt.Fprintln(stderr, "wherry: interrupted again, leaving at once; run the same command again to continue")
			os.Exit(monitor.CodeInterrupted)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// newRootCmd builds the command tree. Errors are printed by report and not by cobra, so that they come as JSON too and
// with the next command to run.
func newRootCmd(a *app) *cobra.Command {
	show := false
	root := &cobra.Command{
		Use:   "wherry",
		Short: "Move a live MySQL or MariaDB database to another server, or to PostgreSQL",
		Long: `Wherry moves a live MySQL or MariaDB database to another server, or to PostgreSQL, while the application
goes on writing. It copies every row, follows every change, proves both sides equal, and switches over with writes
blocked for well under a second. Until the cutover the source is only read.

The work is done in phases, one command each. Each command prints the next one to run. Every phase can be killed at any
time and run again: it continues, because its progress is kept on the target together with the data. The state file is a
copy of that for people.

  wherry check          is everything in place? changes none of your data
  wherry init-schema    create the tables on the target
  wherry init-copy      copy every row, replay what changed meanwhile, build indexes
  wherry start-replica  apply every later change, until stopped
  wherry verify         compare both sides, also while changes flow
  wherry cutover        stop writes on the source, wait for the last change, compare, switch
  wherry cleanup        remove what the move keeps on the servers, when it is over
  wherry status         where the move stands and what to run next`,
		Example: `  wherry check --config shop.yaml
  wherry run --config shop.yaml
  wherry cutover --config shop.yaml --confirm=shop`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              knownCommand,
		RunE: func(c *cobra.Command, _ []string) error {
			if show {
				return a.showVersion()
			}
			return c.Help()
		},
		// Before every command: from here on an error is a JSON line too.
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.global.json {
				a.json = monitor.NewStream(a.stdout)
			}
			return nil
		},
	}
	root.SuggestionsMinimumDistance = 2
	root.Flags().BoolVar(&show, "version", false, "print the version, as wherry version does")
	a.global.addFlags(root.PersistentFlags())
	// An unknown flag is wrong usage (64), with a hint at the help of the command that it was given to.
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usageError{err, c.CommandPath()} })
	root.SetHelpTemplate(helpTemplate)
	root.AddCommand(newCheckCmd(a), newInitSchemaCmd(a), newInitCopyCmd(a), newStartReplicaCmd(a), newVerifyCmd(a),
		newCutoverCmd(a), newCleanupCmd(a), newStatusCmd(a), newRunCmd(a), newConfigCmd(a), newVersionCmd(a))
	// Both look at all commands, so they come last.
	a.completions(root)
	a.wrapHelp(root)
	return root
}

// load reads the configuration as flags, environment and files give it. Without any file and any WHERRY_ variable the
// error says how to make one, instead of listing every key that is missing.
func (a *app) load() (*config.Config, error) {
	// Only flags that were given, by the name of their key: a default of a flag would win over the file.
	flags := map[string]any{}
	for name, key := range map[string]string{"state": "state", "log-level": "log.level", "log-format": "log.format"} {
		if f := a.global.flags.Lookup(name); f.Changed {
			flags[key] = f.Value.String()
		}
	}
	files := a.global.config
	if len(files) == 0 {
		files = a.defaultConfig()
	}
	if len(files) == 0 && !a.configured() {
		return nil, noConfig()
	}
	return config.Load(config.Options{Files: files, Environ: a.environ, Flags: flags})
}

// defaultConfig is what WHERRY_CONFIG names (several with commas between), else wherry.yaml if it is there.
func (a *app) defaultConfig() []string {
	for _, e := range a.environ {
		if name, ok := strings.CutPrefix(e, "WHERRY_CONFIG="); ok && name != "" {
			return strings.Split(name, ",")
		}
	}
	if _, err := os.Stat("wherry.yaml"); err == nil {
		return []string{"wherry.yaml"}
	}
	return nil
}

// terminal tells whether w is a terminal.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a file descriptor fits
}
