package main

import (
	"context"
	"errors"
	"os"

	"wherry/test/internal/lab"
)

// pair is a source with a replica that can take its place, both behind one address.
type pair struct {
	fleet            *lab.Fleet
	at               *lab.Address
	primary, replica *server
}

// newPair starts servers of a flavor. On MySQL the log has nothing of what foreign keys do there.
func newPair(ctx context.Context, flavor string) (*pair, error) {
	settings := map[string]string{lab.MySQL: "innodb_native_foreign_keys=ON", lab.MariaDB: "log-slave-updates"}[flavor]
	fleet, err := lab.NewFleet(os.Getenv("WHERRY_SERVERS_SCRIPT"), flavor, 2, settings)
	if err != nil {
		return nil, err
	}
	p := &pair{fleet: fleet}
	if err := p.open(ctx, flavor); err != nil {
		return nil, errors.Join(err, fleet.Stop())
	}
	return p, nil
}

func (p *pair) open(ctx context.Context, flavor string) error {
	servers, err := lab.ParseServers(p.fleet.List)
	if err != nil {
		return err
	}
	for i, s := range []**server{&p.primary, &p.replica} {
		if *s, err = openServer(servers[i]); err == nil {
			err = lab.Forget(ctx, (*s).db, flavor)
		}
		if err != nil {
			return err
		}
	}
	if err := lab.Follow(ctx, p.replica.db, p.primary.Server); err != nil {
		return err
	}
	p.at, err = lab.NewAddress(p.primary.Server)
	return err
}

// source is the address as an end of a move.
func (p *pair) source() (*server, error) {
	s := p.at.Server()
	s.Flavor = p.primary.Flavor
	source, err := openServer(s)
	if err != nil {
		return nil, err
	}
	source.pair = p
	return source, nil
}

func (p *pair) close() error {
	return errors.Join(p.at.Close(), p.primary.db.Close(), p.replica.db.Close(), p.fleet.Stop())
}

// failover kills the source while no transaction is open and promotes its replica, which has everything. The dead one
// comes back as the replica of the other.
func (e *episode) failover(ctx context.Context) error {
	p := e.source.pair
	e.load.paused.Lock()
	defer e.load.paused.Unlock()
	if err := lab.Await(ctx, p.replica.db, p.primary.db, p.primary.Flavor); err != nil {
		return err
	}
	if _, err := p.fleet.Control("kill", p.primary.Name); err != nil {
		return err
	}
	if err := lab.Promote(ctx, p.replica.db, p.primary.Flavor); err != nil {
		return err
	}
	p.primary, p.replica = p.replica, p.primary
	p.at.Lead(p.primary.Address())
	e.count.failovers.Add(1)
	if _, err := p.fleet.Control("start", p.replica.Name); err != nil {
		return err
	}
	return lab.Follow(ctx, p.replica.db, p.primary.Server)
}
