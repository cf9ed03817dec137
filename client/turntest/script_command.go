package turntest

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// scriptCommand answers what the client answers; a script that is wrong fails
// by its words.
type scriptCommand func(r *scriptRunner, w *words) error

var scriptCommands map[string]scriptCommand

func init() {
	scriptCommands = map[string]scriptCommand{
		"new": doNew, "allocate": plainCommand(abi.CmdAllocate), "refresh": plainCommand(abi.CmdRefresh),
		"rebind": plainCommand(abi.CmdRebind),
		"permit": peerCommand(abi.CmdCreatePermission), "unpermit": peerCommand(abi.CmdRemovePermission),
		"bind": peerCommand(abi.CmdBindChannel), "unbind": peerCommand(abi.CmdUnbindChannel),
		"send": doSend, "setcredentials": doSetCredentials, "settoken": doSetToken, "connect": peerCommand(abi.CmdConnect), "accept": doAccept, "allocated": doAllocated, "recv": doRecv,
		"flowopened": flowCommand(abi.FlowOpened), "flowclosed": flowCommand(abi.FlowClosed),
		"patherror": flowCommand(abi.PathError),
		"advance":   doAdvance, "timeout": doTimeout, "close": doClose, "free": doFree,
		"state": doState, "roundtrip": doRoundTrip, "stats": doStats, "parting": doParting,
	}
}

const (
	scriptServer = "192.0.2.1:3478"
	scriptRealm  = "example.org"
)

func doNew(r *scriptRunner, w *words) error {
	c := &scriptClient{n: len(r.clients), channels: map[string]uint16{}}
	c.name, _ = w.named("name")
	c.cfg = scriptConfig(w)
	if w.err != nil {
		return w.err
	}
	c.passwords, c.usernames = []string{string(c.cfg.Password)}, []string{string(c.cfg.Username)}
	c.noteToken(c.cfg.Username, c.cfg.AccessToken)
	seed := [abi.SeedSize]byte{byte(c.n + 1)}
	if err := r.d.Open(r.now, c.cfg, seed); err != nil {
		r.current = nil
		return err
	}
	r.clients = append(r.clients, c)
	r.current = c
	return nil
}

func scriptConfig(w *words) client.Config {
	server, ok := w.named("server")
	if !ok {
		server = scriptServer
	}
	family, _ := w.named("family")
	return client.Config{
		Server:   w.addrPort(server),
		Username: w.text("user"), Password: w.text("password"), Software: string(w.text("software")),
		Family:    map[string]client.Family{"": 0, "ipv4": client.FamilyIPv4, "ipv6": client.FamilyIPv6, "both": client.FamilyBoth}[family],
		Transport: map[bool]client.Transport{true: client.TransportStream}[w.flag("stream")],
		Secured:   w.flag("secured"),
		Lifetime:  w.duration("lifetime"), RTO: w.duration("rto"), MinRTO: w.duration("minrto"), RoundTrip: w.roundTrip(), RefreshCap: w.duration("cap"),
		Rc: w.number("rc"), Rm: w.number("rm"),
		Fingerprint: w.flag("fingerprint"), AutoPermission: w.flag("autopermission"),
		Reclaim: w.flag("reclaim"), Reallocate: w.flag("reallocate"), Mobility: w.flag("mobility"),
		Anonymous: w.flag("anonymous"), AccessToken: w.text("token"),
		Keepalive: w.duration("keepalive"), EvenPort: client.EvenPort(w.number("evenport")),
		ReservationToken: w.reservation("reservation"), DontFragment: w.flag("dontfragment"),
		Relay: map[bool]client.Relay{true: client.RelayTCP}[w.flag("relaytcp")], UnsignedBind: w.flag("unsignedbind"),
	}
}

func plainCommand(cmd abi.Cmd) scriptCommand {
	return func(r *scriptRunner, _ *words) error {
		return r.d.Command(r.now, r.current.n, abi.Command{Cmd: cmd})
	}
}

func peerCommand(cmd abi.Cmd) scriptCommand {
	return func(r *scriptRunner, w *words) error {
		c := abi.Command{Cmd: cmd}
		for x, ok := w.next(); ok; x, ok = w.next() {
			c.Peers = append(c.Peers, w.addrPort(x.value))
		}
		if len(c.Peers) == 0 {
			w.fail("a peer is missing")
		}
		if w.err != nil {
			return w.err
		}
		return r.d.Command(r.now, r.current.n, c)
	}
}

func doSend(r *scriptRunner, w *words) error {
	peer := w.addrPort(w.plain("a peer"))
	payload := w.plain("a payload")
	if w.err != nil {
		return w.err
	}
	return r.d.Send(r.now, r.current.n, peer, []byte(payload))
}

func doSetCredentials(r *scriptRunner, w *words) error {
	c := abi.Command{Cmd: abi.CmdSetCredentials, Username: w.text("user"), Password: w.text("password")}
	r.current.passwords = append(r.current.passwords, string(c.Password))
	r.current.usernames = append(r.current.usernames, string(c.Username))
	return r.d.Command(r.now, r.current.n, c)
}

