package turntest

import "fmt"

// Fault is a way in which a Server treats one request badly.
type Fault uint8

const (
	// Healthy is no fault.
	Healthy Fault = iota
	// Deaf: the request is not even handled.
	Deaf
	// Mute: it is handled, and never answered.
	Mute
	// Late: it is answered late.
	Late
	// Stale: its nonce has just expired.
	Stale
	// Forget: the server has lost the allocation and every nonce of the 5-tuple.
	Forget
	// Refuse300, 400, 403, 441, 486, 500, 508: this error, whatever was asked.
	Refuse300
	Refuse400
	Refuse403
	Refuse441
	Refuse486
	Refuse500
	Refuse508
	// NoRelayed: a success to Allocate without XOR-RELAYED-ADDRESS.
	NoRelayed
	// NoLifetime: a success to Allocate or Refresh without LIFETIME.
	NoLifetime
	// StrangeAttribute: an unknown comprehension-required attribute.
	StrangeAttribute
	// WrongIntegrity, NoIntegrity: the response's MESSAGE-INTEGRITY.
	WrongIntegrity
	NoIntegrity
	// Keep: a release is answered with what is left of the lifetime.
	Keep
	// FaultCount is how many there are.
	FaultCount
)

var faultNames = [FaultCount]string{
	"healthy", "deaf", "mute", "late", "stale nonce", "forget", "refuse 300", "refuse 400",
	"refuse 403", "refuse 441", "refuse 486", "refuse 500", "refuse 508", "no relayed address",
	"no lifetime", "strange attribute", "wrong integrity", "no integrity", "keep",
}

func (f Fault) String() string {
	if f < FaultCount {
		return faultNames[f]
	}
	return fmt.Sprintf("fault-%d", uint8(f))
}

// refusals are the codes of the faults that refuse.
var refusals = map[Fault]int{
	Refuse300: 300, Refuse400: 400, Refuse403: 403, Refuse441: 441, Refuse486: 486,
	Refuse500: 500, Refuse508: 508,
}

// Rates are chances from 0 to 1, one a Fault.
type Rates [FaultCount]float64

type armedFault struct {
	method Method
	fault  Fault
}

// Arm makes the next request of a method meet a fault; several queue up.
func (s *Server) Arm(method Method, fault Fault) {
	s.armed = append(s.armed, armedFault{method, fault})
}

// fault chooses what befalls a request: what was armed, else by the dice.
func (s *Server) fault(m *Message) Fault {
	for i, a := range s.armed {
		if a.method == m.Method {
			s.armed = append(s.armed[:i:i], s.armed[i+1:]...)
			return a.fault
		}
	}
	roll := s.cfg.Rand.Float64()
	for f, rate := range s.cfg.Rates {
		if roll -= rate; roll < 0 {
			return Fault(f).on(m)
		}
	}
	return Healthy
}

// on is the fault itself where it makes sense, else Healthy.
func (f Fault) on(m *Message) Fault {
	if f.befalls(m) {
		return f
	}
	return Healthy
}

// befalls reports whether a fault makes sense for a request. Allocation errors
// befall Allocate alone; a release is not refused by a code that no server
// gives to one.
func (f Fault) befalls(m *Message) bool {
	release := m.isRelease()
	switch f {
	case Refuse300, Refuse486, NoRelayed:
		return m.Method == MethodAllocate
	case Refuse441:
		return m.Method != MethodAllocate && m.Signed()
	case Refuse403, Refuse508:
		return m.Method == MethodCreatePermission || m.Method == MethodChannelBind || m.Method == MethodAllocate
	case Refuse400:
		return !release
	case Keep:
		return release
	case NoLifetime:
		return m.Method == MethodAllocate || m.Method == MethodRefresh && !release
	case Stale, WrongIntegrity, NoIntegrity:
		return m.Signed()
	}
	return true
}

// isRelease reports whether the message asks for LIFETIME=0.
func (m *Message) isRelease() bool {
	lifetime, ok := m.Lifetime()
	return m.Method == MethodRefresh && m.Class == Request && ok && lifetime == 0
}
