package binlog

import "wherry/pkg/db/canon"

// appendFixed writes a uuid, inet4 or inet6 of MariaDB. The log has their bytes in the order in which they are
// written, without trailing zeros, also where the table keeps those of a uuid in another order (MDEV-29959).
func (c *decodeColumn) appendFixed(dst, value []byte) ([]byte, error) {
	var whole [16]byte
	if len(value) > c.size || c.size > len(whole) {
		return nil, errImage
	}
	copy(whole[:], value)
	switch c.kind {
	case decodeUUID:
		return canon.AppendUUID(dst, &whole), nil
	case decodeINET4:
		return canon.AppendINET4(dst, whole[:4]), nil
	default:
		return canon.AppendINET6(dst, &whole), nil
	}
}
