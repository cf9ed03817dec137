package host

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Credentials are what Config has of the same names.
type Credentials struct {
	Username, Password string
	AccessToken        []byte
	Expires            time.Time
}

// TimeLimited makes the credentials that a server with the shared secret takes
// until then: coturn's --use-auth-secret, and others' "TURN REST API". name may
// be empty. It is for those who have the secret, which a client has not.
//
// "username: ... a colon-delimited combination of the expiration timestamp and
// the username parameter from the request (if specified).
// password: ... computed from the secret key shared with the TURN server and the
// returned username value, by performing base64(hmac(secret key, returned username))."
// https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00#section-2.2
func TimeLimited(secret []byte, name string, until time.Time) Credentials {
	username := strconv.FormatInt(until.Unix(), 10)
	if name != "" {
		username += ":" + name
	}
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return Credentials{Username: username, Password: base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

// latestExpiry is 9999-12-31: what is beyond is no time.
const latestExpiry = 253402300799

// Expiry is Expires, or what the username of TimeLimited says; false when that
// is none.
func (c Credentials) Expiry() (until time.Time, says bool) {
	if !c.Expires.IsZero() {
		return c.Expires, true
	}
	stamp, _, _ := strings.Cut(c.Username, ":")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || seconds <= 0 || seconds > latestExpiry {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0), true
}
