package abi

import (
	"time"

	"github.com/pion/stun/v3"

	"github.com/turnwasm/turnwasm/client"
)

// What few clients ask for crosses, too.
var optionConfig = client.Config{
	Server: ipv4, Keepalive: 15 * time.Second, EvenPort: client.EvenPortReserve,
	ReservationToken: client.ReservationToken{1, 2, 3, 4, 5, 6, 7, 8}, DontFragment: true,
	MinRTO: 20 * time.Millisecond, RoundTrip: client.RoundTrip{Smoothed: 80500 * time.Microsecond, Variation: 40 * time.Millisecond},
}

var optionEvents = []client.Event{
	{Kind: client.PortReserved, ReservationToken: client.ReservationToken{8, 7, 6, 5, 4, 3, 2, 1}, Until: 30 * time.Second},
	{Kind: client.AddressRefused, Family: client.FamilyIPv6, Code: 440},
	{Kind: client.Allocated, Relayed: ipv4, Additional: ipv6, Mapped: ipv4, Lifetime: time.Minute},
	{Kind: client.Redirected, Method: stun.MethodAllocate, Peer: ipv6, Domain: "example.org", Signed: true},
	{Kind: client.OptionRefused, Code: 420, Signed: true},
}
