// Package check is the phase that finds every precondition of a move that is not met, on both ends, before the first
// byte moves.
//
// Its one invariant: it changes nothing of anybody's. A Trial makes databases of its own on the target and removes
// them. What is right for one server its engine knows; what concerns both ends is checked here. For example, that the
// source has a binary log is the engine's check; that source and target are not the same server is one of these.
package check

import (
	"context"
	"fmt"
	"time"

	"wherry/pkg/db"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// clockTolerance is how far a server's clock may differ from this machine's before times in logs mislead people. Lag is
// corrected by the difference, so a larger one is a warning only.
const clockTolerance = time.Second

// Check is the phase.
type Check struct {
	source db.Source
	target db.Target
	plan   db.Plan
	mine   func(schema.Name) bool
}

// New returns the phase. mine tells which target tables were made by this move.
func New(source db.Source, target db.Target, plan db.Plan, mine func(schema.Name) bool) *Check {
	return &Check{source: source, target: target, plan: plan, mine: mine}
}

// Run returns the findings of all checks, in the order source, target, both. If the plan is for a phase, these are only
// the checks that the phase relies on. A precondition that is not met is a finding; an error is a check that could not
// be made, and comes with the findings so far.
func (c *Check) Run(ctx context.Context) (findings []db.Finding, err error) {
	checks := []func(context.Context) ([]db.Finding, error){
		func(ctx context.Context) ([]db.Finding, error) { return c.source.Check(ctx, c.plan) },
		func(ctx context.Context) ([]db.Finding, error) { return c.target.Check(ctx, c.plan) },
	}
	switch c.plan.Phase {
	case "":
		checks = append(checks, c.servers, c.existing, c.conflicts)
	case db.InitSchema: // it judges existing tables itself, in the same way
		checks = append(checks, c.servers)
	case db.InitCopy, db.StartReplica, db.Verify, db.Cutover:
	}
	for _, check := range checks {
		found, err := check(ctx)
		findings = append(findings, found...)
		if err != nil {
			return findings, err
		}
	}
	return findings, nil
}

// servers compares the two ends: that they are two, how they treat the case of names, their clocks and packet sizes.
func (c *Check) servers(ctx context.Context) (findings []db.Finding, err error) {
	source, err := c.source.Identity(ctx)
	if err != nil {
		return nil, err
	}
	target, err := c.target.Identity(ctx)
	if err != nil {
		return nil, err
	}
	add := func(level db.Level, check, what, fix string) {
		findings = append(findings, db.Finding{Check: check, End: "move", Level: level, What: what, Fix: fix})
	}
	add(db.OK, "connection", fmt.Sprintf("%s %s at %s to %s %s at %s", source.Flavor, source.Version, source.Host,
		target.Flavor, target.Version, target.Host), "")
	// Two addresses may lead to one server, which the configuration alone cannot show.
	if source.UUID == target.UUID {
		add(db.Fail, "same_server", "source and target are the same server ("+source.UUID+")",
			"set target to another server")
	}
	// On a server that folds names, Orders and orders are one table.
	if source.Names != target.Names {
		add(db.Warn, "table_names", fmt.Sprintf("the source has %s, the target %s", source.Names, target.Names),
			"make sure that no two tables of the move differ by case only")
	}
	for _, end := range []struct {
		name string
		id   db.Identity
	}{{"source", source}, {"target", target}} {
		if end.id.Clock.Abs() > clockTolerance {
			add(db.Warn, "clock", fmt.Sprintf("the %s's clock is %s off ours: times and lag are corrected by that",
				end.name, end.id.Clock),
				"set the clocks by NTP")
		}
	}
	return append(findings, c.packets(source, target)...), nil
}

// conflicts finds what stands in the way of views and the like on the target. Each text names the object.
func (c *Check) conflicts(ctx context.Context) (findings []db.Finding, err error) {
	reasons, err := db.ObjectConflicts(ctx, c.target, c.plan.Objects)
	// All of them are failures: the cutover would be refused for the same reasons, perhaps days later, when everything
	// else is done.
	for _, reason := range reasons {
		findings = append(findings, db.Finding{
			Check: "objects", End: "target", Level: db.Fail, What: reason, Fix: "drop it, or exclude the source's",
		})
	}
	return findings, err
}

// existing finds target tables that this move did not make, and judges them as init-schema will: refused, or accepted
// if the configuration says so and they fit. So check and init-schema never disagree.
func (c *Check) existing(ctx context.Context) (findings []db.Finding, err error) {
	planned := map[schema.Name]*route.Route{}
	for _, r := range c.plan.Routes {
		planned[r.Target.Name()] = r
	}
	found, err := c.target.Tables(ctx, func(n schema.Name) bool { return planned[n] != nil && !c.mine(n) })
	if err != nil {
		return nil, fmt.Errorf("read the target's tables: %w", err)
	}
	var existing []plan.Existing
	for _, t := range found {
		r := planned[t.Name]
		existing = append(existing, plan.Existing{Source: r.Source.Table, Plan: r.Target.Table, Found: t})
	}
	reasons, err := plan.Unfit(ctx, c.target, existing, c.plan.Accept)
	if err != nil {
		return nil, err
	}
	fix := "drop it, route to another name, or take it with schema.existing: accept if it is empty and as planned"
	if c.plan.Accept {
		fix = "drop it, or make it as planned"
	}
	for _, t := range found {
		for _, reason := range reasons[t.Name] {
			findings = append(findings, db.Finding{
				Check: "target_empty", End: "target", Level: db.Fail,
				Subject: t.Name.String(), What: reason, Fix: fix,
			})
		}
	}
	if len(findings) == 0 {
		findings = append(findings, db.Finding{
			Check: "target_empty", End: "target", Level: db.OK,
			What: "no table is in the way",
		})
	}
	return findings, nil
}
