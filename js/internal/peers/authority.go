package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// certName is what the server's certificate is for.
const certName = "turn.test"

// authority is a certificate for certName and who has signed it, as PEM.
type authority struct {
	ca, leaf, key []byte
}

func newAuthority() (*authority, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: certName}, DNSNames: []string{certName},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &authority{encoded("CERTIFICATE", caDER), encoded("CERTIFICATE", leafDER), encoded("EC PRIVATE KEY", keyDER)}, nil
}

func encoded(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func (a *authority) config() (*tls.Config, error) {
	leaf, err := tls.X509KeyPair(a.leaf, a.key)
	return &tls.Config{Certificates: []tls.Certificate{leaf}, NextProtos: []string{"stun.turn"}}, err
}

// flags are for coturn, which reads the files when it starts.
func (a *authority) flags(dir string) ([]string, error) {
	cert, key := filepath.Join(dir, "leaf.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(cert, a.leaf, 0o600); err != nil {
		return nil, err
	}
	return []string{"--cert=" + cert, "--pkey=" + key}, os.WriteFile(key, a.key, 0o600)
}
