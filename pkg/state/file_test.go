package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func formats() []string { return []string{"s.yaml", "s.json"} }

func sample() State {
	s := sampleOf2()
	s.Version = 3
	s.Phases[1].Begun, s.Phases[1].Attempts, s.Phases[1].Code, s.Phases[1].Tables = s.Cutover.FencedAt, 3, 12, []string{
		"shop.Orders",
	}
	s.Verify.Tables = []VerifyTable{{Table: "shop.Orders", Rows: 7, Differing: 1, Missing: 2, Extra: 3, Computed: 1}}
	s.Progress = Progress{
		Phase: PhaseVerify, Step: "verify", Tables: 2, TablesDone: 1, Rows: 7, RowsEstimate: 9, RowsPerSecond: 3,
		Left: Duration(time.Second), At: s.Cutover.FencedAt,
	}
	return s
}

// sampleOf2 is what version 2 knew.
func sampleOf2() State {
	s := sampleOf1()
	s.Version = 2
	s.Rehearsal = Rehearsal{At: s.Cutover.FencedAt, Blocked: 230e6, Fence: 10e6, Drain: 50e6, Verify: 150e6}
	s.Reverse = Reverse{Positions: s.Positions, Verify: s.Verify, Cutover: Cutover{
		Step:     "fence",
		FencedAt: s.Cutover.FencedAt,
	}}
	return s
}

// sampleOf1 is what version 1 knew.
func sampleOf1() State {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	return State{
		Version: 1, Move: "shop", Fingerprint: "f00d", Wherry: "0.1.0",
		Source: Server{UUID: "u1", Host: "10.0.0.5", Port: "3306", Version: "9.7.4", Flavor: "mysql"},
		Target: Server{UUID: "u2", Host: "10.0.0.6", Port: "3306", Version: "10.11.9", Flavor: "mariadb"},
		Phases: []Phase{
			{Name: PhaseInitSchema, Status: StatusDone, Started: at, Finished: at.Add(time.Second), Detail: "2 tables"},
			{
				Name: PhaseInitCopy, Status: StatusFailed, Started: at, Finished: at,
				Error: "read chunk shop.orders[3]: gone",
			},
		},
		Tables: []Table{{
			Source: "shop.Orders", Target: "new.orders", Status: TableCopying, RowsEstimate: 1 << 60, Rows: 7,
			Chunks: 3, ChunksDone: 2,
			Definition: "CREATE TABLE `Orders` (\n  `id` int NOT NULL,\n  `n` text DEFAULT ' # : <&> \\\\ \"é\"'\n) " +
				"ENGINE=InnoDB",
		}, {Source: "shop.items", Target: "new.items", Status: TablePlanned}},
		Positions: Positions{
			Start: "a:1-5", Consistent: "a:1-9", Applied: "a:1-10", Head: "a:1-12", AppliedAt: at,
			Lag: Duration(1200 * time.Millisecond), RowsApplied: 9007199254740993,
		},
		Verify: Verify{
			Mode: "full", Position: "a:1-9", Started: at, Finished: at, Clean: true,
			Tables: []VerifyTable{{Table: "shop.Orders", Rows: 7, Differing: 1, Missing: 2, Extra: 3}},
		},
		Cutover: Cutover{
			Step: "fenced", FencedAt: at, FenceKind: "read_only", SourceReadOnly: map[string]string{"read_only": "OFF"},
			Head: "a:1-12", Blocked: Duration(350 * time.Millisecond), Done: true, Note: "done",
		},
	}
}

func open(t *testing.T, path string, opts OpenOptions) *File {
	t.Helper()
	f, err := Open(path, opts)
	require.NoError(t, err)
	return f
}

func addRow(s *State) error { s.Positions.RowsApplied++; return nil }

