package turntest

import "testing"

// A token serves once, and 30 seconds: the server model, by itself.
func TestServerReservation(t *testing.T) {
	s := NewServer(ServerConfig{Addr: serverAddr})
	held := func(at int, even, token []byte) *Message {
		from := clientAddr
		b := Build(MethodAllocate, Request, TransactionID{byte(at)}).Transport(17)
		if even != nil {
			b.Bytes(AttrEvenPort, even)
		}
		if token != nil {
			b.Bytes(AttrReservationToken, token)
			from = peerAddr
		}
		s.Handle(0, serverAddr, from, b.Datagram())
		out, ok := s.Poll()
		if !ok {
			t.Fatal("no answer")
		}
		m, err := Decode(out.Data)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := held(1, []byte{0x80}, nil)
	token, ok := first.Get(AttrReservationToken)
	even, _ := first.Address(AttrXORRelayedAddress)
	if !ok || even.Port()%2 != 0 {
		t.Fatalf("no token, or %v is odd", even)
	}
	next, _ := held(2, nil, token).Address(AttrXORRelayedAddress)
	if next.Port() != even.Port()+1 {
		t.Errorf("the token was good for %v, the first address is %v", next, even)
	}
	if held(3, nil, token).Class != Failure {
		t.Error("a token serves twice")
	}
}
