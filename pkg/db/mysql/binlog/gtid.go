package binlog

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// GTIDs is a set of transactions by their global identifiers: a MySQL set such as 3e11fa47-..:1-5:7, or a MariaDB list
// such as 0-1-351.
type GTIDs interface {
	// String returns the canonical text, which is one word.
	String() string
	// Empty tells whether no transaction is in the set.
	Empty() bool
	// Add puts a run of transactions into the set.
	Add(GTIDRun)
	// Contains tells whether every transaction of other is in the set; ok is false when they are of different flavors.
	Contains(other GTIDs) (yes, ok bool)
	// Each visits all runs, in any order.
	Each(visit func(GTIDRun))
	clone() GTIDs
}

// GTIDRun is one transaction, or a run of consecutive ones from one origin. MySQL uses uuid and tag, MariaDB domain and
// server.
type GTIDRun struct {
	uuid           [16]byte
	tag            string
	Domain, Server uint32
	First, Last    uint64
}

// extends tells whether next follows r immediately, so that both are one run.
func (r *GTIDRun) extends(next *GTIDRun) bool {
	return r.Last+1 == next.First && r.Domain == next.Domain && r.Server == next.Server && r.uuid == next.uuid &&
		r.tag == next.tag
}

// gtidMaxNumber is the largest transaction number of MySQL (GNO_END - 1).
const gtidMaxNumber = 1<<63 - 2

// gtidOrigin is the source of MySQL transaction numbers: a server, and a tag since 8.3.
type gtidOrigin struct {
	uuid [16]byte
	tag  string
}

// gtidInterval holds both its ends.
type gtidInterval struct{ first, last uint64 }

// GTIDSet is a MySQL GTID set. Intervals of an origin are sorted, disjoint and not adjacent.
type GTIDSet struct {
	origins map[gtidOrigin]*[]gtidInterval
	origin  gtidOrigin // the one added to last
	latest  *[]gtidInterval
}

// NewGTIDSet returns an empty set.
func NewGTIDSet() *GTIDSet { return &GTIDSet{origins: map[gtidOrigin]*[]gtidInterval{}} }

// Empty implements GTIDs.
func (s *GTIDSet) Empty() bool { return len(s.origins) == 0 }

// Add costs O(1) when the run continues the newest interval of its origin, as it nearly always does: it is called for
// every transaction of the log.
func (s *GTIDSet) Add(r GTIDRun) {
	key := gtidOrigin{r.uuid, r.tag}
	if s.latest == nil || s.origin != key {
		have := s.origins[key]
		if have == nil {
			have = new([]gtidInterval)
			s.origins[key] = have
		}
		s.origin, s.latest = key, have
	}
	list := *s.latest
	if n := len(list); n > 0 && list[n-1].first <= r.First && r.First <= list[n-1].last+1 {
		list[n-1].last = max(list[n-1].last, r.Last)
		return
	}
	*s.latest = gtidInsert(list, gtidInterval{r.First, r.Last})
}

// gtidInsert puts an interval into a sorted list and joins it with those that it overlaps or touches: {1-3, 7} and
// 4-6 give {1-7}.
func gtidInsert(list []gtidInterval, in gtidInterval) []gtidInterval {
	from, _ := slices.BinarySearchFunc(list, in.first, func(i gtidInterval, first uint64) int {
		if i.last+1 < first {
			return -1
		}
		return 1
	})
	upto := from
	for upto < len(list) && list[upto].first <= in.last+1 {
		in.first, in.last = min(in.first, list[upto].first), max(in.last, list[upto].last)
		upto++
	}
	return slices.Replace(list, from, upto, in)
}

// Contains implements GTIDs.
func (s *GTIDSet) Contains(other GTIDs) (yes, ok bool) {
	o, ok := other.(*GTIDSet)
	if !ok {
		return false, false
	}
	for key, intervals := range o.origins {
		have := s.origins[key]
		if have == nil {
			return false, true
		}
		for _, want := range *intervals {
			at, _ := slices.BinarySearchFunc(*have, want.first, func(i gtidInterval, first uint64) int {
				if i.last < first {
					return -1
				}
				return 1
			})
			if at == len(*have) || (*have)[at].first > want.first || (*have)[at].last < want.last {
				return false, true
			}
		}
	}
	return true, true
}

func (s *GTIDSet) clone() GTIDs {
	out := NewGTIDSet()
	for key, intervals := range s.origins {
		copied := slices.Clone(*intervals)
		out.origins[key] = &copied
	}
	return out
}

