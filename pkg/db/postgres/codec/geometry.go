package codec

import (
	"encoding/binary"
	"fmt"

	"wherry/pkg/schema"
)

// srid marks a geometry that tells its SRID (PostGIS manual, "EWKB").
const srid = 0x20000000

// geometry is a geometry of PostGIS. MySQL writes the SRID before the well-known binary, PostGIS within its head.
func geometry(value, column *schema.Type) (Codec, bool) {
	return Codec{
		OID: oidBytea, Cast: column.Text,
		Encode: func(dst, v []byte) ([]byte, error) {
			if len(v) < 9 || v[4] != 1 {
				return nil, &ValueError{Why: fmt.Sprintf("%x is no geometry", v[:min(len(v), 16)])}
			}
			kind := binary.LittleEndian.Uint32(v[5:])
			if id := binary.LittleEndian.Uint32(v); id != 0 {
				dst = binary.LittleEndian.AppendUint32(append(dst, 1), kind|srid)
				return append(binary.LittleEndian.AppendUint32(dst, id), v[9:]...), nil
			}
			return append(dst, v[4:]...), nil
		},
		Decode: func(dst, field []byte) ([]byte, error) {
			if len(field) < 5 || field[0] != 1 {
				return unknown(dst, field)
			}
			kind := binary.LittleEndian.Uint32(field[1:])
			if kind&srid == 0 {
				return append(append(dst, 0, 0, 0, 0), field...), nil
			}
			if len(field) < 9 {
				return unknown(dst, field)
			}
			dst = append(append(dst, field[5:9]...), 1)
			return append(binary.LittleEndian.AppendUint32(dst, kind&^srid), field[9:]...), nil
		},
	}, value.Kind == schema.Geometry
}