func TestUpdateThenReadGivesItBack(t *testing.T) {
	for _, name := range formats() {
		path := filepath.Join(t.TempDir(), name)
		want := sample()
		f := open(t, path, OpenOptions{Move: "shop", Fingerprint: "f00d", Wherry: "0.1.0"})
		assert.False(t, f.Exists())
		assert.Equal(t, State{Version: 3, Move: "shop", Fingerprint: "f00d"}, f.Snapshot())
		assert.NoFileExists(t, path)
		require.NoError(t, f.Update(func(s *State) error { *s = want; return nil }))
		assert.True(t, f.Exists())
		assert.Equal(t, want, f.Snapshot())
		assert.Equal(t, want, open(t, path, OpenOptions{}).Snapshot())
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Contains(t, string(text), "1.2s")
		assert.Contains(t, string(text), "350ms")
	}
}

func TestOpenRefuses(t *testing.T) {
	whole := map[string][]byte{}
	for _, name := range formats() {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, open(t, path, OpenOptions{}).Update(func(s *State) error { *s = sample(); return nil }))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		whole[name] = data
	}
	edit := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return []byte(strings.Replace(string(b), old, new, 1)) }
	}
	keep := func(b []byte) []byte { return b }
	cases := []struct {
		name string
		edit func([]byte) []byte
		opts OpenOptions
		is   error
		want string
	}{
		{"other move", keep, OpenOptions{Move: "blog"}, ErrOtherMove, `records move "shop", the config says "blog"`},
		{
			"other tables", keep,
			OpenOptions{Move: "shop", Fingerprint: "beef"},
			ErrOtherMove,
			"f00d, the config has beef: routes, filters and alter must stay",
		},
		{"empty", func([]byte) []byte { return nil }, OpenOptions{}, ErrDamaged, "it is empty"},
		{"not a state", func([]byte) []byte {
			return []byte("hello\n...\n")
		}, OpenOptions{}, ErrDamaged, "move it away and begin again"},
		{"no version", edit("version", "vers"), OpenOptions{}, ErrDamaged, "version 0"},
		{"unknown field", edit("fingerprint", "finger"), OpenOptions{}, ErrDamaged, "finger"},
		{"negative version", func(b []byte) []byte {
			return []byte(strings.NewReplacer("version: 3\n", "version: -1\n", `"version": 3,`,
				`"version": -1,`).Replace(string(b)))
		}, OpenOptions{}, ErrDamaged, "version -1"},
		{"newer", func(b []byte) []byte {
			return []byte(strings.NewReplacer("version: 3\n", "version: 4\nflux: 3\n", `"version": 3,`,
				`"version": 4, "flux": 3,`).Replace(string(b)))
		}, OpenOptions{}, ErrNewer, "has version 4, this wherry knows up to 3"},
	}
	for _, tc := range cases {
		for _, name := range formats() {
			t.Run(tc.name+" "+name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), name)
				data := tc.edit(whole[name])
				require.NoError(t, os.WriteFile(path, data, 0o600))
				_, err := Open(path, tc.opts)
				require.ErrorIs(t, err, tc.is)
				require.ErrorContains(t, err, tc.want)
				require.ErrorContains(t, err, path)
				after, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, string(data), string(after))
			})
		}
	}
	_, err := Open("x.toml", OpenOptions{})
	require.ErrorContains(t, err, "want .yaml, .yml or .json")
}

func TestCutOffAnywhereIsDamaged(t *testing.T) {
	for _, name := range formats() {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, open(t, path, OpenOptions{}).Update(func(s *State) error { *s = sample(); return nil }))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for n := range len(data) - 1 { // the last byte is a newline, which JSON does not need
			require.NoError(t, os.WriteFile(path, data[:n], 0o600))
			_, err := Open(path, OpenOptions{})
			require.ErrorIs(t, err, ErrDamaged, "%s: %d of %d bytes", name, n, len(data))
		}
	}
}

func TestUpdateKeepsTheFileWhenChangeFails(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "s.yaml"), OpenOptions{Move: "shop"})
	require.NoError(t, f.Update(addRow))
	no := errors.New("no")
	require.ErrorIs(t, f.Update(func(s *State) error { s.Positions.RowsApplied = 99; return no }), no)
	assert.Equal(t, int64(1), f.Snapshot().Positions.RowsApplied)
}