// sorted returns the origins in the order of the canonical text.
func (s *GTIDSet) sorted() []gtidOrigin {
	keys := make([]gtidOrigin, 0, len(s.origins))
	for key := range s.origins {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b gtidOrigin) int {
		if c := bytes.Compare(a.uuid[:], b.uuid[:]); c != 0 {
			return c
		}
		return strings.Compare(a.tag, b.tag)
	})
	return keys
}

// String writes the set as MySQL does, without the line breaks between servers.
func (s *GTIDSet) String() string {
	var b []byte
	var before gtidOrigin
	for i, key := range s.sorted() {
		if i == 0 || key.uuid != before.uuid {
			if i > 0 {
				b = append(b, ',')
			}
			b = gtidAppendUUID(b, key.uuid)
		}
		if key.tag != "" {
			b = append(append(b, ':'), key.tag...)
		}
		for _, interval := range *s.origins[key] {
			b = strconv.AppendUint(append(b, ':'), interval.first, 10)
			if interval.last > interval.first {
				b = strconv.AppendUint(append(b, '-'), interval.last, 10)
			}
		}
		before = key
	}
	return string(b)
}

func gtidAppendUUID(b []byte, uuid [16]byte) []byte {
	for i, cut := range []int{0, 4, 6, 8, 10} {
		upto := []int{4, 6, 8, 10, 16}[i]
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, uuid[cut:upto])
	}
	return b
}

// encode writes the set as COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS events carry it: the number of origins (8 bytes),
// and for each its UUID (16), the number of intervals (8), and first and last+1 of each (8 and 8). If the set has tags
// it is the tagged form, since MySQL 8.3: the first 8 bytes then begin and end with 1, and each UUID is followed by its
// tag (mysql-server, Gtid_set::encode). Older servers do not understand that, so it is used only if needed.
func (s *GTIDSet) encode() []byte {
	keys := s.sorted()
	tagged := slices.ContainsFunc(keys, func(k gtidOrigin) bool { return k.tag != "" })
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(keys)))
	if tagged {
		b = binary.LittleEndian.AppendUint64(b[:0], 1|uint64(len(keys))<<8|1<<56)
	}
	for _, key := range keys {
		b = append(b, key.uuid[:]...)
		if tagged {
			b = append(append(b, byte(len(key.tag)<<1)), key.tag...)
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(len(*s.origins[key])))
		for _, interval := range *s.origins[key] {
			b = binary.LittleEndian.AppendUint64(b, interval.first)
			b = binary.LittleEndian.AppendUint64(b, interval.last+1)
		}
	}
	return b
}

// decodeGTIDSet reads what encode writes. Counts are checked against the bytes that are there, so that a damaged event
// cannot reserve memory without end.
func decodeGTIDSet(data []byte) (*GTIDSet, error) {
	bad := fmt.Errorf("invalid GTID set of %d bytes in the binary log", len(data))
	if len(data) < 8 {
		return nil, bad
	}
	count, tagged := binary.LittleEndian.Uint64(data), data[7] == 1
	if tagged {
		count = count << 8 >> 16
	}
	data = data[8:]
	s := NewGTIDSet()
	for ; count > 0; count-- {
		var run GTIDRun
		if len(data) < 16 {
			return nil, bad
		}
		data = data[copy(run.uuid[:], data):]
		if tagged {
			if len(data) < 1 || len(data) < 1+int(data[0]>>1) {
				return nil, bad
			}
			n := int(data[0] >> 1)
			run.tag, data = string(data[1:1+n]), data[1+n:]
		}
		if len(data) < 8 {
			return nil, bad
		}
		n := binary.LittleEndian.Uint64(data)
		if data = data[8:]; n > uint64(len(data)/16) {
			return nil, bad
		}
		for ; n > 0; n-- {
			run.First, run.Last = binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[8:])-1
			if data = data[16:]; run.First == 0 || run.First > run.Last || run.Last > gtidMaxNumber {
				return nil, bad
			}
			s.Add(run)
		}
	}
	return s, nil
}

// Each implements GTIDs.
func (s *GTIDSet) Each(visit func(GTIDRun)) {
	for key, intervals := range s.origins {
		for _, i := range *intervals {
			visit(GTIDRun{uuid: key.uuid, tag: key.tag, First: i.first, Last: i.last})
		}
	}
}
