// Package secure turns the mode and files of tls.* into settings of a connection, for every engine.
//
// Its one invariant: a mode that verifies never goes on without. It connects to nothing.
package secure

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Options are the files and the mode of a connection's encryption.
type Options struct {
	Mode string // disabled, preferred, required, verify-ca or verify-full
	CA   string
	Cert string
	Key  string
}

// TLS returns the settings for a mode, nil for no TLS. fallback tells that a server without TLS is accepted. The
// modes are those of MySQL's own clients (--ssl-mode).
func TLS(o Options, host string) (cfg *tls.Config, fallback bool, err error) {
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
