package cutover

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// The values of Options.Verify.
const (
	VerifyFull    = "full"    // compare everything while writes are blocked
	VerifyChanged = "changed" // compare what changed since the last verify, most of it before writes are blocked
	VerifyNone    = "none"
)

// The names that Options.Hook is called with.
const (
	HookBefore  = "before-cutover" // before anything is stopped; an error vetoes
	HookFence   = "fence"          // stops writes, for db.FenceHook; called again after a crash
	HookUnfence = "unfence"        // allows writes again, for db.FenceHook
	HookSwitch  = "switch"         // points applications at the target; called again when it failed
	HookAfter   = "after-cutover"  // when all is done
)

// Gate is a precondition.
type Gate struct {
	Name  string
	Check func(ctx context.Context) error
}

// Verified is the outcome of a comparison.
type Verified struct {
	Rows        int64
	Differences int64
	Position    db.Position // up to which it holds
}

// Options configure a Cutover. Applied and Journal are required, and what Verify needs; the rest has a useful zero
// value.
type Options struct {
	Move         string
	Fence        db.FenceKind
	Timeout      time.Duration // for writes to be blocked before the takeover; 30 s
	MaxLag       time.Duration // of the target before anything is stopped; 5 s
	Verify       string        // VerifyFull, VerifyChanged or VerifyNone; VerifyChanged
	MaxVerifyAge time.Duration // of the last clean verify; 24 h
	LookFor      time.Duration // how long the target is asked after a lost answer of the takeover; 15 s
	// turn back before the takeover is recorded: all but the switch, and writes are open again
	Rehearse bool
	Gates    []Gate // all are checked, and all failures reported together

	// Applied returns the position up to which the target durably holds the source's changes; Lag how far it is behind.
	Applied func(ctx context.Context) (db.Position, error)
	Lag     func(ctx context.Context) (time.Duration, error)

	// Steady tells whether the tables of the move are still what they were when the routes were planned; nil: they are.
	Steady func(ctx context.Context) (bool, error)

	// VerifyChanged compares the rows that changed between two positions, VerifyFull all. VerifiedUpTo is how far the
	// last clean verify holds, and VerifiedAt when that was.
	VerifyChanged func(ctx context.Context, from, to db.Position) (Verified, error)
	VerifyFull    func(ctx context.Context) (Verified, error)
	VerifiedUpTo  db.Position
	VerifiedAt    time.Time

	// Objects plans what moves besides tables, as of now; nil: nothing does. Conflicts returns what stands in the way
	// on the target, as texts for people.
	Objects   func(ctx context.Context) ([]schema.ObjectPlan, error)
	Conflicts func(ctx context.Context, plans []schema.ObjectPlan) ([]string, error)

	// Tables returns what tables of the target get once it has taken over; nil: nothing.
	Tables func() []db.LateTable

	// Open makes the target take writes from applications, once it has taken over and before HookSwitch. It is called
	// again after a crash. nil: it takes them already.
	Open func(ctx context.Context) error

	// Hook runs one of the user's commands, or does nothing when there is none. nil means that there are none.
	Hook    func(ctx context.Context, name string, facts map[string]string) error
	Journal Journal

	// Observe is told what is done now. It must be quick.
	Observe func(step Step, detail string)
	Now     func() time.Time // time.Now
	Log     zerolog.Logger
}

// New returns the phase.
func New(source Source, target Target, routes []*route.Route, opts Options) *Cutover {
	if opts.Timeout == 0 {
		opts.Timeout = 30 * time.Second
	}
	if opts.MaxLag == 0 {
		opts.MaxLag = 5 * time.Second
	}
	if opts.Verify == "" {
		opts.Verify = VerifyChanged
	}
	if opts.MaxVerifyAge == 0 {
		opts.MaxVerifyAge = 24 * time.Hour
	}
	if opts.LookFor == 0 {
		opts.LookFor = 15 * time.Second
	}
	if opts.Observe == nil {
		opts.Observe = func(Step, string) {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Cutover{source: source, target: target, routes: routes, opts: opts}
	c.gate = func(b *barrier) *closed { return &closed{c: c, barrier: b, readHead: source.Head} }
	return c
}
