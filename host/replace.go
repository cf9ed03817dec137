package host

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/turnwasm/turnwasm/client"
)

// Replace makes a second allocation with other credentials, beside this one:
// make before break. It is for a new username, which a live allocation does not
// take up (RFC 8656 section 5); for a new password SetCredentials does.
//
// The new Conn is dialled with this one's Config to what its URL names, from
// another local port, and has the permissions and channels that this one has at
// the call. The relayed address is another: tell the peers, write to the new
// Conn, read what still comes to this one, and close this one when nothing does.
//
// An error leaves nothing behind and this Conn as it is. A peer that the new
// credentials may not have is one.
func (c *Conn) Replace(ctx context.Context, with Credentials) (*Conn, error) {
	cfg, peers, err := c.successor(with)
	if err != nil {
		return nil, c.opError("replace", netip.AddrPort{}, err)
	}
	next, err := c.rt.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := next.adopt(ctx, peers); err != nil {
		next.told.Store(true)
		next.beginClose(max(0, next.settings.Linger))
		return nil, next.opError("replace", netip.AddrPort{}, err)
	}
	return next, nil
}

// successor is the Config of the Conn that takes over, and what it takes over.
func (c *Conn) successor(with Credentials) (cfg Config, peers peerTable, err error) {
	err = c.driver.do(func() error {
		if c.stage >= stageShut {
			return c.closedError()
		}
		cfg = c.settings.Config
		peers = peerTable{maps.Clone(c.peers.permitted), maps.Clone(c.peers.channels)}
		if from := c.settings.local.Addr(); from.IsValid() {
			cfg.LocalAddr = from.String() // the port is in use
		}
		if from := c.move.from; from.IsValid() {
			cfg.LocalAddr = from.String()
		}
		return nil
	})
	cfg.Username, cfg.Password, cfg.AccessToken = with.Username, with.Password, with.AccessToken
	cfg.Expires = with.Expires
	cfg.trail = nil                                  // those were told of
	cfg.ReservationToken = client.ReservationToken{} // it is used up
	if cfg.Software == "" {
		cfg.Software = "-" // check has made this of it
	}
	return cfg, peers, err
}

// adopted is how many permissions are asked for at once, and how many channels.
const adopted = 16

// adopt asks for permissions and channels. The channels' permissions come with
// them, so that they are refreshed as before.
func (c *Conn) adopt(ctx context.Context, peers peerTable) error {
	all := slices.Collect(maps.Keys(peers.permitted))
	for some := range slices.Chunk(all, adopted) {
		if err := c.CreatePermission(ctx, some...); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(slices.Collect(maps.Keys(peers.channels)), adopted) {
		if err := c.bindAll(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) bindAll(ctx context.Context, peers []netip.AddrPort) error {
	errs := make([]error, len(peers))
	var wg sync.WaitGroup
	for i, peer := range peers {
		wg.Go(func() { errs[i] = c.BindChannel(ctx, peer) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
