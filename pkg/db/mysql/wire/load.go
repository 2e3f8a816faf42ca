package wire

import (
	"context"
	"errors"
	"fmt"
	"io"

	protocol "github.com/go-mysql-org/go-mysql/mysql"

	"wherry/pkg/db"
)

// loadPacket is how many bytes a packet of a LOAD DATA stream has: enough that a system call costs nothing per row,
// and few enough that the server begins to insert while the rest is read.
const loadPacket = 256 << 10

// Load runs a LOAD DATA LOCAL statement and sends rows as its file. largest is the server's max_allowed_packet in
// bytes. That statement turns errors into warnings even under strict sql_mode (manual, "LOAD DATA Statement", "Error
// Handling"), so the caller must account for every row by the result.
func (w *Conn) Load(
	ctx context.Context, statement string, rows db.Rows, largest int,
) (loaded db.Loaded, res Result, err error) {
	done := w.Guard(ctx)
	defer func() { err = done(err) }()
	w.out = append(Begin(w.out), statement...)
	if err := w.send(w.out); err != nil {
		return loaded, res, Classify(err)
	}
	reply, err := w.readPacket()
	if err != nil {
		return loaded, res, Classify(err)
	}
	if reply[0] != protocol.LocalInFile_HEADER {
		_, err := w.parseOK(reply)
		return loaded, res, fmt.Errorf("start LOAD DATA LOCAL: %w", Classify(err))
	}
	// Escaping doubles a byte at most, and one piece of a value comes after a packet that is just not full: a quarter
	// of max_allowed_packet keeps every packet below it.
	limit := max(min(loadPacket, largest/4), 256)
	file := &loadStream{w: w, limit: limit, packet: make([]byte, 4, 2*limit)}
	if loaded, err = file.rows(rows); err != nil {
		w.Broken = true // the server still waits for the end of the file: only dropping the connection stops it
		return loaded, res, err
	}
	if reply, err = w.readPacket(); err != nil {
		return loaded, res, Classify(err)
	}
	res, err = w.parseOK(reply)
	return loaded, res, Classify(err)
}

// loadStream writes rows as the file of a LOAD DATA LOCAL statement. The file comes in packets that have nothing to
// do with rows: a row, and a value, may be larger than any packet that the server takes.
type loadStream struct {
	w      *Conn
	packet []byte // begins with room for a header
	limit  int    // bytes of a packet
	sent   int64  // bytes of the file
}

// row writes one row, such as "7\tAnna\t\\N\n" for (7, "Anna", NULL). Values are escaped in pieces, so that a large
// one is not copied as a whole.
func (s *loadStream) row(row db.Row) error {
	for i, v := range row {
		if i > 0 {
			s.packet = append(s.packet, '\t')
		}
		for len(v) > s.limit/4 {
			s.packet, v = appendField(s.packet, v[:s.limit/4]), v[s.limit/4:]
			if err := s.flush(s.limit); err != nil {
				return err
			}
		}
		s.packet = appendField(s.packet, v)
		if err := s.flush(s.limit); err != nil {
			return err
		}
	}
	s.packet = append(s.packet, '\n')
	return s.flush(s.limit)
}

// flush sends what has come together when it is at least so many bytes.
func (s *loadStream) flush(least int) error {
	if len(s.packet) < 4+least {
		return nil
	}
	s.sent += int64(len(s.packet) - 4)
	if err := s.w.writePacket(s.packet); err != nil {
		return Classify(err)
	}
	s.packet = s.packet[:4]
	return nil
}

// end sends the rest and the empty packet that ends the file. Without the empty packet the server would wait for
// more.
func (s *loadStream) end() error {
	if err := s.flush(1); err != nil {
		return err
	}
	return Classify(s.w.writePacket(s.packet))
}

// rows writes all rows and the end.
func (s *loadStream) rows(rows db.Rows) (loaded db.Loaded, err error) {
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.row(row)
		}
		if err != nil {
			return loaded, err
		}
		loaded.Rows++
	}
	err = s.end()
	loaded.Bytes = s.sent
	return loaded, err
}