func TestWriteFailureKeepsTheOldFile(t *testing.T) {
	for _, op := range []string{"create", "write", "sync", "close", "rename"} {
		t.Run(op, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "s.yaml")
			require.NoError(t, open(t, path, OpenOptions{Move: "shop"}).Update(addRow))
			before, err := os.ReadFile(path)
			require.NoError(t, err)

			fault := &faultFS{FS: disk{}, op: op, act: func() error { return syscall.ENOSPC }}
			f := open(t, path, OpenOptions{Move: "shop", FS: fault})
			err = f.Update(addRow)
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.ErrorContains(t, err, "update state file: ")
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(before), string(after))
			assert.NoFileExists(t, path+".tmp")

			fault.op = ""
			fault.ops = nil
			require.NoError(t, f.Update(addRow))
			assert.Equal(t, []string{"create", "write", "sync", "close", "rename", "sync dir"}, fault.ops)
			assert.Equal(t, int64(2), f.Snapshot().Positions.RowsApplied)
		})
	}
}

func TestNoSuchDirectory(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "none", "s.yaml"), OpenOptions{Move: "shop"})
	require.ErrorIs(t, f.Update(addRow), os.ErrNotExist)
}

func TestUnchangedIsNotWritten(t *testing.T) {
	fs := &faultFS{FS: disk{}}
	f := open(t, filepath.Join(t.TempDir(), "s.json"), OpenOptions{Move: "shop", FS: fs})
	require.NoError(t, f.Update(addRow))
	fs.ops = nil
	require.NoError(t, f.Update(func(*State) error { return nil }))
	assert.Empty(t, fs.ops)
}

func TestFileDisappears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.yaml")
	f := open(t, path, OpenOptions{Move: "shop"})
	require.NoError(t, f.Update(addRow))
	require.NoError(t, os.Remove(path))
	require.ErrorIs(t, f.Update(addRow), ErrDamaged)
	assert.Equal(t, int64(1), f.Snapshot().Positions.RowsApplied, "what was last known")
	assert.NoFileExists(t, path)
}

func TestLinkStaysALink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "s.yaml")
	require.NoError(t, open(t, real, OpenOptions{Move: "shop"}).Update(addRow))
	require.NoError(t, os.Symlink(real, link))
	require.NoError(t, open(t, link, OpenOptions{Move: "shop"}).Update(addRow))
	assert.Equal(t, int64(2), open(t, real, OpenOptions{}).Snapshot().Positions.RowsApplied)
}

func TestKilledAtAnyStep(t *testing.T) {
	steps := map[string]int64{ // what a new process must find, added to the 1 of before
		"create": 0, "after create": 0, "write": 0, "after write": 0, "sync": 0, "after sync": 0, "close": 0,
		"rename": 0, "after rename": 1, "sync dir": 1, "after sync dir": 1,
	}
	for op, more := range steps {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "s.yaml")
			require.NoError(t, open(t, path, OpenOptions{Move: "shop"}).Update(addRow))
			err := childCommand(t, "die", path, op).Run()
			require.ErrorContains(t, err, "killed")
			f := open(t, path, OpenOptions{Move: "shop"})
			assert.Equal(t, 1+more, f.Snapshot().Positions.RowsApplied)
			require.NoError(t, f.Update(addRow), "the next one goes on")
			assert.NoFileExists(t, path+".tmp")
		})
	}
}

func TestConcurrentUpdatesLoseNothing(t *testing.T) {
	for _, name := range formats() {
		path := filepath.Join(t.TempDir(), name)
		f := open(t, path, OpenOptions{Move: "shop"})
		var wg sync.WaitGroup
		for range 2 {
			cmd := childCommand(t, "count", path, "50")
			wg.Go(func() { assert.NoError(t, cmd.Run()) })
			wg.Go(func() {
				var errs []error
				for range 25 {
					errs = append(errs, f.Update(addRow))
					f.Snapshot()
				}
				assert.NoError(t, errors.Join(errs...))
			})
		}
		wg.Wait()
		assert.Equal(t, int64(150), f.Snapshot().Positions.RowsApplied)
	}
}
