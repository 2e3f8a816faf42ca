package mysql

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	protocol "github.com/go-mysql-org/go-mysql/mysql"
	driver "github.com/go-sql-driver/mysql"
)

const (
	// maxPayload is the largest payload of one packet; a payload of exactly this size is continued in the next
	// (MySQL internals manual, "MySQL Packets").
	maxPayload = 1<<24 - 1
	// readBuffer holds many rows of usual size, so that rows are read in place.
	readBuffer = 256 << 10
	// bigKept is how much of the memory of a large payload is kept for the next one.
	bigKept = 4 << 20
)

// wire is one connection in the text protocol. Rows are views into its read buffer and statements are written from the
// caller's buffer: on the row path no value is copied that need not be. It is used by one goroutine at a time.
type wire struct {
	nc     net.Conn
	r      *bufio.Reader
	big    []byte // a payload larger than the read buffer
	seq    byte
	id     uint32
	broken bool // an error left the protocol in an unknown state
	out    []byte
}

// result is what an OK packet says.
type result struct {
	affected uint64
	warnings uint16
	info     string // such as "Records: 3  Duplicates: 0  Warnings: 0", or empty
}

// dialWire connects and authenticates. The handshake is go-mysql's; after it the connection is ours alone.
func dialWire(ctx context.Context, cfg *Config) (*wire, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.ConnectTimeout)
	defer cancel()
	dial := func(useTLS bool) (*client.Conn, error) {
		return client.ConnectWithDialer(ctx, cfg.network(), cfg.Address(), cfg.User, cfg.Password, "",
			func(ctx context.Context, network, address string) (net.Conn, error) {
				nc, err := cfg.dial(ctx, network, address)
				if err == nil {
					if deadline, ok := ctx.Deadline(); ok {
						err = nc.SetDeadline(deadline)
					}
				}
				return nc, err
			},
			func(c *client.Conn) error {
				if useTLS {
					c.SetTLSConfig(cfg.TLS.Clone())
				}
				c.UnsetCapability(protocol.CLIENT_QUERY_ATTRIBUTES)
				c.UnsetCapability(protocol.CLIENT_DEPRECATE_EOF) // rows begin and end with EOF packets, on every version
				return c.SetCapability(protocol.CLIENT_LOCAL_FILES)
			})
	}
	c, err := dial(cfg.TLS != nil)
	if err != nil && cfg.TLS != nil && cfg.TLSFallback && !isAccessError(err) {
		c, err = dial(false)
	}
	if err != nil {
		return nil, err
	}
	nc := c.Conn.Conn
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return &wire{nc: nc, r: bufio.NewReaderSize(nc, readBuffer), id: c.GetConnectionID()}, nil
}

func (w *wire) close() error {
	w.broken = true
	return w.nc.Close()
}

// guard makes the connection fail when ctx ends. The returned function must be called when the operation is over; it
// reports the context's cause in place of the network error that it led to.
func (w *wire) guard(ctx context.Context) func(error) error {
	stop := context.AfterFunc(ctx, func() { _ = w.nc.SetDeadline(time.Unix(1, 0)) })
	return func(err error) error {
		if !stop() {
			w.broken = true
			if err != nil {
				return context.Cause(ctx)
			}
		}
		return err
	}
}

// exec runs a statement that returns no rows.
func (w *wire) exec(ctx context.Context, statement string) (result, error) {
	w.out = append(append(w.out[:0], 0, 0, 0, 0, protocol.COM_QUERY), statement...)
	return w.execPacket(ctx, w.out)
}

// execPacket runs the statement in packet, which begins with room for a header and the COM_QUERY byte. The packet's
// bytes are overwritten when they exceed one payload.
func (w *wire) execPacket(ctx context.Context, packet []byte) (res result, err error) {
	done := w.guard(ctx)
	defer func() { err = done(err) }()
	if err := w.send(packet); err != nil {
		return result{}, err
	}
	reply, err := w.readPacket()
	if err != nil {
		return result{}, err
	}
	return w.parseOK(reply)
}

func (w *wire) parseOK(reply []byte) (result, error) {
	switch reply[0] {
	case protocol.OK_HEADER, protocol.EOF_HEADER:
		var res result
		at := 1
		var n int
		res.affected, _, n = protocol.LengthEncodedInt(reply[at:])
		at += n
		_, _, n = protocol.LengthEncodedInt(reply[at:])
		at += n
		if len(reply) >= at+4 {
			res.warnings = binary.LittleEndian.Uint16(reply[at+2:])
			res.info = string(reply[at+4:])
		}
		return res, nil
	case protocol.ERR_HEADER:
		return result{}, serverError(reply)
	default:
		w.broken = true
		return result{}, fmt.Errorf("invalid reply 0x%02x to a statement without rows", reply[0])
	}
}

// query sends a statement that returns rows and reads up to the first row.
func (w *wire) query(ctx context.Context, statement string) (_ *wireRows, err error) {
	done := w.guard(ctx)
	w.out = append(append(w.out[:0], 0, 0, 0, 0, protocol.COM_QUERY), statement...)
	rows := &wireRows{w: w, done: done}
	if err := rows.open(w.out); err != nil {
		return nil, done(err)
	}
	return rows, nil
}

// send writes one command.
func (w *wire) send(packet []byte) error {
	w.seq = 0
	return w.writePacket(packet)
}

// writePacket writes payload packet[4:], split as the protocol demands.
func (w *wire) writePacket(packet []byte) error {
	for {
		n := min(len(packet)-4, maxPayload)
		packet[0], packet[1], packet[2], packet[3] = byte(n), byte(n>>8), byte(n>>16), w.seq
		w.seq++
		if _, err := w.nc.Write(packet[:4+n]); err != nil {
			w.broken = true
			return err
		}
		if n < maxPayload {
			return nil
		}
		packet = packet[n:]
	}
}

// readPacket returns the next payload, valid until the following read.
func (w *wire) readPacket() ([]byte, error) {
	payload, err := w.readPayload()
	if err != nil {
		w.broken = true
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if len(payload) == 0 {
		w.broken = true
		return nil, errors.New("invalid empty packet from the server")
	}
	return payload, nil
}

func (w *wire) readPayload() ([]byte, error) {
	n, err := w.readHeader()
	if err != nil {
		return nil, err
	}
	if n <= w.r.Size() && n < maxPayload {
		if cap(w.big) > bigKept {
			w.big = nil
		}
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

func (w *wire) readHeader() (int, error) {
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

// serverError reads an ERR packet.
func serverError(reply []byte) error {
	e := &driver.MySQLError{Number: binary.LittleEndian.Uint16(reply[1:])}
	rest := reply[3:]
	if len(rest) > 6 && rest[0] == '#' {
		copy(e.SQLState[:], rest[1:6])
		rest = rest[6:]
	}
	e.Message = string(rest)
	return e
}
