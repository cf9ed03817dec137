package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/turnwasm/turnwasm/host/bridge"
)

// serve runs the bridge until ctx ends, and then stops it.
func serve(ctx context.Context, o *options, log *slog.Logger) error {
	conn, err := listenUDP(o.listen)
	if err != nil {
		return err
	}
	defer conn.Close()
	cfg, err := o.config(log)
	if err != nil {
		return err
	}
	var stops stack
	defer stops.unwind()
	if o.dev {
		stop, err := develop(o, cfg, conn.LocalAddr(), log)
		if err != nil {
			return err
		}
		stops.push(stop)
	}
	if o.metrics != "" {
		stop, err := serveMetrics(o.metrics, cfg, log)
		if err != nil {
			return err
		}
		stops.push(stop)
	}
	b, err := bridge.New(*cfg)
	if err != nil {
		return err
	}
	log.Info("listening", "url", urlOf(conn.LocalAddr()), "servers", cfg.Servers, "origins", cfg.Origins)
	return carry(ctx, b, conn, o.grace, log)
}

// carry serves until ctx ends; then the pages have the grace to release.
func carry(ctx context.Context, b *bridge.Bridge, conn net.PacketConn, grace time.Duration, log *slog.Logger) error {
	served := make(chan error, 1)
	go func() { served <- b.Serve(conn) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping", "grace", grace)
	end, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := b.Shutdown(end); err != nil {
		log.Warn("some pages did not release in time; their deposits were shipped")
	}
	log.Info("stopped")
	return <-served
}

func (o *options) config(log *slog.Logger) (*bridge.Config, error) {
	token, err := o.token()
	if err != nil {
		return nil, err
	}
	cfg := &bridge.Config{
		Servers: o.servers, Origins: o.origins, Token: token, Limits: o.limits, Log: log, TLS: &tls.Config{},
	}
	if !o.dev {
		cert, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, err
		}
		cfg.TLS.Certificates = []tls.Certificate{cert}
	}
	return cfg, nil
}

func listenUDP(at string) (*net.UDPConn, error) {
	addr, err := net.ResolveUDPAddr("udp", at)
	if err != nil {
		return nil, err
	}
	return net.ListenUDP("udp", addr)
}

func urlOf(at net.Addr) string { return "https://" + at.String() + bridge.Path }

// serveMetrics has a listener of its own: metrics are not for pages.
func serveMetrics(at string, cfg *bridge.Config, log *slog.Logger) (stop func(), err error) {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	cfg.Metrics = r
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	stop, bound, err := serveHTTP(at, mux, log)
	if err == nil {
		log.Info("metrics", "url", "http://"+bound.String()+"/metrics")
	}
	return stop, err
}

// patience bounds what a slow HTTP client can hold.
const patience = 10 * time.Second

func serveHTTP(at string, h http.Handler, log *slog.Logger) (stop func(), bound net.Addr, err error) {
	ln, err := net.Listen("tcp", at)
	if err != nil {
		return nil, nil, err
	}
	s := &http.Server{
		Handler: h, ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: patience,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("HTTP", "error", err)
		}
	}()
	return func() { s.Close(); <-done }, ln.Addr(), nil
}
