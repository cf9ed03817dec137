package bridge

import (
	"encoding/binary"
	"io"
	"time"
)

// serveControl is the control stream, both ways.
func (s *session) serveControl() {
	buf := make([]byte, maxControl)
	s.serveStream(streamControl, s.control, func(r io.Reader) error {
		kind, value, err := readControl(r, buf)
		if err == nil {
			s.obey(kind, value)
		}
		return err
	})
}

// obey takes a control frame.
func (s *session) obey(kind byte, value []byte) {
	if !s.up.take(len(value)) && s.up.flooded() {
		s.fail(CodeFlood, "too many control frames")
	}
	if kind == frameDeposit {
		s.control.put(s.keep(value))
	}
}

// keep takes a deposit and answers it.
func (s *session) keep(value []byte) (answer []byte) {
	err := s.deposit.put(value, time.Now())
	result := "accepted"
	switch {
	case err != nil:
		result = "refused"
	case len(value) == 0:
		result = "withdrawn"
	}
	s.bridge.meters.deposits.WithLabelValues(result).Inc()
	if err != nil {
		return controlFrame(frameDepositRefused, []byte(err.Error()))
	}
	return controlFrame(frameDeposited, nil)
}

// goingAway tells the page to release.
func (s *session) goingAway(grace time.Duration) {
	value := binary.BigEndian.AppendUint32(nil, uint32(grace.Milliseconds()))
	s.control.offer(controlFrame(frameGoingAway, value))
}
