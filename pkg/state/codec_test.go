package state

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var updateSamples = flag.Bool("update-samples", false, "write testdata samples of the current version that do not "+
	"exist yet")

// Samples of every version that was ever released stay readable.
func TestSamples(t *testing.T) {
	for name, want := range map[string]State{
		"state-v1.yaml": sampleOf1(), "state-v1.json": sampleOf1(),
		"state-v2.yaml": sampleOf2(), "state-v2.json": sampleOf2(), "state-v3.yaml": sample(),
		"state-v3.json": sample(),
	} {
		path := filepath.Join("testdata", name)
		c, err := codecFor(path)
		require.NoError(t, err)
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) && *updateSamples {
			whole := want
			data, err = c.marshal(&whole)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, data, 0o600))
		}
		require.NoError(t, err)
		s, err := c.decode(path, data)
		require.NoError(t, err)
		want.Version = CurrentVersion
		assert.Equal(t, want, *s)
	}
}

func TestMigrate(t *testing.T) {
	steps := map[int]migration{
		1: func(m map[string]any) error { m["move"] = m["move"].(string) + "_2"; return nil },
		2: func(m map[string]any) error { m["wherry"] = "3"; return nil },
		4: func(map[string]any) error { return errors.New("no") },
	}
	for _, name := range []string{"state-v1.yaml", "state-v1.json"} {
		path := filepath.Join("testdata", name)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		c, err := codecFor(path)
		require.NoError(t, err)
		s, err := c.decodeAs(path, data, 3, steps)
		require.NoError(t, err)
		want := sampleOf1()
		want.Version, want.Move, want.Wherry = 3, "shop_2", "3"
		assert.Equal(t, want, *s, "all else as it was, large numbers too")

		_, err = c.decodeAs(path, data, 4, steps)
		require.ErrorIs(t, err, ErrDamaged)
		require.ErrorContains(t, err, "version 3")
		steps[3] = func(map[string]any) error { return nil }
		_, err = c.decodeAs(path, data, 5, steps)
		require.ErrorContains(t, err, "migrate version 4: no")
		delete(steps, 3)
	}
}

func TestTextMustBeUTF8(t *testing.T) {
	for _, path := range formats() {
		c, err := codecFor(path)
		require.NoError(t, err)
		for text, good := range map[string]bool{
			"\xff": false, `\\` + "\xff": false, "\ufffd": true, `\ufffd`: true,
			`\\ufffd`: true,
		} {
			_, err = c.marshal(&State{Version: 1, Move: text})
			assert.Equal(t, good, err == nil, "%q", text)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{
		"state-v1.yaml", "state-v1.json", "state-v2.yaml", "state-v2.json", "state-v3.yaml",
		"state-v3.json",
	} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(data, filepath.Ext(name) == ".json")
	}
	f.Add([]byte("version: 1\n<<: &a [*a]\n...\n"), false)
	f.Fuzz(func(t *testing.T, data []byte, asJSON bool) {
		path := "s.yaml"
		if asJSON {
			path = "s.json"
		}
		c, err := codecFor(path)
		require.NoError(t, err)
		s, err := c.decode(path, data)
		if err != nil {
			require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer), err)
			return
		}
		first, err := c.marshal(s)
		if err != nil {
			return // a year beyond 9999
		}
		again, err := c.decode(path, first)
		require.NoError(t, err)
		second, err := c.marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
	})
}

// A table's definition and a server's message are any text; both formats must give it back.
func FuzzText(f *testing.F) {
	for _, text := range []string{
		"", "a\nb", " a", "\n a\n", "a\r\nb\t", "\n\t", "a\n\tb", "# x", "...\n---",
		"\u2028\u0085", "null", "1e3", "\x00\x7f",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		for _, path := range formats() {
			c, err := codecFor(path)
			require.NoError(t, err)
			data, err := c.marshal(&State{Version: 1, Move: "m", Tables: []Table{{Source: text, Definition: text}}})
			require.NoError(t, err)
			s, err := c.decode(path, data)
			require.NoError(t, err, string(data))
			require.Equal(t, text, s.Tables[0].Definition, string(data))
			require.Equal(t, text, s.Tables[0].Source, string(data))
		}
	})
}
