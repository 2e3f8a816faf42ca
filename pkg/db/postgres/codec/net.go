package codec

import (
	"fmt"
	"net/netip"

	"wherry/pkg/db/canon"
	"wherry/pkg/schema"
)

func decodeUUID(dst, field []byte) ([]byte, error) {
	if len(field) != 16 {
		return unknown(dst, field)
	}
	return canon.AppendUUID(dst, (*[16]byte)(field)), nil
}

// Families of addresses in an inet (PostgreSQL source, utils/inet.h).
const (
	family4 = 2
	family6 = 3
)

// inet is the family of an address, the bits of its network, whether it is a network, and its bytes. Addresses of the
// source are whole hosts.
func inet(value *schema.Type) (Codec, bool) {
	switch value.Kind {
	case schema.INET4, schema.INET6, schema.Char, schema.Varchar:
		return Codec{OID: oidInet, Encode: encodeInet(value.Kind), Decode: decodeInet}, true
	default:
		return Codec{}, false
	}
}

func encodeInet(kind schema.Kind) Func {
	return func(dst, v []byte) ([]byte, error) {
		a, err := netip.ParseAddr(view(v))
		if err != nil || a.Zone() != "" || kind == schema.INET4 && !a.Is4() || kind == schema.INET6 && a.Is4() {
			return nil, &ValueError{Why: fmt.Sprintf("%q is no address", v)}
		}
		if a.Is4() {
			b := a.As4()
			return append(append(dst, family4, 32, 0, 4), b[:]...), nil
		}
		b := a.As16()
		return append(append(dst, family6, 128, 0, 16), b[:]...), nil
	}
}

func decodeInet(dst, field []byte) ([]byte, error) {
	switch {
	case len(field) == 8 && field[0] == family4 && field[1] == 32:
		return canon.AppendINET4(dst, field[4:]), nil
	case len(field) == 20 && field[0] == family6 && field[1] == 128:
		return canon.AppendINET6(dst, (*[16]byte)(field[4:])), nil
	default: // a network
		return unknown(dst, field)
	}
}
