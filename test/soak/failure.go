package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// number is a server's error number, 0 for every other error.
func number(err error) uint16 {
	var mine *mysql.MySQLError
	if errors.As(err, &mine) {
		return mine.Number
	}
	return 0
}

// away tells that the server or the connection is gone, which a restart and a killed connection do.
func away(err error) bool {
	var network net.Error
	switch number(err) {
	case 1053, 1077, 1079, 1152, 1317, 1927, 3169: // shutdown, killed, interrupted
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) || errors.Is(err, sql.ErrConnDone)
}

// fenced tells that the server takes no writes.
func fenced(err error) bool {
	return number(err) == 1290 || number(err) == 1836 || err != nil && strings.Contains(err.Error(), "read-only")
}

// mistaken tells an error of the simulation's own SQL: statements that no server would ever take.
func mistaken(err error) bool {
	switch number(err) {
	case 1044, 1045, 1046, 1049, 1051, 1052, 1054, 1060, 1061, 1064, 1072, 1096, 1109, 1115, 1136, 1142, 1146, 1149,
		1172, 1222, 1273, 1305, 1582, 3105, 1906:
		return true
	}
	return false
}
