package turntest

import (
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// C5: NEVER pipeline a release behind the signed Allocate; C6: a Refresh in
// flight is waited for first. Both are about a Close that lingers.
func (a *actor) checkPipelined(s *step) {
	if s.kind != stepClose || s.linger == 0 || s.state != closeAuthenticated && s.state != closeRefreshing {
		return
	}
	const justSent = 50 * time.Millisecond
	flight := map[closeState]*sentRequest{closeAuthenticated: s.allocate, closeRefreshing: s.last}[s.state]
	if s.state == closeRefreshing && a.w.now-flight.lastSent > justSent || flight.disturbed || s.overdue(a) {
		return
	}
	if s.releases() {
		rule := map[closeState]string{closeAuthenticated: "C5", closeRefreshing: "C6"}[s.state]
		a.w.violate(a, rule, "Close sends the release while tx=%s, a %v, is in flight", flight.ID.String()[:8], flight.Method)
	}
}

// C7: 438 to the release: sign again with the new nonce, at most 3 times.
func (a *actor) checkResigned(s *step) {
	const most = 1 + 3
	j := s.judged
	if s.kind != stepInput || s.before.phase != client.PhaseClosing || j.request == nil {
		return
	}
	code, _ := j.message.ErrorCode()
	if code != 438 {
		return
	}
	if s.releases() {
		a.checkNewNonce(s)
		return
	}
	if !j.request.Signed() && a.signed { // A10: the 438 to it is held
		return
	}
	if j.elsewhere || j.again || s.overdue(a) || a.ledger.releases >= most {
		return
	}
	nonce := j.message.Text(AttrNonce)
	if !j.request.isRelease() || j.request != s.last || nonce == "" || nonce == j.request.Text(AttrNonce) {
		return
	}
	if weakens(j.message, j.request.Message) || !j.message.Has(AttrRealm) || len(j.message.Unknown()) > 0 || s.after.phase == client.PhaseClosed {
		return
	}
	a.w.violate(a, "C7", "438 to the release, with nonce %s: it is not signed again", nonce)
}

// checkNewNonce: the release that answers a 438 to the last one carries its nonce.
func (a *actor) checkNewNonce(s *step) {
	nonce := s.judged.message.Text(AttrNonce)
	if s.judged.request != s.last || !s.judged.request.isRelease() {
		return
	}
	for _, t := range s.sent {
		if m, err := Decode(t.Data); err == nil && m.isRelease() && m.Text(AttrNonce) != nonce {
			a.w.violate(a, "C7", "438 to the release, with nonce %s: signed again with nonce %s", nonce, m.Text(AttrNonce))
		}
	}
}

// C9: unconfirmed is said when a release was sent, abandoned when none was.
// C8: released is said when the server has said so in a valid answer, and then
// it is said.
func (a *actor) checkVerdict(e client.Event) {
	last := a.ledger.last
	sent := a.closing.released
	switch {
	case e.Outcome == client.Unconfirmed && !sent && !a.closing.reclaims:
		a.w.violate(a, "C9", "Closed{unconfirmed} (%s), and no release was sent", e.Reason)
	case e.Outcome == client.Abandoned && sent:
		a.w.violate(a, "C9", "Closed{abandoned} (%s), and a release was sent", e.Reason)
	case e.Outcome == client.Released && a.ledger.verdict == nil:
		a.w.violate(a, "C8", "Closed{released}, and no valid answer said that nothing is held")
	case e.Outcome == client.Unconfirmed && last != nil && last.isRelease() && last.settled:
		a.w.violate(a, "C8", "the release was answered by a valid verdict, and Closed says unconfirmed (%s)", e.Reason)
	}
}
