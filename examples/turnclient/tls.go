package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"os"
)

// secured is what the flags say about the certificate behind turns:.
type secured struct {
	serverName string
	roots      *x509.CertPool // nil: the system's
	noALPN     bool
}

func (s *secured) flags(f *flag.FlagSet) {
	f.StringVar(&s.serverName, "server-name", "", "whose certificate is expected behind turns: (default: the URL's host; a URL with an address needs it)")
	f.Func("ca", "PEM `file` with the authorities that may have signed it (default: the system's)", s.setRoots)
	f.BoolVar(&s.noALPN, "no-alpn", false, "do not offer the protocol stun.turn (RFC 7443)")
}

func (s *secured) setRoots(file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if s.roots = x509.NewCertPool(); !s.roots.AppendCertsFromPEM(pem) {
		return errors.New("there is no certificate in it")
	}
	return nil
}

// config is what a host.Config takes.
func (s *secured) config() *tls.Config { return &tls.Config{RootCAs: s.roots} }
