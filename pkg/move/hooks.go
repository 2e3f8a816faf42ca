package move

import (
	"context"
	"strings"

	"wherry/pkg/db"
	"wherry/pkg/hook"
)

// hookCommand is a command of the configuration. key is its name below hooks:; command is empty if it is not set.
type hookCommand struct{ key, command string }

func (m *Move) hooks() []hookCommand {
	h := m.cfg.Hooks
	return []hookCommand{
		{"before_cutover", h.BeforeCutover},
		{"switch", h.Switch},
		{"after_cutover", h.AfterCutover},
		{"fence", h.Fence},
		{"unfence", h.Unfence},
	}
}

// runHook runs the user's command for a point of the cutover, if there is one. name is as the cutover has it, such as
// "before-cutover". What hooks are given on the way back is the direction, with source and target as they are now: the
// source is the server that is read. facts win over these.
func (m *Move) runHook(ctx context.Context, name string, facts map[string]string) error {
	key := strings.ReplaceAll(name, "-", "_")
	for _, h := range m.hooks() {
		if h.key != key || h.command == "" {
			continue
		}
		env := map[string]string{
			"move": m.cfg.Move, "hook": name, "direction": m.name,
			"source": m.from.address, "target": m.to.address,
		}
		for k, v := range facts {
			env[k] = v
		}
		m.log.Info().Str("hook", name).Msg("hook runs")
		return hook.Run(ctx, hook.Hook{
			Name: "hooks." + key, Command: h.command, Timeout: m.cfg.Hooks.Timeout, Env: env,
			Stdout: m.progress.Writer(), Stderr: m.progress.Writer(),
		})
	}
	return nil
}

// checkHooks checks that the commands that the cutover will run exist. It does not run them: they may act.
func (m *Move) checkHooks() (findings []db.Finding) {
	for _, h := range m.hooks() {
		if h.command == "" {
			continue
		}
		f := db.Finding{Check: "hook", End: "move", Level: db.OK, Subject: "hooks." + h.key, What: "can be run"}
		if err := hook.Check(h.command); err != nil {
			f.Level, f.What, f.Fix = db.Fail, err.Error(), "give a command that sh can run"
		}
		findings = append(findings, f)
	}
	return findings
}
