package mysql

import (
	"errors"
	"io"

	"wherry/pkg/db"
)

// loadStream writes rows as the file of a LOAD DATA LOCAL statement. The file comes in packets that have nothing to do with
// rows: a row, and a value, may be larger than any packet that the server takes.
type loadStream struct {
	w      *wire
	packet []byte // begins with room for a header
	limit  int    // bytes of a packet
	sent   int64  // bytes of the file
}

func (t *Target) newLoadStream(w *wire) *loadStream {
	limit := max(min(loadPacket, t.maxPacket/4), 256)
	return &loadStream{w: w, limit: limit, packet: make([]byte, 4, 2*limit)}
}

// row writes one row. Values are escaped in pieces, so that a large one is not copied as a whole.
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
		return classify(err)
	}
	s.packet = s.packet[:4]
	return nil
}

// end sends the rest and the empty packet that ends the file.
func (s *loadStream) end() error {
	if err := s.flush(1); err != nil {
		return err
	}
	return classify(s.w.writePacket(s.packet))
}

// oneRow is a row to be read once.
type oneRow struct {
	row  db.Row
	read bool
}

// Next implements db.Rows.
func (r *oneRow) Next() (db.Row, error) {
	if r.read {
		return nil, io.EOF
	}
	r.read = true
	return r.row, nil
}

// Close implements db.Rows.
func (r *oneRow) Close() error { return nil }

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