func doSetToken(r *scriptRunner, w *words) error {
	c := abi.Command{Cmd: abi.CmdSetToken, Username: w.text("user"), Password: w.text("password"), AccessToken: w.text("token")}
	r.current.passwords = append(r.current.passwords, string(c.Password))
	r.current.usernames = append(r.current.usernames, string(c.Username))
	r.current.noteToken(c.Username, c.AccessToken)
	return r.d.Command(r.now, r.current.n, c)
}

func doAccept(r *scriptRunner, w *words) error {
	id, err := strconv.ParseUint(w.plain("a connection"), 0, 32)
	w.note(err)
	return r.d.Command(r.now, r.current.n, abi.Command{Cmd: abi.CmdAcceptConnection, Connection: client.ConnectionID(id)})
}

// noteToken: the name is that of a token's key.
func (c *scriptClient) noteToken(kid, token []byte) {
	if len(token) > 0 {
		c.kids = append(c.kids, string(kid))
	}
}

// doAllocated is the whole exchange, for scripts that are about what follows.
func doAllocated(r *scriptRunner, w *words) error {
	lifetime, ok := w.named("lifetime")
	if !ok {
		lifetime = "600"
	}
	ticket := ""
	if v, ok := w.named("ticket"); ok {
		ticket = " ticket=" + v
	}
	relayed, ok := w.named("relayed")
	if !ok {
		relayed = "192.0.2.1:50000"
	}
	for _, line := range []string{
		"allocate",
		fmt.Sprintf("recv tx=%d error 401 realm=%s nonce=n1", len(r.order)+1, scriptRealm),
		fmt.Sprintf("recv tx=%d success relayed=%s mapped=203.0.113.9:4242 lifetime=%s%s integrity=ok", len(r.order)+2, relayed, lifetime, ticket),
	} {
		if err := r.run(r.current.prefix() + line); err != nil {
			w.note(err)
		}
	}
	return nil
}

func flowCommand(what int32) scriptCommand {
	return func(r *scriptRunner, w *words) error {
		flow, err := strconv.ParseUint(w.plain("a flow"), 10, 32)
		w.note(err)
		r.d.Flow(r.now, r.current.n, client.Flow(flow), what)
		return nil
	}
}

func doAdvance(r *scriptRunner, w *words) error {
	by, err := time.ParseDuration(w.plain("a duration"))
	w.note(err)
	w.note(r.advance(r.now + by))
	return nil
}

func doTimeout(r *scriptRunner, w *words) error {
	at, ok := r.nextWake()
	if !ok {
		w.fail("there is no deadline to wait for")
		return nil
	}
	w.note(r.advance(at))
	return nil
}

func doClose(r *scriptRunner, w *words) error {
	r.d.Close(r.now, r.current.n, w.duration("linger"))
	return nil
}

func doFree(r *scriptRunner, _ *words) error {
	r.d.Free(r.current.n)
	r.current.freed = true
	return nil
}

func doState(r *scriptRunner, _ *words) error {
	s, ok := r.state(r.current)
	if !ok {
		return errors.New("the client was freed")
	}
	line := "state " + s.Phase.String()
	for _, a := range []struct {
		name string
		addr netip.AddrPort
	}{{"relayed", s.Relayed}, {"additional", s.Additional}, {"mapped", s.Mapped}} {
		if a.addr.IsValid() {
			line += fmt.Sprintf(" %s=%v", a.name, a.addr)
		}
	}
	if s.Lifetime != 0 {
		line += fmt.Sprintf(" lifetime=%v", s.Lifetime)
	}
	r.print(r.current, line)
	return nil
}

// doRoundTrip prints what was measured and the RTO that comes of it.
func doRoundTrip(r *scriptRunner, _ *words) error {
	s, ok := r.state(r.current)
	if !ok {
		return errors.New("the client was freed")
	}
	r.print(r.current, fmt.Sprintf("roundtrip smoothed=%v variation=%v rto=%v", s.RoundTrip.Smoothed, s.RoundTrip.Variation, s.RTO))
	return nil
}

// doStats prints the counters that are not 0, without those of bytes.
func doStats(r *scriptRunner, _ *words) error {
	line := "stats"
	for _, c := range counted(r.d.Stats(r.current.n)) {
		if !strings.Contains(c, "Bytes=") {
			line += " " + c
		}
	}
	r.print(r.current, line)
	return nil
}

// counted are the counters that are not 0.
func counted(s client.Stats) (out []string) {
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if n := v.Field(i).Uint(); n != 0 {
			out = append(out, fmt.Sprintf("%s=%d", v.Type().Field(i).Name, n))
		}
	}
	return out
}

// counters are the lines at a script's end.
func (r *scriptRunner) counters() (lines []string) {
	for _, c := range r.clients {
		if c.freed {
			continue
		}
		if all := counted(r.d.Stats(c.n)); len(all) > 0 {
			lines = append(lines, scriptStats+c.prefix()+strings.Join(all, " "))
		}
	}
	return lines
}

func doParting(r *scriptRunner, w *words) error {
	datagram, until := r.d.Parting(r.now, r.current.n)
	if datagram == nil {
		r.print(r.current, "parting nothing owed")
		return nil
	}
	label, key, err := r.label(r.current, datagram)
	w.note(err)
	r.print(r.current, fmt.Sprintf("parting %s until=%v", DescribeLabelled(datagram, key, label), until-scriptStart))
	return nil
}
