package move

import (
	"context"
	"fmt"

	"wherry/pkg/config"
	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// readEnd is a server that changes are read from: what the phases need of it, and what only a move needs besides.
type readEnd interface {
	db.Source
	spool
	// CheckReturn returns what is right and wrong for reading the way back from this server.
	CheckReturn(ctx context.Context, intent db.Plan) ([]db.Finding, error)
}

// writtenEnd is a server that is written to: what the phases need of it, and what only a move needs besides.
type writtenEnd interface {
	db.Target
	// CheckReturn returns what is right and wrong for writing the way back to this server.
	CheckReturn(ctx context.Context, intent db.Plan) ([]db.Finding, error)
	// Admit lets this account write where a fence has made the server read-only.
	Admit(ctx context.Context) error
	// ReadOnly tells whether the server takes no writes from applications.
	ReadOnly(ctx context.Context) (bool, error)
}

// engine is a kind of server: what package move needs of it that is not in the contract of pkg/db.
type engine struct {
	openRead    func(ctx context.Context, s server) (readEnd, error) // nil: its changes cannot be followed
	openWritten func(ctx context.Context, s server) (writtenEnd, error)
	bookkeeping func(move string) string // the database of a move's bookkeeping, on either end
	spoolSize   func(dir string) int64   // of what is kept of a source's log, in bytes
	// classify gives an error of a server its kind. Errors that it does not know, and nil, are returned as they are.
	classify func(err error) (kind error)
}

// engines are the engines by the name that the configuration has for them. This file and engine_NAME.go are the only
// ones that know any: a new engine is one entry here and one such file.
func engines() map[string]engine {
	return map[string]engine{"mysql": mysqlEngine(), "postgres": postgresEngine()}
}

// errNoReturn is a target that is never read from.
var errNoReturn = fmt.Errorf("%w: there is no way back from this target: its changes cannot be followed",
	config.ErrInvalid)

// returns tells whether the target can be read from, for a way back.
func (m *Move) returns() bool { return engines()[m.cfg.Target.Engine].openRead != nil }

// server is what an engine needs to open a connection.
type server struct {
	*config.Endpoint
	password string
	move     string
	copying  config.Copy   // how rows are loaded into it
	schema   config.Schema // how its tables may differ
	opening
}

// opening is what a server is opened for if it is read from. The zero value reads no log, as for a server that is only
// asked something.
type opening struct {
	serverID uint32 // as which its log is read; 0 picks one
	spoolDir string // where its log is kept, if it is
	follows  func(schema.Name) bool
}

// openRead opens an end to read from it.
func (m *Move) openRead(ctx context.Context, e *config.Endpoint, o opening) (readEnd, error) {
	kind, s, err := m.server(ctx, e)
	if err != nil {
		return nil, err
	}
	if kind.openRead == nil {
		return nil, fmt.Errorf("%w: changes of a server of engine %s cannot be followed", config.ErrInvalid, e.Engine)
	}
	s.opening = o
	return kind.openRead(ctx, s)
}

// openWritten opens an end to write to it.
func (m *Move) openWritten(ctx context.Context, e *config.Endpoint) (writtenEnd, error) {
	kind, s, err := m.server(ctx, e)
	if err != nil {
		return nil, err
	}
	return kind.openWritten(ctx, s)
}

// server is how an endpoint is opened, and its engine. The password is asked for each time: it may have been changed.
func (m *Move) server(ctx context.Context, e *config.Endpoint) (engine, server, error) {
	kind, ok := engines()[e.Engine]
	if !ok {
		return kind, server{}, fmt.Errorf("%w: there is no engine %q", config.ErrInvalid, e.Engine)
	}
	password, err := e.ResolvePassword(ctx)
	if err != nil {
		return kind, server{}, fmt.Errorf("%w: %w", err, config.ErrInvalid)
	}
	return kind, server{Endpoint: e, password: password, move: m.cfg.Move, copying: m.cfg.Copy, schema: m.cfg.Schema},
		nil
}

// classify gives an error of a server its kind.
func classify(err error) error {
	for _, kind := range engines() {
		err = kind.classify(err)
	}
	return err
}
