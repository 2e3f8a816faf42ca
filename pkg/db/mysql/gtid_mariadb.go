package mysql

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// gtidList is a MariaDB GTID position: of each replication domain the last transaction.
type gtidList map[uint32]gtidRun

func (l gtidList) empty() bool { return len(l) == 0 }

// add replaces the domain's transaction: within a domain the log's order counts, not the number.
func (l gtidList) add(r gtidRun) { l[r.domain] = r }

// contains compares sequence numbers within domains, whichever server wrote them (MariaDB manual, "Global Transaction
// ID": numbers of a domain increase along the log).
func (l gtidList) contains(other gtids) (yes, ok bool) {
	o, ok := other.(gtidList)
	if !ok {
		return false, false
	}
	for domain, want := range o {
		if have, found := l[domain]; !found || have.last < want.last {
			return false, true
		}
	}
	return true, true
}

func (l gtidList) clone() gtids { return maps.Clone(l) }

func (l gtidList) String() string {
	var b []byte
	for i, domain := range slices.Sorted(maps.Keys(l)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(domain), 10)
		b = strconv.AppendUint(append(b, '-'), uint64(l[domain].server), 10)
		b = strconv.AppendUint(append(b, '-'), l[domain].last, 10)
	}
	return string(b)
}

func parseGTIDList(text string) (gtidList, error) {
	l := gtidList{}
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
		l.add(gtidRun{domain: uint32(domain), server: uint32(server), first: number, last: number})
	}
	return l, nil
}

func (l gtidList) each(visit func(gtidRun)) {
	for _, run := range l {
		visit(run)
	}
}
