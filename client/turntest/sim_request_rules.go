package turntest

import (
	"bytes"
	"slices"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// checkResendsCome is the other half of T1: "A client SHOULD retransmit a STUN
// request message starting with an interval of RTO". A request that nothing has
// answered or overtaken is sent again when its time has come, whatever became
// of the requests beside it.
// https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
func (a *actor) checkResendsCome(s *step) {
	l := &a.ledger
	if s.kind == stepClose && s.state < closeClosing {
		l.overtake(func(r *sentRequest) bool { return r.Method != MethodAllocate && r.firstSent < a.w.now })
	}
	blind := s.after.phase != client.PhaseClosing // such a release is sent once
	l.pending = slices.DeleteFunc(l.pending, func(r *sentRequest) bool {
		return r.disturbed || blind && r.isRelease()
	})
	for _, r := range l.pending {
		due := r.lastSent + r.rto<<(r.copies-1)
		if r.copies < a.copiesAllowed() && a.w.now > due+a.w.plan.jitter {
			a.w.violate(a, "T1", "tx=%s, a %v, was due again at %v after %d copies, and nothing has ended it",
				r.ID.String()[:8], r.Method, due, r.copies)
		}
	}
}

// checkOutstanding is T5: "a client SHOULD limit itself to ten outstanding
// transactions to the same server". A release waits for nobody.
// https://www.rfc-editor.org/rfc/rfc8489#section-6.2
func (a *actor) checkOutstanding() {
	const most = 10
	if a.plan.cfg.Transport == client.TransportStream {
		return // it ends otherwise there (T2)
	}
	n := 0
	for _, r := range a.ledger.pending {
		if !r.isRelease() && a.w.now < r.lastSent+a.patience(r) {
			n++
		}
	}
	if n > most {
		a.w.violate(a, "T5", "%d requests are outstanding", n)
	}
	if n == most {
		a.w.report.Counters.add("ten outstanding")
	}
}

// patience is how long an answer to the last copy is waited for (T1).
func (a *actor) patience(r *sentRequest) time.Duration {
	rm := a.plan.cfg.Rm
	if rm == 0 {
		rm = 16
	}
	if r.copies >= a.copiesAllowed() {
		return r.rto * time.Duration(rm)
	}
	return r.rto << (r.copies - 1)
}

// overtake forgets the pending requests that the client has turned away from.
func (l *ledger) overtake(these func(r *sentRequest) bool) {
	l.pending = slices.DeleteFunc(l.pending, these)
}

func anyRequest(*sentRequest) bool { return true }

// await expects further copies of a new request. A release overtakes what is
// under way beside it.
func (l *ledger) await(r *sentRequest) {
	if r.isRelease() {
		l.overtake(anyRequest)
	}
	l.pending = append(l.pending, r)
}

// checkPassword is A6: a new password for the same username signs the next
// transaction. One that had been asked for before may have waited for its turn.
func (a *actor) checkPassword(r *sentRequest) {
	const patience = 10 * time.Second
	if r.copies > 1 || r.key == nil {
		return
	}
	newest, ok := a.newestPassword(a.userOf(r.Message))
	if !ok || a.w.now <= newest.at+patience {
		return
	}
	if !bytes.Equal(r.key, r.KeyOf(newest.username, newest.password)) {
		a.w.violate(a, "A6", "a new %v is signed with a password that was replaced at %v", r.Method, newest.at)
	}
}

// newestPassword is what the machine last accepted for a username.
func (a *actor) newestPassword(username string) (credential, bool) {
	for _, c := range slices.Backward(a.passwords) {
		if c.username == username && !c.refused {
			return c, true
		}
	}
	return credential{}, false
}

// userOf is the username of a request, of those that the owner gave.
func (a *actor) userOf(m *Message) string {
	for _, c := range a.passwords {
		if m.By(c.username) {
			return c.username
		}
	}
	return m.Text(AttrUsername)
}
