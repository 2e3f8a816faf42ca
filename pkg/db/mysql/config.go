package mysql

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"wherry/pkg/db/mysql/wire"
	"wherry/pkg/schema"
)

// Config says how to reach a server and how to write to it.
type Config struct {
	Host           string
	Port           int
	Socket         string // used instead of host and port when given
	User           string
	Password       string
	TLS            *tls.Config // nil: no TLS
	TLSFallback    bool        // go on without TLS when the server has none
	ConnectTimeout time.Duration

	ServerID       uint32 // as which wherry reads the binary log; 0 picks one
	Move           string // name of the move, for bookkeeping and lock
	LoadMethod     string // "auto", "load_data" or "insert"
	BinlogOnTarget bool   // write loaded chunks to the target's own binary log

	// Follows tells which names belong to the move, whether there is such a table or not. A source reports schema
	// changes of them, so that a table that is created later is not missed.
	Follows func(schema.Name) bool

	SpoolDir string // where a source's log is kept, if it is; see Source.Spool
}

// Address returns host:port or the socket's path.
func (c *Config) Address() string {
	if c.Socket != "" {
		return c.Socket
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
}

func (c *Config) network() string {
	if c.Socket != "" {
		return "unix"
	}
	return "tcp"
}

// dialer returns what connects to the server, see wire.NewDialer.
func (c *Config) dialer() *wire.Dialer {
	timeout := cmp.Or(c.ConnectTimeout, 10*time.Second)
	return wire.NewDialer(wire.Dialer{
		Network: c.network(), Address: c.Address(), User: c.User, Password: c.Password,
		TLS: c.TLS, TLSFallback: c.TLSFallback, Timeout: timeout,
	})
}

// TLSOptions are the files and the mode of a connection's encryption.
type TLSOptions struct {
	Mode string // disabled, preferred, required, verify-ca or verify-full
	CA   string
	Cert string
	Key  string
}

// NewTLS returns the settings for a mode, nil for no TLS. fallback tells that a server without TLS is accepted. The
// modes are those of MySQL's own clients (--ssl-mode).
func NewTLS(o TLSOptions, host string) (cfg *tls.Config, fallback bool, err error) {
	if o.Mode == "disabled" {
		return nil, false, nil
	}
	cfg = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, false, fmt.Errorf("read tls.ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, false, fmt.Errorf("read tls.ca: no certificate in %s", o.CA)
		}
	}
	if o.Cert != "" || o.Key != "" {
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, false, fmt.Errorf("read tls.cert and tls.key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	switch o.Mode {
	case "preferred", "required":
		cfg.InsecureSkipVerify = true // by the mode's definition: encrypt, do not verify
	case "verify-ca":
		cfg.InsecureSkipVerify = true // the chain is verified below, the name is not
		cfg.VerifyConnection = verifyChain(cfg.RootCAs)
	case "verify-full":
	default:
		return nil, false, fmt.Errorf("invalid tls.mode %q", o.Mode)
	}
	return cfg, o.Mode == "preferred", nil
}

// verifyChain checks the certificate against the roots, and not the server's name. Go has no such mode: it is
// switched off and done here, over the certificates as they were sent, the server's own first.
func verifyChain(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			options.Intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(options)
		return err
	}
}
