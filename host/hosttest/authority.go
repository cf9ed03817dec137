package hosttest

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

// Authority is a certification authority and the certificate that it has given
// to a server: some programs refuse a certificate that signs itself.
type Authority struct {
	Roots *x509.CertPool
	Leaf  tls.Certificate
	// The authority's own certificate, the server's and its key, in PEM.
	CA, Cert, Key []byte
}

// NewAuthority makes both; the certificate is for the names, for an hour.
func NewAuthority(names ...string) (*Authority, error) {
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "turnwasm's tests"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	if ca, err = x509.ParseCertificate(caDER); err != nil {
		return nil, err
	}
	a := &Authority{Roots: x509.NewCertPool(), CA: inPEM("CERTIFICATE", caDER)}
	a.Roots.AddCert(ca)
	return a, a.sign(leaf, ca, caKey)
}

func (a *Authority) sign(leaf, ca *x509.Certificate, by *ecdsa.PrivateKey) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, by)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	a.Leaf = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	a.Cert, a.Key = inPEM("CERTIFICATE", der), inPEM("EC PRIVATE KEY", keyDER)
	return nil
}

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// The files that WriteFiles makes.
const (
	FileCA   = "ca.pem"
	FileCert = "leaf.pem"
	FileKey  = "leaf-key.pem"
)

// WriteFiles writes the three to the folder, and answers coturn's flags for it.
func (a *Authority) WriteFiles(dir string) (flags []string, err error) {
	for name, text := range map[string][]byte{FileCA: a.CA, FileCert: a.Cert, FileKey: a.Key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	return []string{"--cert=" + filepath.Join(dir, FileCert), "--pkey=" + filepath.Join(dir, FileKey)}, nil
}
