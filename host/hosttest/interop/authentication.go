package main

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/pion/turn/v5"
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

var authenticationRows = []row{
	{name: "authentication: MD5, SHA-1", use: signed},
	{name: "authentication: SHA-256", use: signedBySHA256},
	{name: "authentication: USERHASH", change: func(cfg *host.Config) { cfg.Anonymous = true }},
	{name: "authentication: access token (OAuth)", prepare: withToken, use: anotherToken},
	{name: "authentication: secret (TURN REST)", flags: []string{"--use-auth-secret", "--static-auth-secret=" + secret}, pion: ht.PionOptions{Secret: secret}, prepare: withSecret},
	{name: "authentication: a new password", use: newPassword},
}

func signed(ctx context.Context, c *cell) error {
	if !c.seen(func(r ht.Record) bool { return ht.IsSignedAllocate(r.Passage) }) {
		return errors.New("nothing was signed")
	}
	return echoed(ctx, c)
}

func signedBySHA256(ctx context.Context, c *cell) error {
	if !c.seen(func(r ht.Record) bool { return ht.IsAllocate(r.Passage) && r.SHA256 }) {
		return errors.New("the server offers no SHA-256")
	}
	return echoed(ctx, c)
}

// withToken makes a key that coturn shares with whoever hands out tokens.
func withToken(ctx context.Context, c *cell) (err error) {
	shared := make([]byte, 32)
	rand.Read(shared)
	c.token = func() (token, key []byte, err error) { return ht.NewToken(shared) }
	token, key, err := c.token()
	if err != nil {
		return err
	}
	c.config.Username, c.config.Password, c.config.AccessToken = ht.TokenKid, string(ht.CoturnTokenKey(key)), token
	if c.column.server.name != pion {
		c.flags, err = ht.TokenFlags(ctx, c.dir, shared)
	}
	return err
}

// anotherToken takes the place of the first one while the allocation lives.
func anotherToken(ctx context.Context, c *cell) error {
	if err := echoed(ctx, c); err != nil {
		return err
	}
	token, key, err := c.token()
	if err != nil {
		return err
	}
	if err := c.conn.SetToken(ht.TokenKid, ht.CoturnTokenKey(key), token); err != nil {
		return err
	}
	return c.conn.Refresh(ctx)
}

const secret = "between the server and those who hand out credentials"

func withSecret(_ context.Context, c *cell) (err error) {
	c.config.Username, c.config.Password, err = turn.GenerateLongTermTURNRESTCredentials(secret, "alice", time.Hour)
	return err
}

// newPassword: while the allocation lives a wrong password is refused, and the
// right one, given afterwards, goes on.
func newPassword(ctx context.Context, c *cell) error {
	if err := c.conn.SetCredentials(ht.Username, "another"); err != nil {
		return err
	}
	if err := c.conn.Refresh(ctx); err == nil {
		return errors.New("a wrong password refreshes")
	}
	if !c.answered(ht.RefreshRequest, 401) {
		return errors.New("the server does not say 401 to a wrong password")
	}
	if _, err := c.event(ctx, client.CredentialsExpired); err != nil {
		return err
	}
	if err := c.conn.SetCredentials(ht.Username, ht.Password); err != nil {
		return err
	}
	if err := c.conn.Refresh(ctx); err != nil {
		return err
	}
	return echoed(ctx, c)
}
