//go:build unix

package core

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// authorities are those of a file.
func authorities(file string) (*tls.Config, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %s holds no certificate", file)
	}
	return &tls.Config{RootCAs: pool}, nil
}
