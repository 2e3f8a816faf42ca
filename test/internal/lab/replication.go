package lab

import (
	"context"
	"database/sql"
	"fmt"
)

// Follow makes a server the replica of another one of its flavor, by GTID.
func Follow(ctx context.Context, replica *sql.DB, primary Server) error {
	if primary.Flavor == MySQL {
		return Exec(ctx, replica, fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_PORT=%d, "+
			"SOURCE_USER='%s', SOURCE_PASSWORD='%s', "+
			"SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, GET_SOURCE_PUBLIC_KEY=1", primary.Host, primary.Port, User,
			Password), "START REPLICA")
	}
	return Exec(ctx, replica, "SET GLOBAL gtid_slave_pos = @@GLOBAL.gtid_binlog_pos",
		fmt.Sprintf("CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%d, MASTER_USER='%s', MASTER_PASSWORD='%s', "+
			"MASTER_USE_GTID=slave_pos, "+
			"MASTER_CONNECT_RETRY=1", primary.Host, primary.Port, User, Password), "START SLAVE")
}

// Promote ends the replication of a server for good.
func Promote(ctx context.Context, replica *sql.DB, flavor string) error {
	if flavor == MySQL {
		return Exec(ctx, replica, "STOP REPLICA", "RESET REPLICA ALL")
	}
	return Exec(ctx, replica, "STOP SLAVE", "RESET SLAVE ALL")
}

// Await waits for up to a minute until a replica has all that its primary, of the same flavor, has.
func Await(ctx context.Context, replica, primary *sql.DB, flavor string) error {
	head, wait := "SELECT @@GLOBAL.gtid_binlog_pos", "SELECT MASTER_GTID_WAIT(?, 60)"
	if flavor == MySQL {
		head, wait = "SELECT @@GLOBAL.gtid_executed", "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 60)"
	}
	var at string
	if err := primary.QueryRowContext(ctx, head).Scan(&at); err != nil {
		return err
	}
	var lacks int
	if err := replica.QueryRowContext(ctx, wait, at).Scan(&lacks); err != nil {
		return err
	}
	if lacks != 0 {
		return fmt.Errorf("the replica does not have %s after a minute", at)
	}
	return nil
}

// Forget empties the logs of a server, and its GTIDs.
func Forget(ctx context.Context, db *sql.DB, flavor string) error {
	if flavor == MySQL {
		return Exec(ctx, db, "RESET BINARY LOGS AND GTIDS")
	}
	return Exec(ctx, db, "RESET MASTER")
}
