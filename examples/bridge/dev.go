package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"

	"github.com/turnwasm/turnwasm/host/bridge"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// devConfig is /bridge.json: what a page needs to know.
type devConfig struct {
	URL     string   `json:"url"`     // of the bridge
	Hash    string   `json:"hash"`    // base64 of SHA-256, for serverCertificateHashes
	Servers []string `json:"servers"` // TURN URIs

	// With a TURN server of our own:
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Peer     string `json:"peer,omitempty"` // echoes

	server hosttest.Server
}

// develop makes what a page needs to be tried on this machine.
func develop(o *options, cfg *bridge.Config, at net.Addr, log *slog.Logger) (stop func(), err error) {
	cert, hash, err := bridge.DevCertificate()
	if err != nil {
		return nil, err
	}
	cfg.TLS.Certificates = []tls.Certificate{cert}
	log.Info("certificate", "sha256", hex.EncodeToString(hash[:]), "expires", cert.Leaf.NotAfter)
	page := devConfig{URL: urlOf(at), Hash: base64.StdEncoding.EncodeToString(hash[:])}
	stops := new(stack)
	if len(cfg.Servers) == 0 {
		if err := page.ownServer(cfg, stops); err != nil {
			stops.unwind()
			return nil, err
		}
	}
	page.Servers = cfg.Servers
	if o.pages == "" {
		return stops.unwind, nil
	}
	stopPages, err := servePages(o, cfg, page, log)
	if err != nil {
		stops.unwind()
		return nil, err
	}
	stops.push(stopPages)
	return stops.unwind, nil
}

// ownServer starts a TURN server and a peer that echoes, on loopback.
func (page *devConfig) ownServer(cfg *bridge.Config, stops *stack) error {
	server, err := hosttest.StartPion(hosttest.PionOptions{})
	if err != nil {
		return err
	}
	stops.push(func() { server.Close() })
	page.server = server
	peer, err := hosttest.StartEcho(netip.Addr{})
	if err != nil {
		return err
	}
	stops.push(func() { peer.Close() })
	cfg.Servers = []string{"turn:" + server.Addr().String()}
	page.Username, page.Password, page.Peer = hosttest.Username, hosttest.Password, peer.Addr().String()
	return nil
}

// servePages serves the folder and the configuration. Its origin is allowed.
func servePages(o *options, cfg *bridge.Config, page devConfig, log *slog.Logger) (stop func(), err error) {
	root, err := os.OpenRoot(o.pages) // a link out of the folder leads nowhere
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bridge.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(page)
	})
	if page.server != nil {
		mux.HandleFunc("GET /held.json", page.held)
	}
	mux.Handle("GET /", http.FileServerFS(root.FS()))
	stopServing, at, err := serveHTTP(o.pagesAt, fresh(mux), log)
	if err != nil {
		root.Close()
		return nil, err
	}
	_, port, _ := net.SplitHostPort(at.String()) // of a listener's own
	cfg.Origins = append(cfg.Origins, "http://"+at.String(), "http://localhost:"+port)
	log.Info("pages", "url", "http://"+at.String()+"/")
	return func() { stopServing(); root.Close() }, nil
}

// held is /held.json: the allocations that our own TURN server holds.
func (page *devConfig) held(w http.ResponseWriter, _ *http.Request) {
	n, err := page.server.Held()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]int{"held": n})
}

// fresh: who edits a page wants to see it.
func fresh(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// stack is what is to be stopped, the last one first.
type stack []func()

func (s *stack) push(stop func()) { *s = append(*s, stop) }

func (s *stack) unwind() {
	for i := len(*s) - 1; i >= 0; i-- {
		(*s)[i]()
	}
}
