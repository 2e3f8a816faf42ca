// Package config reads what the user wants of one move: typed, strict, redacting.
//
// Its job is to turn files, environment and flags into one Config that is complete and valid, or into one error that
// names every problem at once. For example, with copy.workers: "4" and a missing move the error says
//
//	invalid config: 2 problems:
//	  shop.yaml:7: copy.workers: found text "4", expected a whole number
//	  ...
//
// Its one invariant: a Config returned by Load has passed every rule here, and no way of printing it shows a password.
//
// It does not connect to anything, does not know which tables exist, and does not decide what a glob or a route means
// for a given table: it only makes sure that they can mean something.
package config

import (
	"slices"
	"time"
)

// Config is one move as the user asked for it. Keys are the mapstructure tags joined by dots.
type Config struct {
	Move      string    `mapstructure:"move"`
	State     string    `mapstructure:"state"`
	Source    Source    `mapstructure:"source"`
	Target    Endpoint  `mapstructure:"target"`
	Tables    Tables    `mapstructure:"tables"`
	Routes    []Route   `mapstructure:"routes"`
	Filters   []Filter  `mapstructure:"filters"`
	Alter     []Alter   `mapstructure:"alter"`
	Schema    Schema    `mapstructure:"schema"`
	Copy      Copy      `mapstructure:"copy"`
	Replicate Replicate `mapstructure:"replicate"`
	Verify    Verify    `mapstructure:"verify"`
	Cutover   Cutover   `mapstructure:"cutover"`
	Hooks     Hooks     `mapstructure:"hooks"`
	Log       Log       `mapstructure:"log"`

	warnings []string
	origins  map[string]string // where each key's value comes from, see Entry
}

// Endpoint is how to reach one server. A non-empty Socket wins over Host and Port.
// The defaults of a server stand in defaultEndpoint; at most one of the three password keys may be set.
type Endpoint struct {
	Engine          string        `mapstructure:"engine"`
	Host            string        `mapstructure:"host"`
	Port            int           `mapstructure:"port"`
	Socket          string        `mapstructure:"socket"`
	User            string        `mapstructure:"user"`
	Password        Secret        `mapstructure:"password"`
	PasswordFile    string        `mapstructure:"password_file"`
	PasswordCommand string        `mapstructure:"password_command"`
	Database        string        `mapstructure:"database"`
	TLS             TLS           `mapstructure:"tls"`
	ConnectTimeout  time.Duration `mapstructure:"connect_timeout"`

	// EnvPassword comes from WHERRY_SOURCE_PASSWORD or WHERRY_TARGET_PASSWORD and wins over the three
	// keys. It is exported only because fmt cannot call a Secret's methods on an unexported field.
	EnvPassword Secret `mapstructure:"-"`

	role string // "source" or "target", for errors
}

// Source is the endpoint that is read. ServerID is the replication id used while reading its binlog; 0
// lets wherry pick one.
type Source struct {
	Endpoint `mapstructure:",squash"`
	ServerID uint32 `mapstructure:"server_id"`
}

// TLS is how a connection is protected; Mode is one of disabled, preferred, required, verify-ca, verify-full.
type TLS struct {
	Mode string `mapstructure:"mode"`
	CA   string `mapstructure:"ca"`
	Cert string `mapstructure:"cert"`
	Key  string `mapstructure:"key"`
}

// Tables selects source tables by globs on db.table, where * is any run of characters and ? is one.
type Tables struct {
	Include []string `mapstructure:"include"`
	Exclude []string `mapstructure:"exclude"`
}

// Route sends the tables that From matches to To. A * in To keeps the source's name in that place.
type Route struct {
	From string `mapstructure:"from"`
	To   string `mapstructure:"to"`
}

// Filter limits the rows of the tables that Table (a glob on db.table) matches to those where Where holds.
type Filter struct {
	Table string `mapstructure:"table"`
	Where string `mapstructure:"where"`
}

// Alter is an in-place change of one table. It is reserved: Load refuses a non-empty list.
type Alter struct {
	Table string `mapstructure:"table"`
	DDL   string `mapstructure:"ddl"`
}

