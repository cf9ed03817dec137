package bridge

import "github.com/prometheus/client_golang/prometheus"

// meters are the metrics. Every label has a fixed set of values.
type meters struct {
	connections prometheus.Gauge
	sessions    prometheus.Gauge
	sockets     prometheus.Gauge
	refused     *prometheus.CounterVec // reason
	ended       *prometheus.CounterVec // reason
	packets     *prometheus.CounterVec // direction, way
	bytes       *prometheus.CounterVec // direction
	dropped     *prometheus.CounterVec // direction, reason
	deposits    *prometheus.CounterVec // result
	partings    *prometheus.CounterVec // result
}

const (
	fromPage   = "from_page"
	fromServer = "from_server"
)

func newMeters(r prometheus.Registerer) (*meters, error) {
	m := &meters{
		connections: gauge("connections", "QUIC connections."),
		sessions:    gauge("sessions", "Sessions that are open."),
		sockets:     gauge("sockets", "UDP sockets to TURN servers, those that only release included."),
		refused:     counter("refused_total", "Connections and sessions that were refused.", "reason"),
		ended:       counter("sessions_ended_total", "Sessions that are over.", "reason"),
		packets:     counter("packets_total", "Packets that were carried.", "direction", "way"),
		bytes:       counter("bytes_total", "Their bytes.", "direction"),
		dropped:     counter("dropped_packets_total", "Packets that were dropped.", "direction", "reason"),
		deposits:    counter("deposits_total", "DEPOSIT frames.", "result"),
		partings:    counter("partings_total", "Deposits that were shipped when their session was over, and what came of it.", "result"),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.connections, m.sessions, m.sockets, m.refused, m.ended, m.packets, m.bytes, m.dropped, m.deposits, m.partings,
	} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

const namespace = "turnwasm_bridge"

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func (m *meters) refuse(reason string) { m.refused.WithLabelValues(reason).Inc() }

// way is one direction's counters, looked up once: WithLabelValues hashes.
type way struct {
	datagrams, streamed, bytes prometheus.Counter
	dropped                    *prometheus.CounterVec
	direction                  string
}

func (m *meters) way(direction string) *way {
	return &way{
		datagrams: m.packets.WithLabelValues(direction, "datagram"),
		streamed:  m.packets.WithLabelValues(direction, "stream"),
		bytes:     m.bytes.WithLabelValues(direction),
		dropped:   m.dropped,
		direction: direction,
	}
}

func (w *way) carried(n int, streamed bool) {
	w.bytes.Add(float64(n))
	if streamed {
		w.streamed.Inc()
	} else {
		w.datagrams.Inc()
	}
}

func (w *way) drop(reason string) { w.dropped.WithLabelValues(w.direction, reason).Inc() }
