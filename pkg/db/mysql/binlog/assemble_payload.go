package binlog

import (
	"bytes"
	"fmt"
	"io"

	"github.com/go-mysql-org/go-mysql/replication"
	"github.com/klauspost/compress/zstd"

	"wherry/pkg/db"
)

// payload unpacks a compressed transaction (binlog_transaction_compression) event by event, so that its size does not
// matter. It is a list of fields (type, length, value), ended by a zero, and then the compressed events. Events inside
// have no checksum of their own, and their offsets say nothing.
func (a *assembler) payload(e *logEvent) error {
	const (
		endMark     = 0
		compression = 2
		none        = 255
	)
	r := logReader{data: e.body}
	method := uint64(none)
	for field := r.packed(); field != endMark; field = r.packed() {
		value := logReader{data: r.packedBytes()}
		if field == compression {
			method = value.packed()
		}
		if r.bad {
			return errEvent
		}
	}
	var source io.Reader = bytes.NewReader(r.data)
	switch method {
	case replication.ZSTD:
		if a.unzip == nil {
			unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
			if err != nil {
				return err
			}
			a.unzip = unzip
		}
		if err := a.unzip.Reset(source); err != nil {
			return fmt.Errorf("%w: %w", errEvent, err)
		}
		source = a.unzip
	case none:
	default:
		return fmt.Errorf("%w: transaction compressed by method %d", db.ErrUnsupported, method)
	}
	return a.unpack(source)
}

// unpack reads events from the decompressed stream, one at a time. Its buffer is reused, and given back after a large
// event.
func (a *assembler) unpack(source io.Reader) error {
	for {
		a.inner = append(a.inner[:0], make([]byte, eventHeader)...)
		if _, err := io.ReadFull(source, a.inner); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("%w: %w", errEvent, err)
		}
		header, _ := parseEventHeader(a.inner)
		if header.size < eventHeader {
			return errEvent
		}
		a.inner = append(a.inner, make([]byte, header.size-eventHeader)...)
		if _, err := io.ReadFull(source, a.inner[eventHeader:]); err != nil {
			return fmt.Errorf("%w: %w", errEvent, err)
		}
		inner, ok := parseEventHeader(a.inner)
		if !ok {
			return errEvent
		}
		if err := a.change(&inner); err != nil {
			return err
		}
		if cap(a.inner) > streamBig {
			a.inner = nil
		}
	}
}
