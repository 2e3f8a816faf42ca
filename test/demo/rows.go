package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"wherry/test/internal/lab"
)

// random is what a row is made of: the sizes of all tables, and numbers that depend on the seed, the table and the
// row's number only, so that rows can be made in any order.
type random struct {
	sizes
	seed uint64
	pcg  *rand.PCG
	*rand.Rand
}

func newRandom(s sizes, seed uint64) *random {
	pcg := rand.NewPCG(0, 0)
	return &random{sizes: s, seed: seed, pcg: pcg, Rand: rand.New(pcg)}
}

// begin makes the numbers those of a row.
func (r *random) begin(table, i int) { r.pcg.Seed(r.seed<<8|uint64(table), uint64(i)) }

var (
	firstNames = []string{
		"Anna", "Bram", "Chloé", "Dörte", "Emil", "Fatima", "Göran", "Hana", "Ivo", "Jürgen",
		"Καλλιόπη", "李", "Мария", "Noor", "Óscar", "Zoë",
	}
	lastNames = []string{
		"de Vries", "Müller", "O'Brien", "Nuñez", "Çelik", "Kowalska", "佐藤", "Иванов", "Smith",
		"van 't Hoff", "Ångström", "D\\Alembert",
	}
	cities = []string{
		"Amsterdam", "Århus", "Köln", "São Paulo", "東京", "Kraków", "Reykjavík", "Lyon", "Thessaloníki",
		"Bern",
	}
	words = []string{
		"solid", "light", "blue", "café", "naïve", "\"quoted\"", "50%", "tab\there", "two\nlines",
		"back\\slash", "crème", "wide", "old", "new", "fine",
	}
	emoji     = []string{"🎉", "👍🏽", "🚣", "❤️", "🇳🇱", "👩‍👩‍👧", "😀", "🤷"}
	countries = []string{"NL", "DK", "DE", "BR", "JP", "PL", "IS", "FR", "GR", "CH"}
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// name is a person's.
func name(r *rand.Rand) string { return pick(r, firstNames) + " " + pick(r, lastNames) }

// prose is n words, sometimes with an emoji at the end.
func prose(r *rand.Rand, n int) string {
	text := pick(r, words)
	for range n - 1 {
		text += " " + pick(r, words)
	}
	if r.IntN(3) == 0 {
		text += " " + pick(r, emoji)
	}
	return text
}

// epoch is when the shop's history begins.
var epoch = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)

// moment is some time in the shop's three years, with as many digits after the second as layout has.
func moment(r *rand.Rand, layout string) string {
	return epoch.Add(time.Duration(r.Int64N(int64(3 * 365 * 24 * time.Hour)))).Format(layout)
}

// The ways in which a column writes a time.
const (
	day    = "2006-01-02"
	second = "2006-01-02 15:04:05"
	milli  = "2006-01-02 15:04:05.000"
	micro  = "2006-01-02 15:04:05.000000"
)

// maybe adds text, or NULL once in n times.
func maybe(r *random, out *lab.TSV, n int, text func() string) {
	if r.IntN(n) == 0 {
		out.Null()
		return
	}
	out.Text(text())
}

func customerRow(r *random, out *lab.TSV, i int) {
	out.Int(int64(i + 1))
	out.Text(fmt.Sprintf("customer.%d@shop.example", i+1))
	out.Text(name(r.Rand))
	maybe(r, out, 3, func() string { return fmt.Sprintf("+31 %09d", r.IntN(1e9)) })
	out.Text([]string{"basic", "plus", "vip"}[r.IntN(3)])
	out.Cents(r.Int64N(100_000) - 1000)
	maybe(r, out, 4, func() string { return moment(r.Rand, day) })
	maybe(r, out, 2, func() string { return prose(r.Rand, 6) })
	out.Text(moment(r.Rand, micro))
	maybe(r, out, 3, func() string { return moment(r.Rand, second) })
}

func addressRow(r *random, out *lab.TSV, i int) {
	group, member := i/3, i%3
	out.Int(int64(group*2 + 1 + (member+1)/2)) // customers 1, 2, 2 of the group
	out.Int(int64(1 + member/2))
	out.Text(pick(r.Rand, lastNames) + " street " + fmt.Sprint(r.IntN(200)))
	maybe(r, out, 5, func() string { return fmt.Sprintf("%05d", r.IntN(1e5)) })
	out.Text(pick(r.Rand, cities))
	out.Text(pick(r.Rand, countries))
	out.Int(int64(1 - member/2))
}

