package binlog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// GTIDList is a MariaDB GTID position: of each replication domain the last transaction. It says nothing about gaps, so
// it can tell how far a server is, and not which transactions it lacks.
type GTIDList map[uint32]GTIDRun

// Empty implements GTIDs.
func (l GTIDList) Empty() bool { return len(l) == 0 }

// Add replaces the domain's transaction: within a domain the log's order counts, not the number. A server that is not
// in gtid_strict_mode may log a lower number after a higher one.
func (l GTIDList) Add(r GTIDRun) { l[r.Domain] = r }

// Contains compares sequence numbers within domains, whichever server wrote them (MariaDB manual, "Global Transaction
// ID": numbers of a domain increase along the log).
func (l GTIDList) Contains(other GTIDs) (yes, ok bool) {
	o, ok := other.(GTIDList)
	if !ok {
		return false, false
	}
	for domain, want := range o {
		if have, found := l[domain]; !found || have.Last < want.Last {
			return false, true
		}
	}
	return true, true
}

func (l GTIDList) clone() GTIDs { return maps.Clone(l) }

// String writes the list in the order of domains, such as 0-1-351,1-1-7.
func (l GTIDList) String() string {
	var b []byte
	for i, domain := range slices.Sorted(maps.Keys(l)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(domain), 10)
		b = strconv.AppendUint(append(b, '-'), uint64(l[domain].Server), 10)
		b = strconv.AppendUint(append(b, '-'), l[domain].Last, 10)
	}
	return string(b)
}

// ParseGTIDList reads a list such as 0-1-351,1-1-7: domain, server and sequence number of each.
func ParseGTIDList(text string) (GTIDList, error) {
	l := GTIDList{}
	for _, member := range strings.Split(text, ",") {
		parts := strings.Split(member, "-")
		if len(parts) != 3 {
			return nil, fmt.Errorf("parse GTID list %q: %q is not domain-server-sequence", text, member)
		}
		domain, err := strconv.ParseUint(parts[0], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("parse GTID list %q: invalid domain %q", text, parts[0])
		}
		server, err := strconv.ParseUint(parts[1], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("parse GTID list %q: invalid server %q", text, parts[1])
		}
		number, err := strconv.ParseUint(parts[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("parse GTID list %q: invalid sequence number %q", text, parts[2])
		}
		if _, twice := l[uint32(domain)]; twice {
			return nil, fmt.Errorf("parse GTID list %q: domain %d twice", text, domain)
		}
		l.Add(GTIDRun{Domain: uint32(domain), Server: uint32(server), First: number, Last: number})
	}
	return l, nil
}

// NewestGTIDs reads a list in which a domain may have several members, one for each server that wrote to it, and keeps
// the newest of each domain: 0-1-351,0-2-360 is 0-2-360. The list may be empty.
func NewestGTIDs(text string) (GTIDList, error) {
	l := GTIDList{}
	for member := range strings.SplitSeq(text, ",") {
		if member == "" {
			continue
		}
		one, err := ParseGTIDList(strings.TrimSpace(member))
		if err != nil {
			return nil, err
		}
		for domain, run := range one {
			if have, found := l[domain]; !found || have.Last < run.Last {
				l[domain] = run
			}
		}
	}
	return l, nil
}

// Each implements GTIDs.
func (l GTIDList) Each(visit func(GTIDRun)) {
	for _, run := range l {
		visit(run)
	}
}
