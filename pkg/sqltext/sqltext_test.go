package sqltext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// on91 runs what MySQL 9.1 runs.
func on91(mariadb bool, version int) bool { return !mariadb && version <= 90100 }

// show writes tokens as words with a letter for their kind.
func show(tokens []Token) string {
	var words []string
	for _, t := range tokens[:len(tokens)-1] {
		words = append(words, string("ewnsdbxm"[t.Kind])+":"+t.Text)
	}
	return strings.Join(words, " ")
}

func TestLex(t *testing.T) {
	printed, client := Rules{Printed: true}, Rules{Runs: on91}
	for _, c := range []struct {
		src   string
		rules Rules
		want  string
	}{
		{"", client, ""},
		{"ALTER TABLE `a``b` ADD c\tINT", client, "w:ALTER w:TABLE n:a`b w:ADD w:c w:INT"},
		{`'it''s' "q" 'a\'b\n\%\x' n'x'`, client, "s:it's s:q s:a'b\n\\%x s:x"},
		{`'a\' "q"`, Rules{NoBackslashEscapes: true, ANSIQuotes: true}, `s:a\ n:q`},
		{`'a\'`, ModeRules("STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES"), `s:a\`},
		{`"a\"`, ModeRules("ANSI_QUOTES"), `n:a\`},
		{"b'101' 0b11 x'0F41' 0x41 0x4 0X1", client, "b:101 b:11 x:\x0fA x:A x:\x04 w:0X1"},
		{
			"1 1.5 1. .5 1e5 1.5E-3 1e 1a t.1a t.1e5 t.0x1 t.5", client,
			"d:1 d:1.5 d:1. d:.5 d:1e5 d:1.5E-3 w:1e w:1a w:t m:. w:1a w:t m:. w:1e5 w:t m:. w:0x1 w:t m:. w:5",
		},
		{"a<=>b->>c<>d:=e|f", client, "w:a m:<=> w:b m:->> w:c m:<> w:d m::= w:e m:| w:f"},
		{"@a @@b `u`@`h`", client, "m:@ w:a m:@ m:@ w:b n:u m:@ n:h"},
		{"a -- b\nc --d # e\n--\nf#", client, "w:a w:c m:- m:- w:d w:f"},
		{"a --", client, "w:a"},
		{
			"a /* b */ c /*!80000 d */ /*!90200 e */ /*M!100301 f */ /*! g */ /*!800 h*/", client,
			"w:a w:c w:d w:g d:800 w:h",
		},
		{"/*!80000 a /*!80000 b */ c */", client, "w:a w:c"},
		{"/*!80000 a /*M!100301 b */ c */ d", Rules{}, "w:a w:b w:c w:d"},
		{"a /* mariadb-5.3 */ /*!80016 b */ #", printed, "w:a w:b m:#"},
		{"größe ñ", client, "w:größe w:ñ"},
	} {
		tokens, err := Lex(c.src, c.rules)
		require.NoError(t, err, c.src)
		assert.Equal(t, c.want, show(tokens), c.src)
	}
}

func TestLexErrors(t *testing.T) {
	for src, want := range map[string]string{
		"'a": "no end of quotes that begin at \"'a\"", "`a": "no end of quotes", "b'2'": "invalid digits",
		"x'g'": "invalid digits", "/*!80000 a": "no end of comment",
		"a /* b */": "cannot understand comment", "1a": "invalid number", "0xg": "invalid number",
	} {
		_, err := Lex(src, Rules{Printed: true})
		require.ErrorContains(t, err, want, src)
	}
	_, err := Lex("a /* b", Rules{})
	require.ErrorContains(t, err, "no end of comment")
}

// TestLead: a clause may stand in a versioned comment, whose opening belongs to it.
func TestLead(t *testing.T) {
	const src = "a /*!50100 /*!50500 b */ c */ d"
	tokens, err := Lex(src, Rules{Printed: true})
	require.NoError(t, err)
	var leads []string
	for _, token := range tokens {
		leads = append(leads, src[token.Lead:token.To])
	}
	assert.Equal(t, []string{"a", "/*!50100 /*!50500 b", "c", "d", ""}, leads)
}

func TestCursor(t *testing.T) {
	c := NewCursor("CREATE TABLE `t` (a INT(10), b (x (y) z)) END\nOF", Rules{})
	assert.False(t, c.Accept("CREATE VIEW"))
	assert.True(t, c.Accept("create table"))
	assert.Equal(t, "t", c.Read(Name))
	c.ExpectMark("(")
	assert.Equal(t, "a", c.Next().Text)
	c.Expect("INT")
	c.ExpectMark("(")
	assert.Equal(t, 10, c.Integer())
	c.ExpectMark(")")
	assert.True(t, c.AcceptMark(","))
	assert.True(t, c.Ahead(1).IsMark("("))
	c.Next()
	within, closing := c.Parentheses()
	require.NoError(t, c.Err)
	assert.Len(t, within, 5)
	assert.Equal(t, ")) END", c.Src[closing.From:closing.From+6])
	c.ExpectMark(")")
	c.Expect("NOTHING")
	require.EqualError(t, c.Err, `cannot understand "END"`)
	assert.Equal(t, End, c.Peek().Kind, "after an error all is over")
	c.Fail("another")
	require.EqualError(t, c.Err, `cannot understand "END"`)

	c = NewCursor("(a", Rules{})
	c.Parentheses()
	require.EqualError(t, c.Err, "cannot understand the end")
	c = NewCursor("'", Rules{})
	require.ErrorContains(t, c.Err, "no end of quotes")
	assert.Equal(t, End, c.Next().Kind)
}

// FuzzLex: tokens lie in the text one after the other, and only the last is the end.
func FuzzLex(f *testing.F) {
	for _, src := range []string{
		"ALTER TABLE `a` ADD b INT /*!80023 INVISIBLE */ -- c", "t.1a .5 0x1 b'1' N'x' 1e",
		"'a\\'b' \"c\"", "/*M!100301 x*/ @@a <=> 1",
	} {
		f.Add(src, true, false, uint8(0))
	}
	f.Fuzz(func(t *testing.T, src string, ansi, plain bool, kind uint8) {
		rules := Rules{ANSIQuotes: ansi, NoBackslashEscapes: plain, Printed: kind%3 == 1}
		if kind%3 == 2 {
			rules.Runs = on91
		}
		tokens, err := Lex(src, rules)
		if err != nil {
			return
		}
		at := 0
		for i, token := range tokens {
			require.LessOrEqual(t, at, token.Lead)
			require.LessOrEqual(t, token.Lead, token.From)
			require.LessOrEqual(t, token.From, token.To)
			require.Equal(t, i == len(tokens)-1, token.Kind == End)
			at = token.To
		}
		require.LessOrEqual(t, at, len(src))
	})
}
