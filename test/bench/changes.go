package main

import (
	"math/rand/v2"
	"strconv"
)

// change is one row's: what an application would send as one statement.
type change struct {
	kind byte // 'u', 'i' or 'd'
	id   int
	k    int
	c    string // of an update or insert
	pad  string // of an insert
}

// generator makes changes that always hit: it knows which rows there are.
type generator struct {
	pcg  *rand.PCG
	rnd  *rand.Rand
	live []int
	next int
}

func newGenerator(rows int, seed uint64) *generator {
	pcg := rand.NewPCG(seed, 0)
	g := &generator{pcg: pcg, rnd: rand.New(pcg), live: make([]int, rows), next: rows + 1}
	for i := range g.live {
		g.live[i] = i + 1
	}
	return g
}

func (g *generator) text(n int) string { return string(digits(nil, g.pcg, n)) }

// random makes n changes of random rows: of 10, 6 updates, 2 inserts and 2 deletes.
func (g *generator) random(n int) []change {
	out := make([]change, n)
	for i := range out {
		at := g.rnd.IntN(len(g.live))
		switch dice := g.rnd.IntN(10); {
		case dice < 6:
			out[i] = change{kind: 'u', id: g.live[at], k: g.rnd.IntN(1e9), c: g.text(lenC)}
		case dice < 8:
			out[i] = change{kind: 'i', id: g.next, k: g.rnd.IntN(1e9), c: g.text(lenC), pad: g.text(lenPad)}
			g.live = append(g.live, g.next)
			g.next++
		default:
			out[i] = change{kind: 'd', id: g.live[at]}
			last := len(g.live) - 1
			g.live[at] = g.live[last]
			g.live = g.live[:last]
		}
	}
	return out
}

// oltp makes n transactions of four changes, as sysbench's oltp_write_only does: two updates, and one row deleted
// and inserted anew.
func (g *generator) oltp(n int) []change {
	out := make([]change, 0, 4*n)
	for range n {
		replaced := g.any()
		out = append(out,
			change{kind: 'u', id: g.any(), k: g.rnd.IntN(1e9), c: g.text(lenC)},
			change{kind: 'u', id: g.any(), k: g.rnd.IntN(1e9), c: g.text(lenC)},
			change{kind: 'd', id: replaced},
			change{kind: 'i', id: replaced, k: g.rnd.IntN(1e9), c: g.text(lenC), pad: g.text(lenPad)})
	}
	return out
}

func (g *generator) any() int { return g.live[g.rnd.IntN(len(g.live))] }

// statement writes the change as SQL. All text is digits and dashes.
func (c change) statement(buf []byte, table string) []byte {
	number := func(n int) { buf = strconv.AppendInt(buf, int64(n), 10) }
	add := func(s string) { buf = append(buf, s...) }
	switch c.kind {
	case 'u':
		add("UPDATE " + table + " SET k = ")
		number(c.k)
		add(", c = '" + c.c + "' WHERE id = ")
		number(c.id)
	case 'i':
		add("INSERT INTO " + table + " (id, k, c, pad) VALUES (")
		number(c.id)
		add(", ")
		number(c.k)
		add(", '" + c.c + "', '" + c.pad + "')")
	default:
		add("DELETE FROM " + table + " WHERE id = ")
		number(c.id)
	}
	return buf
}

// packets joins statements to texts that a server takes at once: whole transactions of perTransaction changes.
func packets(changes []change, table string, perTransaction int) []string {
	const bytesPerPacket = 256 << 10
	var out []string
	var buf []byte
	for i := 0; i < len(changes); i += perTransaction {
		buf = append(buf, "BEGIN;"...)
		for _, c := range changes[i:min(i+perTransaction, len(changes))] {
			buf = append(c.statement(buf, table), ';')
		}
		buf = append(buf, "COMMIT;"...)
		if len(buf) >= bytesPerPacket {
			out, buf = append(out, string(buf)), buf[:0]
		}
	}
	if len(buf) > 0 {
		out = append(out, string(buf))
	}
	return out
}
