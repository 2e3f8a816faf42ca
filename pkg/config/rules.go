package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"wherry/pkg/schema"
)

// check applies every rule and collects what is broken.
func (c *Config) check(p *problems) {
	if c.Move == "" {
		p.addf("move: required, the name of this move")
	} else if !regexp.MustCompile(`^[a-z0-9_]{1,40}$`).MatchString(c.Move) {
		p.addf("move: %q does not fit, expected 1 to 40 of a-z, 0-9 and _", c.Move)
	}
	if !slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(c.State)) {
		p.addf("state: %q does not fit, expected a file name ending in .yaml, .yml or .json", c.State)
	}
	c.Source.check(p)
	c.Target.check(p)
	if sameServer(&c.Source.Endpoint, &c.Target) {
		p.addf("target: same server as source (%s), a move needs two", c.Source.Address())
	}
	c.checkTables(p)
	c.checkRoutes(p)
	c.checkFilters(p)
	if len(c.Alter) > 0 {
		p.addf("alter: in-place change is not available in this version")
	}
	c.checkSchema(p)
	c.checkCopy(p)
	c.checkReplicate(p)
	c.checkCutover(p)
	oneOf(p, "log.level", c.Log.Level, "trace", "debug", "info", "warn", "error")
	oneOf(p, "log.format", c.Log.Format, "auto", "json", "text")
}

// check checks one server's keys. Of the three ways to give a password only one may be set: which one wins would be
// guesswork for the reader. The variable is not among them, see splitPasswords.
func (e *Endpoint) check(p *problems) {
	switch {
	case e.Engine == "postgres" && e.role == "source":
		p.addf("%s: PostgreSQL is a target only: its changes cannot be followed", e.key("engine"))
	case e.Engine == "postgres" && e.Database == "":
		p.addf("%s: required with engine postgres: the database whose schemas the tables go to", e.key("database"))
	case e.Engine == "postgres":
	default:
		oneOf(p, e.key("engine"), e.Engine, "mysql", "postgres")
	}
	if e.Engine == "mysql" && e.Database != "" {
		p.addf("%s: is for engine postgres; with mysql tables are named db.table, and routes say where they go",
			e.key("database"))
	}
	if e.Host == "" && e.Socket == "" {
		p.addf("%s: required (or %s)", e.key("host"), e.key("socket"))
	}
	if e.User == "" {
		p.addf("%s: required", e.key("user"))
	}
	between(p, e.key("port"), e.Port, 1, 65535)
	between(p, e.key("connect_timeout"), e.ConnectTimeout, 100*time.Millisecond, 10*time.Minute)
	oneOf(p, e.key("tls.mode"), e.TLS.Mode, "disabled", "preferred", "required", "verify-ca", "verify-full")
	if (e.TLS.Cert == "") != (e.TLS.Key == "") {
		p.addf("%s: cert and key go together, only one is set", e.key("tls"))
	}
	var set []string
	for _, k := range []struct{ key, value string }{
		{"password", string(e.Password)}, {"password_file", e.PasswordFile}, {"password_command", e.PasswordCommand},
	} {
		if k.value != "" {
			set = append(set, e.key(k.key))
		}
	}
	if len(set) > 1 {
		p.addf("%s: set only one of them", strings.Join(set, ", "))
	}
}

// checkCopy checks the limits of copy and verify. The upper ones catch slips, such as bytes given for rows.
func (c *Config) checkCopy(p *problems) {
	between(p, "copy.workers", c.Copy.Workers, 1, 64)
	between(p, "copy.chunk_rows", c.Copy.ChunkRows, 0, 10_000_000)
	between(p, "copy.chunk_bytes", c.Copy.ChunkBytes, 64*KiB, GiB)
	between(p, "copy.index_workers", c.Copy.IndexWorkers, 1, 64)
	oneOf(p, "copy.load", c.Copy.Load, "auto", "load_data", "insert")
	between(p, "verify.workers", c.Verify.Workers, 1, 64)
	between(p, "verify.chunk_rows", c.Verify.ChunkRows, 1, 10_000_000)
}

// checkReplicate checks the limits of batches, and what becomes of schema changes.
func (c *Config) checkReplicate(p *problems) {
	between(p, "replicate.batch_rows", c.Replicate.BatchRows, 1, 1_000_000)
	between(p, "replicate.batch_bytes", c.Replicate.BatchBytes, 64*KiB, GiB)
	between(p, "replicate.batch_age", c.Replicate.BatchAge, 0, time.Minute)
	between(p, "replicate.workers", c.Replicate.Workers, 1, 64)
	between(p, "replicate.retry_for", c.Replicate.RetryFor, 0, 7*24*time.Hour)
	oneOf(p, "replicate.ddl", c.Replicate.DDL, "apply", "stop", "ignore")
}

// checkCutover checks the cutover and its hooks. A fence by hook needs both commands: without hooks.unfence an undone
// cutover could not open the source again.
func (c *Config) checkCutover(p *problems) {
	oneOf(p, "cutover.fence", c.Cutover.Fence, "read_only", "lock_tables", "hook", "none")
	oneOf(p, "cutover.verify", c.Cutover.Verify, "full", "changed", "none")
	between(p, "cutover.timeout", c.Cutover.Timeout, time.Second, time.Hour)
	between(p, "cutover.max_lag", c.Cutover.MaxLag, 100*time.Millisecond, time.Hour)
	between(p, "cutover.max_verify_age", c.Cutover.MaxVerifyAge, time.Minute, 30*24*time.Hour)
	c.checkObjects(p)
	between(p, "hooks.timeout", c.Hooks.Timeout, time.Second, time.Hour)
	if c.Cutover.Fence == "hook" && (c.Hooks.Fence == "" || c.Hooks.Unfence == "") {
		p.addf("cutover.fence: hook needs both hooks.fence and hooks.unfence")
	}
}

// checkObjects checks the kinds of objects to move, and whom they will belong to.
func (c *Config) checkObjects(p *problems) {
	for i, group := range c.Cutover.Objects {
		oneOf(p, fmt.Sprintf("cutover.objects[%d]", i), group, schema.ObjectGroups...)
		if slices.Index(c.Cutover.Objects, group) < i {
			p.addf("cutover.objects[%d]: %q given twice", i, group)
		}
	}
	if d := c.Cutover.Definer; d != DefinerKeep && d != DefinerCurrent {
		if _, err := schema.ParseAccount(d); err != nil {
			p.addf("cutover.definer: %q does not fit, expected keep, current or user@host", d)
		}
	}
}

// oneOf reports a value that is none of the allowed ones, and lists those.
func oneOf(p *problems, key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		p.addf("%s: %q does not fit, expected %s", key, value, strings.Join(allowed, ", "))
	}
}

// between reports a value outside of low to high, both included.
func between[T cmp.Ordered](p *problems, key string, value, low, high T) {
	if value < low || value > high {
		p.addf("%s: %v is out of range, expected %v to %v", key, value, low, high)
	}
}
