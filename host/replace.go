package host

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// Replace allocates anew for another user, on the same server, from another local
// port, with the permissions and channels that this Conn has. It goes on
// meanwhile, and is Closed by the caller when peers know the new relayed address:
// make before break. For
//
//	"All requests after the initial Allocate must use the same username as that
//	used to create the allocation to prevent attackers from hijacking the
//	client's allocation."
//
// https://www.rfc-editor.org/rfc/rfc8656#section-5
//
// so that SetCredentials cannot do it. A peer that is refused now is an event of
// the new Conn, and no error.
func (c *Conn) Replace(ctx context.Context, username, password string) (*Conn, error) {
	if c.isClosing() {
		return nil, c.closedError()
	}
	cfg := c.settings.Config
	cfg.Username, cfg.Password, cfg.AccessToken = username, password, nil
	if local := c.settings.local.Addr(); cfg.LocalAddr != "" {
		cfg.LocalAddr = ""
		if local.IsValid() {
			cfg.LocalAddr = local.String()
		}
	}
	next, err := c.rt.dialAt(ctx, cfg, c.server)
	if err != nil {
		return nil, err
	}
	if err := next.takeOver(ctx, c); err != nil {
		next.beginClose(max(0, next.settings.Linger))
		return nil, err
	}
	return next, nil
}

// takeOver asks for what the old one has.
func (c *Conn) takeOver(ctx context.Context, old *Conn) error {
	old.driver.mu.Lock()
	addrs := slices.Collect(maps.Keys(old.peers.permitted))
	channels := slices.Collect(maps.Keys(old.peers.channels))
	old.driver.mu.Unlock()
	var errs []error
	if len(addrs) > 0 {
		errs = append(errs, c.CreatePermission(ctx, addrs...))
	}
	for _, peer := range channels {
		errs = append(errs, c.BindChannel(ctx, peer))
	}
	return errors.Join(slices.DeleteFunc(errs, refused)...)
}

// refused: the server has refused a peer.
func refused(err error) bool {
	why, is := errors.AsType[*RequestError](err)
	return is && why.Code != 0
}
