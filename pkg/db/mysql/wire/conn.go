package wire

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	protocol "github.com/go-mysql-org/go-mysql/mysql"
	driver "github.com/go-sql-driver/mysql"

	"wherry/pkg/db"
)

const (
	// maxPayload is the largest payload of one packet; a payload of exactly this size is continued in the next
	// (MySQL internals manual, "MySQL Packets").
	maxPayload = 1<<24 - 1
	// readBuffer holds many rows of usual size, so that rows are read in place.
	readBuffer = 256 << 10
	// bigKept is how many bytes of memory are kept from one large payload for the next. Without a limit one row of a
	// gigabyte would cost a gigabyte for as long as the connection lives.
	bigKept = 4 << 20
)

// Conn is one connection in the text protocol. Rows are views into its read buffer and statements are written from the
// caller's buffer: on the row path no value is copied that need not be. It is used by one goroutine at a time.
type Conn struct {
	ID       uint32 // the server's number of the connection
	Broken   bool   // an error left the protocol or the transaction in an unknown state: close it, do not use it
	Unlogged bool   // the session was set not to log what it writes

	// seq is the number of the next packet, modulo 256. Both sides count, and a command begins at 0: a number that is
	// not the expected one means that an answer was left unread, so whatever follows would belong to another
	// statement.
	nc  net.Conn
	r   *bufio.Reader
	big []byte // a payload larger than the read buffer
	seq byte
	out []byte
}

// Result is what an OK packet says.
type Result struct {
	Affected uint64 // rows
	Warnings uint16
	Info     string // such as "Records: 3  Duplicates: 0  Warnings: 0", or empty
}

// login connects and authenticates. The handshake is go-mysql's; after it the connection is ours alone.
func (d *Dialer) login(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	dial := func(useTLS bool) (*client.Conn, error) {
		return client.ConnectWithDialer(ctx, d.Network, d.Address, d.User, d.Password, "",
			func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := d.open(ctx, network, address)
				if err == nil {
					if deadline, ok := ctx.Deadline(); ok {
						err = nc.SetDeadline(deadline)
					}
				}
				return nc, err
			},
			func(c *client.Conn) error {
				if useTLS {
					c.SetTLSConfig(d.TLS.Clone())
				}
				// With query attributes every statement would begin with two more length bytes, on MySQL 8.0.23 and
				// later only: Begin writes none.
				c.UnsetCapability(protocol.CLIENT_QUERY_ATTRIBUTES)
				// Rows begin and end with EOF packets, on every version.
				c.UnsetCapability(protocol.CLIENT_DEPRECATE_EOF)
				return c.SetCapability(protocol.CLIENT_LOCAL_FILES)
			})
	}
	c, err := dial(d.TLS != nil)
	// After a refused login there is no second try without TLS: it would send the password's proof in the clear, and
	// count as one more failed login, after a number of which the server locks this host or account out.
	if err != nil && d.TLS != nil && d.TLSFallback && !isAccessError(err) {
		c, err = dial(false)
	}
	if err != nil {
		return nil, err
	}
	nc := c.Conn.Conn
	// The deadline was for the handshake. Left in place it would end the first statement that takes longer.
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return &Conn{nc: nc, r: bufio.NewReaderSize(nc, readBuffer), ID: c.GetConnectionID()}, nil
}

// Close ends the connection.
func (w *Conn) Close() error {
	w.Broken = true
	return w.nc.Close()
}

// Abort makes reads and writes fail that are under way. It may be called by another goroutine. The server learns of
// it only when it next reads or writes: a statement that runs goes on, and a COMMIT may still happen.
func (w *Conn) Abort() { _ = w.nc.Close() }

// Guard makes the connection fail when ctx ends. The returned function must be called when the operation is over; it
// reports the context's cause in place of the network error that it led to.
func (w *Conn) Guard(ctx context.Context) func(error) error {
	// A deadline in the past makes a read that is waiting return at once. Closing the connection would do so too, but
	// the owner closes it, once, when it sees Broken.
	stop := context.AfterFunc(ctx, func() { _ = w.nc.SetDeadline(time.Unix(1, 0)) })
	return func(err error) error {
		if !stop() {
			w.Broken = true
			if err != nil {
				return context.Cause(ctx)
			}
		}
		return err
	}
}

// Exec runs a statement that returns no rows.
func (w *Conn) Exec(ctx context.Context, statement string) (Result, error) {
	w.out = append(Begin(w.out), statement...)
	return w.ExecPacket(ctx, w.out)
}

// Prefix is the size of what Begin writes, in bytes.
const Prefix = 5

// Begin empties a buffer and begins a packet for ExecPacket in it: room for a header, and the command. The
// statement's text is appended to it.
func Begin(b []byte) []byte { return append(b[:0], 0, 0, 0, 0, protocol.COM_QUERY) }

// ExecPacket runs the statement in packet, see Begin. The packet's bytes are overwritten when they exceed one payload.
func (w *Conn) ExecPacket(ctx context.Context, packet []byte) (res Result, err error) {
	done := w.Guard(ctx)
	defer func() { err = done(err) }()
	if err := w.send(packet); err != nil {
		return Result{}, err
	}
	reply, err := w.readPacket()
	if err != nil {
		return Result{}, err
	}
	return w.parseOK(reply)
}

