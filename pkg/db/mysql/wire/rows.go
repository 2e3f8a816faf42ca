package wire

import (
	"errors"
	"fmt"
	"io"

	protocol "github.com/go-mysql-org/go-mysql/mysql"

	"wherry/pkg/db"
)

// Rows reads a result set in place. A row is valid until the next one is read.
type Rows struct {
	Release func() // called once by Close: gives the connection back; nil: nothing is to be done

	w     *Conn
	done  func(error) error
	row   db.Row
	ended bool
	err   error
}

// open sends the statement and reads up to the first row: the number of columns, one definition for each, and an EOF
// packet. Definitions are not looked at: whoever asks knows the columns.
func (rows *Rows) open(packet []byte) error {
	w := rows.w
	if err := w.send(packet); err != nil {
		return err
	}
	reply, err := w.readPacket()
	if err != nil {
		return err
	}
	switch reply[0] {
	case protocol.ERR_HEADER:
		return serverError(reply)
	case protocol.OK_HEADER:
		return errors.New("no result set in the reply")
	}
	columns, _, _ := protocol.LengthEncodedInt(reply)
	rows.row = make(db.Row, columns)
	for range columns {
		if _, err := w.readPacket(); err != nil {
			return err
		}
	}
	_, err = w.readPacket() // EOF after the columns
	return err
}

// Next returns the next row, or io.EOF.
func (rows *Rows) Next() (db.Row, error) {
	if rows.ended {
		if rows.err != nil {
			return nil, rows.err
		}
		return nil, io.EOF
	}
	packet, err := rows.w.readPacket()
	if err != nil {
		return nil, rows.end(err)
	}
	switch {
	// 0xfe also begins a value of 16 MiB or more, by its 8-byte length. Such a row fills its first packet, so the
	// size tells them apart.
	case packet[0] == protocol.EOF_HEADER && len(packet) < maxPayload:
		if err := rows.end(nil); err != nil {
			return nil, err
		}
		return nil, io.EOF
	case packet[0] == protocol.ERR_HEADER:
		return nil, rows.end(serverError(packet))
	}
	for i := range rows.row {
		if len(packet) == 0 {
			rows.w.Broken = true
			return nil, rows.end(fmt.Errorf("invalid row: no value %d", i))
		}
		if n := packet[0]; n < 0xfb { // short values first: nearly all are
			rows.row[i], packet = packet[1:1+int(n)], packet[1+int(n):]
			continue
		}
		n, null, size := protocol.LengthEncodedInt(packet)
		if null {
			rows.row[i], packet = nil, packet[1:]
			continue
		}
		rows.row[i], packet = packet[size:size+int(n)], packet[size+int(n):]
	}
	return rows.row, nil
}

// end is called once the result has ended, by its last packet or by an error: from then on the connection may be used
// for the next statement, unless it is Broken.
func (rows *Rows) end(err error) error {
	if rows.ended {
		return rows.err
	}
	rows.ended, rows.err = true, Classify(rows.done(err))
	return rows.err
}

// Close ends the reading and gives the connection back. With rows left unread the connection is dropped: the server
// would send them all before it takes another statement, and a table may have billions.
func (rows *Rows) Close() error {
	if !rows.ended {
		rows.w.Broken = true
		_ = rows.end(nil)
	}
	if rows.Release != nil {
		rows.Release()
		rows.Release = nil
	}
	return nil
}
