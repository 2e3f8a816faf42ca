package move

import (
	"errors"
	"slices"
	"syscall"

	"wherry/pkg/cleanup"
	"wherry/pkg/config"
	"wherry/pkg/cutover"
	"wherry/pkg/db"
	"wherry/pkg/initschema"
	"wherry/pkg/monitor"
	"wherry/pkg/schema"
	"wherry/pkg/state"
	"wherry/pkg/verify"
)

// Code is the kind of an error, by what its reader can do: one of the codes of package monitor. It is the exit status
// of the command line, and the state file keeps that of a phase that failed. Of several kinds in one error, the one
// counts that asks most of its reader. Example: a cutover whose outcome is unknown because the connection was lost is
// 14 and not 1, because running it again blindly is what must not happen.
func Code(err error) int {
	var option OptionError
	err = classify(err)
	for _, c := range []struct {
		code  int
		match bool
	}{
		{monitor.CodeDone, err == nil},
		{monitor.CodeUsage, errors.As(err, &option)},
		{monitor.CodeUnknown, errors.Is(err, cutover.ErrOutcomeUnknown)},
		{monitor.CodeUnfinished, errors.Is(err, cutover.ErrUnfinished)},
		{monitor.CodeInterrupted, errors.Is(err, ErrInterrupted)},
		{monitor.CodeConfig, unmended(err)},
		{monitor.CodeState, is(err, state.ErrOtherMove, state.ErrNewer, state.ErrDamaged, state.ErrMissing)},
		{monitor.CodeLocked, is(err, state.ErrLocked, db.ErrLocked)},
		{monitor.CodeGone, errors.Is(err, db.ErrPositionGone)},
		{monitor.CodeDifferences, IsResult(err) || errors.Is(err, cutover.ErrDifferent)},
		{monitor.CodeRefused, is(err, ErrRefused, initschema.ErrRefused, cutover.ErrRefused, cleanup.ErrUnderWay,
			cleanup.ErrIncomplete,
			state.ErrOutOfOrder, state.ErrOver, verify.ErrSchemaChange,
			db.ErrUnsupported, db.ErrNotOwned, db.ErrSealed, db.ErrLost)},
	} {
		if c.match {
			return c.code
		}
	}
	return monitor.CodeFailed
}

// unmended tells whether an error stays until somebody changes the configuration, an account or a server's settings,
// or makes room on a disk. The systemd unit does not restart after these (RestartPreventExitStatus).
func unmended(err error) bool {
	return is(err, config.ErrInvalid, db.ErrAccess, db.ErrSetup, db.ErrSpace, state.ErrUnwritable,
		syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EACCES, syscall.EPERM) // of this machine's files
}

// is tells whether an error is of one of some kinds.
func is(err error, kinds ...error) bool {
	return slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) })
}

// connectError is a server that could not be reached before anything was begun: the advice is about hosts and ports
// then, not about progress that is saved.
type connectError struct{ error }

func (e connectError) Unwrap() error { return e.error }

// Outcome is what the advice after an error depends on, see monitor.After. code is the error's, or what the caller
// makes of it. m may be nil: nothing was begun.
func (m *Move) Outcome(code int, err error) monitor.Outcome {
	var unreachable connectError
	var differing differingTables
	_ = errors.As(err, &differing)
	o := monitor.Outcome{
		Computed: differing.computed, Code: code, Tables: concerned(err), Pending: errors.Is(err, ErrPending),
		Advised: is(err, config.ErrInvalid, state.ErrOutOfOrder, state.ErrOver),
		Nothing: errors.As(err, &unreachable),
	}
	if m != nil {
		o.Phase, o.Journal = m.phase, m.step
	}
	return o
}

// concerned returns the source tables that an error is about, where a new copy or a repair of them helps.
func concerned(err error) (tables []string) {
	var differing differingTables
	var changed *db.CopyAgain
	var unfollowed *db.NotFollowed
	var names []schema.Name
	switch {
	case errors.As(err, &differing):
		return differing.tables
	case errors.As(err, &unfollowed):
		names = unfollowed.Tables
	case errors.As(err, &changed):
		names = changed.Tables
	}
	for _, n := range names {
		tables = append(tables, n.String())
	}
	return tables
}
