package bridge

import (
	"net/http"
)

// ServeHTTP takes the CONNECT of a session, and stays until the session's
// socket is closed.
func (b *Bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(connectionKey{}).(*connection)
	if status, reason := b.turnAway(c, r); status != 0 {
		b.meters.refuse(reason)
		b.log.Info("request refused", "from", r.RemoteAddr, "status", status, "reason", reason)
		http.Error(w, reason, status)
		return
	}
	connect := &connectStream{responseWriter: w.(responseWriter)} // http3's own
	wt, err := b.wt.Upgrade(connect, r)
	if err != nil {
		b.meters.refuse("upgrade")
		b.log.Info("session refused", "from", r.RemoteAddr, "reason", "upgrade", "error", err)
		http.Error(w, "no WebTransport session", http.StatusBadRequest)
		connect.Flush()
		c.leave(&ending{}) // it was used: nobody else closes it
		return
	}
	s := b.newSession(wt, c, connect)
	if end := b.admit(s, r); end != nil {
		b.meters.refuse(end.code.String())
		s.log.Info("session refused", "reason", end.code.String())
		s.refuse(end)
		return
	}
	defer b.sockets.give(c.who)
	s.run()
}

// turnAway is what can be told by a status alone.
func (b *Bridge) turnAway(c *connection, r *http.Request) (status int, reason string) {
	switch {
	case r.URL.Path != Path:
		return http.StatusNotFound, "path"
	case r.Method != http.MethodConnect || r.Proto == "HTTP/3.0":
		return http.StatusMethodNotAllowed, "method"
	case !b.origins.allow(r):
		return http.StatusForbidden, "origin"
	case c == nil || c.used.Swap(true):
		return http.StatusMisdirectedRequest, "second_session"
	}
	return 0, ""
}

// admit takes a session in, or says why not. With nil a socket is taken.
func (b *Bridge) admit(s *session, r *http.Request) *ending {
	if b.isDraining() {
		return endOf(CodeGoingAway, "the bridge stops")
	}
	if !b.token.allow(r) {
		return endOf(CodeToken, "the token is missing or wrong")
	}
	named := r.URL.Query().Get("server")
	var found bool
	if s.target, found = b.targets.find(named); !found {
		return endOf(CodeServer, "%.100q is not a TURN server of this bridge's", named)
	}
	switch b.sockets.take(s.connection.who) {
	case CodeSessionLimit:
		return endOf(CodeSessionLimit, "the bridge has its %d sessions", b.limits.Sessions)
	case CodeAddressLimit:
		return endOf(CodeAddressLimit, "your address has its %d sessions", b.limits.SessionsPerAddress)
	}
	return nil
}

func (b *Bridge) isDraining() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.draining
}
