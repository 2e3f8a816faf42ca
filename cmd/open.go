package cmd

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"wherry/pkg/config"
	"wherry/pkg/monitor"
	"wherry/pkg/move"
)

// configure reads the configuration and prepares log and progress. printed: --print-config was given, and the command
// is done. Warnings about the configuration are logged, so they never mix with results on standard output.
func (a *app) configure() (printed bool, err error) {
	if a.cfg, err = a.load(); err != nil {
		return false, err
	}
	if a.global.printConfig {
		return true, a.printConfig(a.cfg)
	}
	a.commands = monitor.Commands{Move: a.cfg.Move, Args: a.configFlags()}
	level, err := zerolog.ParseLevel(a.cfg.Log.Level)
	if err != nil {
		return false, fmt.Errorf("log.level: %w: %w", err, config.ErrInvalid)
	}
	// The progress before the log: the log is written through it, above the bars.
	a.progress = a.newProgress(level)
	a.log = a.newLogger(level, a.progress.Writer())
	for _, warning := range a.cfg.Warnings() {
		a.log.Warn().Msg(warning)
	}
	return false, nil
}

// open opens the move that the configuration describes, without connecting to a server. The caller closes a.move.
func (a *app) open() (printed bool, err error) {
	if printed, err := a.configure(); err != nil || printed {
		return printed, err
	}
	a.move, err = move.Open(a.cfg, move.Options{
		Version: version, Log: a.log, Progress: a.progress, Statement: a.printStatement,
	})
	return false, err
}

// configFlags returns the flags that lead to the same move, for the commands that are shown: "next: wherry init-copy
// --config shop.yaml" can be copied and typed as it is.
func (a *app) configFlags() string {
	var flags []string
	for _, name := range a.global.config {
		flags = append(flags, "--config "+name)
	}
	if a.global.state != "" {
		flags = append(flags, "--state "+a.global.state)
	}
	return strings.Join(flags, " ")
}

// linesEvery is how often programs get a line of progress (--json --progress).
const linesEvery = 2 * time.Second

// newProgress makes the live progress: bars if standard error is a terminal, else log lines. Results go to standard
// output, so `wherry verify > report.txt` still shows the bars.
func (a *app) newProgress(level zerolog.Level) *monitor.Progress {
	size := func() (int, int) {
		if w, h := size(a.stderr); w > 0 {
			return w, h
		}
		return 80, 24
	}
	// Bars need a terminal that moves its cursor; with log.format json they would break the log's lines. Block
	// characters need UTF-8: the locale says whether the terminal has it. NO_COLOR is https://no-color.org.
	options := monitor.Options{
		Out: a.stderr, Terminal: a.draws(a.stderr) && a.cfg.Log.Format != "json", NoColor: a.env("NO_COLOR") != "",
		ASCII:  !strings.Contains(strings.ToUpper(a.env("LC_ALL")+a.env("LC_CTYPE")+a.env("LANG")), "UTF"),
		Width:  func() int { w, _ := size(); return w },
		Height: func() int { _, h := size(); return h },
	}
	options.Log = a.newLogger(level, a.stderr)
	// A program that asked for progress gets it on standard output, between the results, and no bars.
	if a.json != nil && a.global.progress {
		options.Lines, options.Terminal, options.Every = a.json, false, linesEvery
	}
	return monitor.NewProgress(options)
}

// newLogger logs text for people on a terminal, and JSON elsewhere, unless log.format says which.
func (a *app) newLogger(level zerolog.Level, w io.Writer) zerolog.Logger {
	if format := a.cfg.Log.Format; format == "text" || format == "auto" && terminal(a.stderr) {
		plain := a.env("NO_COLOR") != "" || !a.draws(a.stderr)
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: plain}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Str("move", a.cfg.Move).Logger()
}

// draws tells whether w is a terminal that has colours and moves its cursor. TERM=dumb is one that does not, such as
// the shell of an editor.
func (a *app) draws(w any) bool { return terminal(w) && a.env("TERM") != "dumb" }

// env returns a variable of the environment; "" if it is not set.
func (a *app) env(name string) string {
	for _, e := range a.environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
