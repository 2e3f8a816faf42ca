package mysql

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"

	"github.com/go-mysql-org/go-mysql/replication"

	"wherry/pkg/schema"
)

// eraHeader is the size of an event's header in bytes.
const eraHeader = 19

// log is the log from GTID 5 on: one transaction that inserts eraWalk.row.
func (f *eraServer) log() [][]byte {
	l := &eraLog{}
	l.add(replication.ROTATE_EVENT, replication.LOG_EVENT_ARTIFICIAL_F, append(binary.LittleEndian.AppendUint64(nil, 4),
		"mysql-bin.000002"...))
	l.at = 4
	format := binary.LittleEndian.AppendUint16(nil, 4)
	format = append(append(format, f.version...), make([]byte, 50-len(f.version)+4)...)
	format = append(append(format, eraHeader), bytes.Repeat([]byte{8}, 40)...)
	l.add(replication.FORMAT_DESCRIPTION_EVENT, 0, append(format, byte(replication.BINLOG_CHECKSUM_ALG_CRC32)))
	table := "0900" + "00000000" + "0100" // number, flags
	rows := replication.WRITE_ROWS_EVENTv2
	document, documentType := eraDocument, byte(0xf5) // JSON
	if f.flavor.Family == schema.MariaDB {
		// Sequence number, domain, flags, six bytes of nothing (sql/log_event.h, Gtid_log_event).
		l.add(replication.MARIADB_GTID_EVENT, 0, eraBytes("0600000000000000", "00000000", "00", "000000000000"))
		// LONGTEXT
		rows, document, documentType = replication.WRITE_ROWS_EVENTv1, hex.EncodeToString([]byte(f.document)), 0xfc
	} else {
		gtid := eraBytes("00", strings.ReplaceAll(eraUUID, "-", ""), "0600000000000000", "02", "0000000000000000",
			"0100000000000000")
		if f.flavor.Version >= 80002 { // the time of the commit, the length of the transaction
			gtid = append(gtid, eraBytes("00f153650a0a00", "fc0001")...)
		}
		l.add(replication.GTID_EVENT, 0, gtid)
		l.add(replication.QUERY_EVENT, 0, append(make([]byte, 4+4+1+2+2+1), "BEGIN"...))
	}
	m := append(eraBytes(table), "\x04shop\x00\x06orders\x00"...)
	m = append(m, 9, 3, 0x0f, 0xf6, 1, 5, documentType, 13, 3, 17) // types
	m = append(m, eraBytes("07", "7800", "0a02", "08", "04", "00", "fe00")...)
	// signs, as by binlog_row_metadata=MINIMAL: of six numbers the third and the year
	if f.flavor.Version >= 80000 && f.flavor.Family == schema.MySQL {
		m = append(m, eraBytes("0101", "28")...)
	}
	l.add(replication.TABLE_MAP_EVENT, 0, m)
	image := eraBytes(table)
	if rows == replication.WRITE_ROWS_EVENTv2 {
		image = append(image, 2, 0) // the length of further data
	}
	image = append(image, eraBytes("09", "ff01", "0000", "07000000", "026162", "8000000132", "c8",
		"000000000000f83f")...)
	image = binary.LittleEndian.AppendUint32(image, uint32(len(document)/2)) //nolint:gosec // few bytes
	image = append(image, eraBytes(document, "7c", "0e000000", "6553f100")...)
	l.add(rows, 0, image)
	l.add(replication.XID_EVENT, 0, make([]byte, 8))
	return l.events
}

// eraDocument is {"a": 1e0} in the binary form of MySQL 5.7.8 and later (sql/json_binary.h): an object of one member
// in 20 bytes, its key at 11 and 1 long, a double at 12.
const eraDocument = "00" + "0100" + "1400" + "0b000100" + "0b0c00" + "61" + "000000000000f03f"

func eraBytes(parts ...string) []byte {
	b, err := hex.DecodeString(strings.Join(parts, ""))
	if err != nil {
		panic(err)
	}
	return b
}

// eraLog writes events with their checksums.
type eraLog struct {
	at     uint32
	events [][]byte
}

func (l *eraLog) add(kind replication.EventType, flags uint16, body []byte) {
	size := uint32(eraHeader + len(body) + crc32.Size) //nolint:gosec // few bytes
	if l.at > 0 {
		l.at += size
	}
	e := append(binary.LittleEndian.AppendUint32(nil, 1700000000), byte(kind))
	e = binary.LittleEndian.AppendUint32(e, 1) // server id
	e = binary.LittleEndian.AppendUint32(e, size)
	e = binary.LittleEndian.AppendUint32(e, l.at)
	e = append(binary.LittleEndian.AppendUint16(e, flags), body...)
	l.events = append(l.events, binary.LittleEndian.AppendUint32(e, crc32.ChecksumIEEE(e)))
}