func productRow(r *random, out *lab.TSV, i int) {
	out.Int(int64(i + 1))
	out.Text(fmt.Sprintf("SKU%09d", i+1))
	out.Text(prose(r.Rand, 3))
	maybe(r, out, 4, func() string { return prose(r.Rand, 25) })
	out.Cents(1 + r.Int64N(100_000))
	maybe(r, out, 3, func() string { return fmt.Sprintf("%d.%d", r.IntN(30), r.IntN(1000)) })
	maybe(r, out, 3, func() string {
		return fmt.Sprintf(`{"color": %q, "sizes": [%d, %d, null], "eco": %t, "gift": {"text": "%s"}}`,
			"blue", r.IntN(40), r.IntN(40), r.IntN(2) == 0, pick(r.Rand, emoji))
	})
}

func stockRow(r *random, out *lab.TSV, i int) {
	out.Int(int64(i%warehouses) - 1) // one warehouse has a negative number
	out.Int(int64(i/warehouses + 1))
	out.Int(r.Int64N(10_000))
	out.Text(shelf(i / warehouses))
}

// shelf is where product i+1 lies, in every warehouse.
func shelf(i int) string { return fmt.Sprintf("%c%c-%d", 'A'+i%26, 'a'+i/26%26, i/676) }

func orderRow(r *random, out *lab.TSV, i int) {
	out.Int(int64(i + 1))
	out.Int(1 + r.Int64N(int64(r.customers)))
	out.Text([]string{"new", "paid", "sent", "returned"}[r.IntN(4)])
	out.Cents(r.Int64N(1_000_000))
	maybe(r, out, 2, func() string { return fmt.Sprintf("C%06d", r.IntN(1e6)) })
	maybe(r, out, 2, func() string { return prose(r.Rand, 4) })
	out.Text(moment(r.Rand, micro))
}

func orderLineRow(r *random, out *lab.TSV, i int) {
	group, member := i/6, i%6
	order, line := []int{0, 1, 1, 2, 2, 2}[member], []int{1, 1, 2, 1, 2, 3}[member]
	out.Int(int64(group*3 + order + 1))
	out.Int(int64(line))
	out.Int(1 + r.Int64N(int64(r.products)))
	out.Int(1 + r.Int64N(5))
	out.Cents(1 + r.Int64N(100_000))
	out.Int(r.Int64N(2))
}

func paymentRow(r *random, out *lab.TSV, i int) {
	out.Int(int64(i + 1))
	out.Int(int64(i/2*3 + i%2 + 1))
	out.Text([]string{"card", "bank", "cash"}[r.IntN(3)])
	out.Cents(r.Int64N(1_000_000))
	if r.IntN(4) == 0 {
		out.Null()
	} else {
		reference := token(r.Rand)
		out.Raw(reference[:])
	}
	maybe(r, out, 10, func() string { return moment(r.Rand, milli) })
}

// token is 16 bytes, the last of them zero once in a while: BINARY columns make traps of that.
func token(r *rand.Rand) (t [16]byte) {
	binary.LittleEndian.PutUint64(t[:], r.Uint64())
	binary.LittleEndian.PutUint64(t[8:], r.Uint64())
	if t[0]%4 == 0 {
		t[15] = 0
	}
	return t
}

func cartRow(r *random, out *lab.TSV, i int) {
	out.Int(int64(i + 1))
	if r.IntN(3) == 0 {
		out.Null()
	} else {
		out.Int(1 + r.Int64N(int64(r.customers)))
	}
	t := token(r.Rand)
	out.Raw(t[:])
	out.Text(moment(r.Rand, second))
}

func cartItemRow(r *random, out *lab.TSV, i int) {
	out.Int(int64(i/2 + 1))
	out.Int(int64(1 + (i*7)%r.products)) // the two of a cart differ by 7
	out.Int(1 + r.Int64N(9))
}

func reviewRow(r *random, out *lab.TSV, i int) {
	out.Int(int64(i%r.products + 1))
	out.Int(int64(1 + (i*11)%r.customers))
	out.Int(r.Int64N(5) + 1)
	maybe(r, out, 5, func() string { return prose(r.Rand, 12) })
	out.Text(moment(r.Rand, day))
}
