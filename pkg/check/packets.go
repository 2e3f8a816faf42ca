package check

import (
	"fmt"
	"math"
	"slices"

	"wherry/pkg/db"
	"wherry/pkg/schema"
)

// packets finds tables whose rows may be larger than what the target takes at once (max_allowed_packet). The source's
// limit bounds what its clients can write in one statement, so a target with the same limit or a higher one passes.
func (c *Check) packets(source, target db.Identity) (findings []db.Finding) {
	if target.Packet == 0 || target.Packet >= source.Packet {
		return nil
	}
	fix := fmt.Sprintf("SET GLOBAL max_allowed_packet = %d on the target", source.Packet)
	if !target.Streams {
		fix += ", or let it take LOAD DATA LOCAL (local_infile = ON, copy.load: auto), for which rows may be larger"
	}
	for _, r := range c.plan.Routes {
		if size := largest(r.Target.Table, target.Streams); size > target.Packet {
			findings = append(findings, db.Finding{
				Check: "row_size", End: "move", Level: db.Fail, Subject: r.Source.Name().String(),
				What: fmt.Sprintf("may hold rows that the target does not take: its max_allowed_packet is %d, the "+
					"source's %d", target.Packet, source.Packet), Fix: fix,
			})
		}
	}
	return findings
}

// largest returns the most bytes that a row needs at once. In an INSERT all values count, twice, since escapes may
// double them. If rows are streamed by LOAD DATA, only a JSON document has to fit, which servers read as a whole.
func largest(t *schema.Table, streams bool) int64 {
	var sum int64
	for i := range t.Columns {
		kind := &t.Columns[i].Type
		switch {
		case streams && kind.Kind == schema.JSON:
			sum = max(sum, math.MaxUint32)
		case !streams:
			sum += 2 * capacity(kind)
		}
	}
	return sum
}

// capacity returns the most bytes of a value. A character has up to 4; numbers and dates are bounded by 32.
func capacity(t *schema.Type) int64 {
	switch {
	case t.Kind == schema.JSON, t.Kind == schema.Geometry:
		return math.MaxUint32
	case t.Kind == schema.Text, t.Kind == schema.Blob:
		return 1<<(8*t.Size) - 1
	case t.Kind == schema.Vector, slices.Contains([]schema.Kind{schema.Char, schema.Varchar}, t.Kind):
		return 4 * int64(t.Size)
	case t.Kind == schema.Set, t.Kind == schema.Enum:
		return 1 << 16
	default:
		return int64(max(t.Size, t.Precision, 32))
	}
}
