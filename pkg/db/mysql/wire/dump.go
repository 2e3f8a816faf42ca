package wire

import (
	"fmt"
	"time"

	protocol "github.com/go-mysql-org/go-mysql/mysql"
)

// Dump sends a command that makes the server send its binary log from now on. command begins with 4 bytes of room for
// a header.
func (w *Conn) Dump(command []byte) error { return w.send(command) }

// ReadEvent returns the next event of the log as the server sent it: header, body and checksum. It is valid until the
// following one is read. A server that says nothing for longer than patience, not even by a heartbeat, is given up with
// os.ErrDeadlineExceeded; 0 waits for ever.
func (w *Conn) ReadEvent(patience time.Duration) ([]byte, error) {
	if cap(w.big) > bigKept {
		w.big = nil
	}
	if patience > 0 {
		if err := w.nc.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return nil, err
		}
	}
	packet, err := w.readPacket()
	if err != nil {
		return nil, err
	}
	switch packet[0] {
	case protocol.OK_HEADER:
		return packet[1:], nil
	case protocol.ERR_HEADER:
		return nil, serverError(packet)
	// A server may end the stream so when it shuts down, or, with the flag BINLOG_DUMP_NON_BLOCK, at the end of the
	// log. That flag is not set here.
	case protocol.EOF_HEADER:
		return nil, fmt.Errorf("%w: the server ended its log", protocol.ErrBadConn)
	default:
		return nil, fmt.Errorf("invalid packet 0x%02x in the binary log", packet[0])
	}
}
