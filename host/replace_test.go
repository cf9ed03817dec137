package host_test

import (
	"errors"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// A6: the credentials of a REST secret run out; those that follow have another
// username, and serve an allocation of their own beside the first.
func TestA06Replace(t *testing.T) {
	const secret = "between the two of us"
	servers := map[string]hosttest.Server{
		"coturn": hosttest.NeedCoturn(t, "--use-auth-secret", "--static-auth-secret="+secret),
		"pion":   hosttest.NeedPion(t, hosttest.PionOptions{Secret: secret}),
	}
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) { replaces(t, rt, server, secret) })
		})
	}
}

func replaces(t *testing.T, rt *host.Runtime, server hosttest.Server, secret string) {
	echo := hosttest.NeedEcho(t)
	cfg := config(server.Addr())
	cfg.Username, cfg.Password = host.RESTCredentials(secret, "alice", time.Now().Add(time.Minute))
	old := dial(t, rt, cfg)
	if err := errors.Join(old.CreatePermission(soon(t), echo.Addr().Addr()), old.BindChannel(soon(t), echo.Addr())); err != nil {
		t.Fatal(err)
	}
	user, password := host.RESTCredentials(secret, "alice", time.Now().Add(time.Hour))
	next, err := old.Replace(soon(t), user, password)
	if err != nil {
		t.Fatal(err)
	}
	if next.Relayed() == old.Relayed() || next.Local() == old.Local() {
		t.Errorf("%v from %v, and %v from %v", old.Relayed(), old.Local(), next.Relayed(), next.Local())
	}
	wantEcho(t, old, echo.Addr(), "the old one goes on")
	wantEvents(t, next, client.Allocated, client.PermissionCreated, client.ChannelBound)
	wantEcho(t, next, echo.Addr(), "the new one serves")
	wantClosed(t, old, 5*time.Second, client.Released)
	wantEcho(t, next, echo.Addr(), "and goes on alone")
	if _, err := old.Replace(soon(t), user, password); err == nil {
		t.Error("a closed Conn is replaced")
	}
	_, wrong := host.RESTCredentials("another", "alice", time.Now().Add(time.Hour))
	_, err = next.Replace(soon(t), user, wrong)
	if why, is := errors.AsType[*host.RequestError](err); !is || why.Code < 400 || why.Code > 401 {
		t.Errorf("with a wrong password: %v", err)
	}
	wantClosed(t, next, 5*time.Second, client.Released)
	wantHeld(t, server, 0)
}

const restPassword = "Cd/49soE35ICqcJF/bCTn8Z4OyE=" // of openssl

func TestRESTCredentials(t *testing.T) {
	// printf '1700000000:alice' | openssl dgst -sha1 -hmac north -binary | base64
	user, password := host.RESTCredentials("north", "alice", time.Unix(1700000000, 0))
	if user != "1700000000:alice" || password != restPassword {
		t.Errorf("%s %s", user, password)
	}
	if user, _ := host.RESTCredentials("north", "", time.Unix(1700000000, 0)); user != "1700000000" {
		t.Error(user)
	}
}