// Schema is how the target's tables may differ from the source's. AllowLosses are names of losses, each for all tables
// or, as name@db.table, for those that a glob matches. They are permissions: they change nothing about how rows move.
//
// Existing is what becomes of target tables that are there before the move: refuse, or accept those that fit.
type Schema struct {
	Existing    string   `mapstructure:"existing"`
	AllowLosses []string `mapstructure:"allow_losses"`

	// For a target of engine postgres: Types are other types for columns; Fulltext makes GIN indexes of FULLTEXT ones;
	// Materialize are globs of views, as db.view, whose rows are stored.
	Types       []TypeRule `mapstructure:"types"`
	Fulltext    bool       `mapstructure:"fulltext"`
	Materialize []string   `mapstructure:"materialize"`
}

// TypeRule gives columns the type As, in the target's words. Of is a type of the source, such as tinyint(1), or
// columns, as a glob on db.table.column.
type TypeRule struct {
	Of string `mapstructure:"of"`
	As string `mapstructure:"as"`
}

// Copy is how existing rows are carried. ChunkRows 0 means that the size is learned from ChunkBytes. Spool keeps the
// source's log in the directory SpoolDir meanwhile.
type Copy struct {
	Workers        int    `mapstructure:"workers"`
	ChunkRows      int    `mapstructure:"chunk_rows"`
	ChunkBytes     Bytes  `mapstructure:"chunk_bytes"`
	DeferIndexes   bool   `mapstructure:"defer_indexes"`
	IndexWorkers   int    `mapstructure:"index_workers"`
	BinlogOnTarget bool   `mapstructure:"binlog_on_target"`
	Load           string `mapstructure:"load"`
	Spool          bool   `mapstructure:"spool"`
}

// Replicate is how later changes are carried. A batch closes at the first of its three limits.
type Replicate struct {
	BatchRows  int           `mapstructure:"batch_rows"`
	BatchBytes Bytes         `mapstructure:"batch_bytes"`
	BatchAge   time.Duration `mapstructure:"batch_age"`
	Workers    int           `mapstructure:"workers"`
	DDL        string        `mapstructure:"ddl"`
	RetryFor   time.Duration `mapstructure:"retry_for"`
}

// Verify is how both sides are compared.
// The chunks are its own, not those of the copy: a comparison also finds rows outside of what was copied.
type Verify struct {
	Workers   int `mapstructure:"workers"`
	ChunkRows int `mapstructure:"chunk_rows"`
}

// Cutover is how writes on the source are stopped, what must hold before the switch, and which kinds of objects
// besides tables move with it: some of schema.ObjectGroups. Definer is DefinerKeep, DefinerCurrent or user@host.
type Cutover struct {
	Fence        string        `mapstructure:"fence"`
	Timeout      time.Duration `mapstructure:"timeout"`
	MaxLag       time.Duration `mapstructure:"max_lag"`
	Verify       string        `mapstructure:"verify"`
	MaxVerifyAge time.Duration `mapstructure:"max_verify_age"`
	Objects      []string      `mapstructure:"objects"`
	Definer      string        `mapstructure:"definer"`
}

// Whom objects belong to on the target: who defined them on the source, or the account that wherry uses on the target.
const (
	DefinerKeep    = "keep"
	DefinerCurrent = "current"
)

// Hooks are the user's own commands, run by sh -c; empty means none. Timeout holds for each of them.
type Hooks struct {
	BeforeCutover string        `mapstructure:"before_cutover"`
	Switch        string        `mapstructure:"switch"`
	AfterCutover  string        `mapstructure:"after_cutover"`
	Fence         string        `mapstructure:"fence"`
	Unfence       string        `mapstructure:"unfence"`
	Timeout       time.Duration `mapstructure:"timeout"`
}

// Log is what is written to stderr and how.
// Level is one of trace, debug, info, warn and error. Format auto is text on a terminal and json elsewhere.
type Log struct {
	Level  string `mapstructure:"level"`
	Format string `mapstructure:"format"`
}

// Warnings lists what is allowed but probably not meant, one sentence each.
func (c *Config) Warnings() []string { return slices.Clone(c.warnings) }

// SpoolDir is where the source's log is kept during a copy, beside the state file.
func (c *Config) SpoolDir() string { return c.State + ".spool" }