// parseOK reads an OK packet: header, affected rows, last insert id, status flags (2 bytes), warnings (2 bytes),
// text. An EOF packet, which ends a result without rows on older servers, has neither counts nor text.
func (w *Conn) parseOK(reply []byte) (Result, error) {
	switch reply[0] {
	case protocol.OK_HEADER, protocol.EOF_HEADER:
		var res Result
		at := 1
		var n int
		res.Affected, _, n = protocol.LengthEncodedInt(reply[at:])
		at += n
		_, _, n = protocol.LengthEncodedInt(reply[at:])
		at += n
		if len(reply) >= at+4 {
			res.Warnings = binary.LittleEndian.Uint16(reply[at+2:])
			res.Info = string(reply[at+4:])
		}
		return res, nil
	case protocol.ERR_HEADER:
		return Result{}, serverError(reply)
	default:
		w.Broken = true
		return Result{}, fmt.Errorf("invalid reply 0x%02x to a statement without rows", reply[0])
	}
}

// Query sends a statement that returns rows and reads up to the first row.
func (w *Conn) Query(ctx context.Context, statement string) (_ *Rows, err error) {
	done := w.Guard(ctx)
	w.out = append(Begin(w.out), statement...)
	rows := &Rows{w: w, done: done}
	if err := rows.open(w.out); err != nil {
		return nil, done(err)
	}
	return rows, nil
}

// send writes one command.
func (w *Conn) send(packet []byte) error {
	w.seq = 0
	return w.writePacket(packet)
}

// writePacket writes payload packet[4:], split as the protocol demands.
func (w *Conn) writePacket(packet []byte) error {
	for {
		n := min(len(packet)-4, maxPayload)
		packet[0], packet[1], packet[2], packet[3] = byte(n), byte(n>>8), byte(n>>16), w.seq
		w.seq++
		if _, err := w.nc.Write(packet[:4+n]); err != nil {
			w.Broken = true
			return err
		}
		// After a payload of exactly maxPayload bytes comes another packet, an empty one if nothing is left. Without it
		// the server would wait for the rest.
		if n < maxPayload {
			return nil
		}
		packet = packet[n:]
	}
}

// readPacket returns the next payload, valid until the following read.
func (w *Conn) readPacket() ([]byte, error) {
	payload, err := w.readPayload()
	if err != nil {
		w.Broken = true
		// io.EOF is the regular end of Rows. A connection that ends must not look like it: rows would be missing
		// without an error.
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if len(payload) == 0 {
		w.Broken = true
		return nil, errors.New("invalid empty packet from the server")
	}
	return payload, nil
}

// readPayload returns a payload without its header, put together from several packets when it is 16 MiB or more.
func (w *Conn) readPayload() ([]byte, error) {
	n, err := w.readHeader()
	if err != nil {
		return nil, err
	}
	if n <= w.r.Size() && n < maxPayload {
		if cap(w.big) > bigKept {
			w.big = nil
		}
		// Discard moves on and leaves the bytes where they are: they stay until the buffer is filled once more, which
		// is what "valid until the following read" means.
		payload, err := w.r.Peek(n)
		if err != nil {
			return nil, err
		}
		_, err = w.r.Discard(n)
		return payload, err
	}
	w.big = w.big[:0]
	for {
		at := len(w.big)
		w.big = append(w.big, make([]byte, n)...)
		if _, err := io.ReadFull(w.r, w.big[at:]); err != nil {
			return nil, err
		}
		if n < maxPayload {
			return w.big, nil
		}
		if n, err = w.readHeader(); err != nil {
			return nil, err
		}
	}
}

func (w *Conn) readHeader() (int, error) {
	header, err := w.r.Peek(4)
	if err != nil {
		return 0, err
	}
	n, seq := int(header[0])|int(header[1])<<8|int(header[2])<<16, header[3]
	if seq != w.seq {
		return 0, fmt.Errorf("invalid packet sequence %d, want %d", seq, w.seq)
	}
	w.seq++
	_, err = w.r.Discard(4)
	return n, err
}

// Warnings returns the texts of the first few warnings of the statement before, for an error message: what goes wrong
// on the way is returned as text too.
func (w *Conn) Warnings(ctx context.Context) string {
	rows, err := w.Query(ctx, "SHOW WARNINGS LIMIT 3")
	if err != nil {
		return err.Error()
	}
	found, err := db.ReadAll(rows)
	if err != nil {
		return err.Error()
	}
	texts := make([]string, len(found))
	for i, row := range found {
		texts[i] = string(row[2])
	}
	return strings.Join(texts, "; ")
}

// serverError reads an ERR packet.
func serverError(reply []byte) error {
	e := &driver.MySQLError{Number: binary.LittleEndian.Uint16(reply[1:])}
	rest := reply[3:]
	// An error before the login is complete, such as "Too many connections", has no SQL state.
	if len(rest) > 6 && rest[0] == '#' {
		copy(e.SQLState[:], rest[1:6])
		rest = rest[6:]
	}
	e.Message = string(rest)
	return e
}
