package monitor

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
)

type advice struct{ error }

func (advice) Next() string { return "wherry verify" }

func TestStream(t *testing.T) {
	var b strings.Builder
	s := NewStream(&b)
	s.clock = newClock().read
	require.NoError(t, s.Emit("begin", nil))
	require.NoError(t, s.Emit("finding", db.Finding{Check: "grants", What: "<a & b>"}))
	require.NoError(t, s.Emit("table", map[string]any{
		"type": "mine", "time": 1, "rows": int64(math.MaxInt64),
		"a": []int{1},
	}))
	require.ErrorContains(t, s.Emit("bad", []int{1}), "encode bad line: fields are no object")
	require.ErrorContains(t, s.Emit("bad", map[string]any{"x": math.NaN()}), "encode bad line")
	require.NoError(t, s.Error(12, fmt.Errorf("verify: %w", advice{errors.New("not caught up")})))
	require.ErrorIs(t, s.Emit("late", nil), errStreamEnded)
	require.ErrorIs(t, s.Summary(nil), errStreamEnded)
	want := `
{"type":"begin","time":"2026-01-02T03:04:05Z"}
{"type":"finding","time":"2026-01-02T03:04:05Z","check":"grants","end":"","level":"","subject":"",` +
		`"what":"<a & b>","fix":""}
{"type":"table","time":"2026-01-02T03:04:05Z","a":[1],"rows":9223372036854775807}
{"type":"error","time":"2026-01-02T03:04:05Z","code":12,"error":"verify: not caught up","next":"wherry verify"}
`
	assert.Equal(t, want, "\n"+b.String())
}

func TestStreamSummary(t *testing.T) {
	var b strings.Builder
	s := NewStream(&b)
	s.clock = newClock().read
	require.NoError(t, s.Summary(struct {
		Phase string `json:"phase"`
	}{"check"}))
	want := `{"type":"summary","time":"2026-01-02T03:04:05Z","phase":"check"}` + "\n"
	assert.Equal(t, want, b.String())
	require.EqualError(t, NewStream(broken{}).Emit("x", nil), "write x line: gone")
}

func TestStreamKeepsLinesWhole(t *testing.T) {
	var b strings.Builder
	s := NewStream(&b)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 100 {
				assert.NoError(t, s.Emit("n", map[string]any{"i": i}))
			}
		})
	}
	group.Wait()
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	assert.Len(t, lines, 800)
	for _, line := range lines {
		assert.True(t, strings.HasPrefix(line, `{"type":"n",`) && strings.HasSuffix(line, "}"), line)
	}
}
