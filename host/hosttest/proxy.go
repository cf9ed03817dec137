package hosttest

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Proxy stands between clients and a server on UDP and does to the datagrams
// what its Fault says. The server sees the proxy's address: every client's
// 5-tuple has one socket towards the server for as long as the proxy lives, so
// that a client that comes back from the same port is the same client to the
// server.
type Proxy struct {
	server netip.AddrPort
	conn   *net.UDPConn // towards the clients
	ctx    context.Context
	stop   context.CancelFunc
	tasks  sync.WaitGroup

	mu        sync.Mutex
	fault     Fault
	upstreams map[netip.AddrPort]*net.UDPConn
	owners    map[*net.UDPConn]netip.AddrPort
	left      *net.UDPConn // for the next client that is new
	log       []Record
	news      chan struct{} // closed and replaced at each record
}

// Passage is a datagram on its way through the proxy.
type Passage struct {
	*Message
	ToServer bool
	Client   netip.AddrPort
}

// Action is what becomes of a datagram. The zero Action passes it on.
type Action struct {
	Drop  bool
	Delay time.Duration
	Hold  <-chan struct{} // not before it is closed
	Twice bool
	Reply []byte // sent back to where the datagram came from, in the proxy's name
}

// Fault decides over each datagram. It is called for one datagram at a time.
type Fault func(p Passage) Action

// Record is one line of the proxy's log.
type Record struct {
	At time.Time
	Passage
	Action
	Forged bool // the proxy's own Reply
}

// StartProxy starts a proxy to the server on a free port of 127.0.0.1.
func StartProxy(server netip.AddrPort) (*Proxy, error) {
	conn, err := listenLoopback(loopback)
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		server: server, conn: conn, fault: Pass,
		upstreams: make(map[netip.AddrPort]*net.UDPConn), owners: make(map[*net.UDPConn]netip.AddrPort), news: make(chan struct{}),
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.tasks.Go(p.fromClients)
	return p, nil
}

// Addr is the address that clients take for the server's.
func (p *Proxy) Addr() netip.AddrPort { return localAddr(p.conn) }

// SetFault replaces the fault; it holds for datagrams that arrive from now on.
func (p *Proxy) SetFault(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// Reuse gives the outside port of a client that is gone to the next one that is
// new, as a NAT does: to the server they are the same.
func (p *Proxy) Reuse(gone netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = p.upstreams[gone]
	delete(p.upstreams, gone)
}

// Close stops the proxy and drops what it still holds or delays.
func (p *Proxy) Close() error {
	p.stop()
	err := p.conn.Close()
	p.mu.Lock()
	for up := range p.owners {
		up.Close()
	}
	p.mu.Unlock()
	p.tasks.Wait()
	return err
}

// Log is what has come by so far, in the order of arrival.
func (p *Proxy) Log() []Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

// Await waits until match is true of a record, an earlier one included.
func (p *Proxy) Await(ctx context.Context, match func(Record) bool) (Record, error) {
	return p.AwaitAfter(ctx, 0, match)
}

// AwaitAfter is Await without the first n records of the log.
func (p *Proxy) AwaitAfter(ctx context.Context, n int, match func(Record) bool) (Record, error) {
	for {
		p.mu.Lock()
		log, news := p.log[n:], p.news
		p.mu.Unlock()
		if i := slices.IndexFunc(log, match); i >= 0 {
			return log[i], nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return Record{}, ctx.Err()
		}
	}
}

func (p *Proxy) fromClients() {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(buf)
		if p.ctx.Err() != nil {
			return
		}
		if err != nil {
			continue // an ICMP error of a client that is gone
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		up, err := p.upstream(from)
		if err != nil {
			continue // no socket: to the client it is loss
		}
		p.carry(Passage{Message: Decode(slices.Clone(buf[:n])), ToServer: true, Client: from}, up)
	}
}

func (p *Proxy) fromServer(up *net.UDPConn) {
	buf := make([]byte, 65536)
	for {
		n, err := up.Read(buf)
		if p.ctx.Err() != nil {
			return
		}
		if err != nil {
			continue // an ICMP error of a server that is gone
		}
		p.mu.Lock()
		client := p.owners[up]
		p.mu.Unlock()
		p.carry(Passage{Message: Decode(slices.Clone(buf[:n])), Client: client}, up)
	}
}

// upstream is the client's own socket towards the server.
func (p *Proxy) upstream(client netip.AddrPort) (*net.UDPConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if up := p.upstreams[client]; up != nil {
		return up, nil
	}
	if p.ctx.Err() != nil {
		return nil, p.ctx.Err()
	}
	if up := p.left; up != nil {
		p.left, p.upstreams[client], p.owners[up] = nil, up, client
		return up, nil
	}
	up, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.server))
	if err != nil {
		return nil, err
	}
	p.upstreams[client], p.owners[up] = up, client
	p.tasks.Go(func() { p.fromServer(up) })
	return up, nil
}

// carry asks the fault, writes the log and does what is to be done. Errors of
// sending are loss to both sides, as on a real path.
func (p *Proxy) carry(m Passage, up *net.UDPConn) {
	action := p.decide(m)
	onward := func(b []byte) { up.Write(b) }
	back := func(b []byte) { p.conn.WriteToUDPAddrPort(b, m.Client) }
	if !m.ToServer {
		onward, back = back, onward
	}
	if action.Reply != nil {
		back(action.Reply)
	}
	if action.Drop {
		return
	}
	if action.Delay == 0 && action.Hold == nil {
		onward(m.Data)
	} else {
		p.tasks.Go(func() { p.later(m.Data, action, onward) })
	}
	if action.Twice {
		onward(m.Data)
	}
}

func (p *Proxy) later(data []byte, action Action, onward func([]byte)) {
	if pause(p.ctx, action.Delay); action.Hold != nil {
		select {
		case <-action.Hold:
		case <-p.ctx.Done():
		}
	}
	if p.ctx.Err() == nil {
		onward(data)
	}
}

func (p *Proxy) decide(m Passage) Action {
	p.mu.Lock()
	defer p.mu.Unlock()
	action := p.fault(m)
	p.log = append(p.log, Record{At: time.Now(), Passage: m, Action: action})
	if action.Reply != nil {
		forged := Passage{Message: Decode(action.Reply), ToServer: !m.ToServer, Client: m.Client}
		p.log = append(p.log, Record{At: time.Now(), Passage: forged, Forged: true})
	}
	close(p.news)
	p.news = make(chan struct{})
	return action
}
