package check

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestPackets: what the source's clients can write, the target must take; and nothing else is refused.
func TestPackets(t *testing.T) {
	text := func(kind schema.Kind, size int) schema.Type { return schema.Type{Kind: kind, Size: size} }
	const small, large = 1 << 20, 64 << 20
	for _, c := range []struct {
		title          string
		types          []schema.Type
		source, target int64
		streams        bool
		fails          bool
	}{
		{"longblob", []schema.Type{text(schema.Blob, 4)}, large, small, false, true},
		{"longblob, streamed", []schema.Type{text(schema.Blob, 4)}, large, small, true, false},
		{"longblob, alike", []schema.Type{text(schema.Blob, 4)}, large, large, false, false},
		{"longblob, larger target", []schema.Type{text(schema.Blob, 4)}, small, large, false, false},
		{"text fits", []schema.Type{text(schema.Text, 2)}, large, small, false, false},
		{"many texts do not", []schema.Type{
			text(schema.Text, 2), text(schema.Text, 2), text(schema.Text, 2), text(schema.Text, 2),
			text(schema.Text, 2), text(schema.Text, 2), text(schema.Text, 2), text(schema.Text, 2),
			text(schema.Text, 2),
		}, large, small, false, true},
		{"json, streamed", []schema.Type{text(schema.JSON, 0)}, large, small, true, true},
		{"json, alike", []schema.Type{text(schema.JSON, 0)}, large, large, true, false},
		{"numbers and names", []schema.Type{
			text(schema.Integer, 8), text(schema.Varchar, 200),
			text(schema.Datetime, 0),
		}, large, small, false, false},
		{"a limit that is not known", []schema.Type{text(schema.Blob, 4)}, large, 0, false, false},
	} {
		table := &schema.Table{Name: schema.Name{Database: "shop", Table: "t"}}
		for _, kind := range c.types {
			table.Columns = append(table.Columns, schema.Column{Type: kind})
		}
		r := &route.Route{Source: route.Relation{Table: table}, Target: route.Relation{Table: table}}
		found := (&Check{plan: db.Plan{Routes: []*route.Route{r}}}).packets(db.Identity{Packet: c.source},
			db.Identity{Packet: c.target, Streams: c.streams})
		if !c.fails {
			assert.Empty(t, found, c.title)
			continue
		}
		if assert.Len(t, found, 1, c.title) {
			assert.Equal(t, db.Fail, found[0].Level, c.title)
			assert.Equal(t, "shop.t", found[0].Subject, c.title)
			assert.Contains(t, found[0].Fix, "SET GLOBAL max_allowed_packet = 67108864 on the target", c.title)
		}
	}
}
