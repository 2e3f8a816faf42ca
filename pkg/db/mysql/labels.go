package mysql

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// The log has a number where SELECT prints the label of an enum or set. A row of the log must have the same bytes as
// the same row read by SELECT, so labels are needed in the column's own character set. SHOW CREATE TABLE prints them in
// UTF-8, and the server is asked to convert them back.

// labelQuestions bounds the expressions of one query; servers take 4096.
const labelQuestions = 1000

// encodeLabels completes the types of enum and set columns.
func (s *server) encodeLabels(ctx context.Context, t *schema.Table) error {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type.Labels == nil {
			continue
		}
		if !binlog.LabelsAsPrinted(c.Type.Charset) {
			if err := s.convertLabels(ctx, &c.Type); err != nil {
				return fmt.Errorf("read labels of column %s: %w", c.Name, err)
			}
		}
		if s.flavor.Family == schema.MariaDB && slices.ContainsFunc(c.Type.Labels, func(l string) bool {
			return strings.Contains(l, "?")
		}) {
			if err := s.doubtfulLabels(ctx, t.Name, c); err != nil {
				return fmt.Errorf("read labels of column %s: %w", c.Name, err)
			}
		}
	}
	return nil
}

// encodedLabels returns a table that was worked out from a statement, nil for nil, with its enum and set columns
// complete: the text has the labels themselves, and a column that is converted has another character set than those
// that it had.
func (s *server) encodedLabels(ctx context.Context, t *schema.Table) (*schema.Table, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // as told
	}
	whole := *t
	whole.Columns = slices.Clone(t.Columns)
	for i := range whole.Columns {
		c := &whole.Columns[i]
		c.Type.Encoded = nil
		if c.Type.Labels == nil || binlog.LabelsAsPrinted(c.Type.Charset) {
			continue
		}
		if err := s.convertLabels(ctx, &c.Type); err != nil {
			return nil, fmt.Errorf("read labels of column %s: %w", c.Name, err)
		}
	}
	return &whole, nil
}

// convertLabels asks for the labels, and a comma, in the column's character set, and whether they come back from it.
// The comma separates the members of a set: in ucs2 it is two bytes.
func (s *server) convertLabels(ctx context.Context, t *schema.Type) error {
	texts := append(slices.Clone(t.Labels), ",", `\`)
	t.Encoded = make([][]byte, 0, len(texts))
	for len(texts) > 0 {
		part := texts[:min(len(texts), labelQuestions)]
		texts = texts[len(part):]
		found, err := s.convert(ctx, part, t.Charset)
		if err != nil {
			return err
		}
		for i, text := range part {
			t.Unclear = t.Unclear || len(t.Encoded) < len(t.Labels) && string(found[2*i+1]) != text
			t.Encoded = append(t.Encoded, found[2*i])
		}
	}
	// Some sets, such as sjis, have a backslash and another code that SHOW CREATE TABLE prints as one.
	last := len(t.Encoded) - 1
	if other := t.Encoded[last]; len(other) > 1 && bytes.IndexByte(other, 0) < 0 {
		t.Unclear = t.Unclear || slices.ContainsFunc(t.Labels, func(l string) bool { return strings.Contains(l, `\`) })
	}
	t.Encoded = t.Encoded[:last]
	return nil
}

// convert returns for each text its bytes in the character set and what those are in UTF-8. Texts go as hexadecimal
// literals: so no setting of the session can change them on their way.
func (s *server) convert(ctx context.Context, texts []string, charset string) (db.Row, error) {
	var b strings.Builder
	for i, text := range texts {
		encoded := fmt.Sprintf("CONVERT(_utf8mb4 X'%s' USING %s)", hex.EncodeToString([]byte(text)), charset)
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("label %q is no UTF-8: %w", text, db.ErrUnsupported)
		}
		fmt.Fprintf(&b, "%s CAST(%s AS BINARY), CAST(CONVERT(%s USING utf8mb4) AS BINARY)", map[bool]string{
			false: ",",
			true:  "SELECT",
		}[i == 0],
			encoded, encoded)
	}
	rows, err := s.rows(ctx, b.String())
	if err != nil {
		return nil, err
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// doubtfulLabels asks MariaDB for labels with a question mark. Its SHOW CREATE TABLE prints one also for characters
// beyond U+FFFF and for bytes that are no characters (MDEV-10577). A variable of the column's type, set to the label's
// number, yields the label's real bytes.
func (s *server) doubtfulLabels(ctx context.Context, name schema.Name, c *schema.Column) error {
	for i, label := range c.Type.Labels {
		if !strings.Contains(label, "?") || i >= 64 && c.Type.Kind == schema.Set {
			continue
		}
		number := uint64(i) + 1 //nolint:gosec // an index
		if c.Type.Kind == schema.Set {
			number = 1 << i
		}
		var found []byte
		err := s.admin.QueryRowContext(ctx, fmt.Sprintf(
			"BEGIN NOT ATOMIC DECLARE label TYPE OF %s.%s DEFAULT %d; SELECT CAST(label AS BINARY); END",
			dialect.Quoted(name), dialect.Quote(c.Name), number)).Scan(&found)
		if err != nil {
			return wire.Classify(err)
		}
		want := []byte(label)
		if c.Type.Encoded != nil {
			want = c.Type.Encoded[i]
		}
		c.Type.Unclear = c.Type.Unclear || string(found) != string(want)
	}
	return nil
}
