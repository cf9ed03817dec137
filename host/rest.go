package host

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"time"
)

// RESTCredentials makes the username and password that a server takes until the
// instant, which has the secret: what is called the TURN REST API, in coturn
// use-auth-secret. user says who it is for; it may be empty, and has no colon.
//
//	username = the instant in seconds since 1970 ":" user
//	password = base64(HMAC-SHA1(secret, username))
//
// https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00#section-2.2
//
// A server refuses whoever comes after it, a Refresh, too: have the next ones in
// time, see Conn.Replace.
func RESTCredentials(secret, user string, until time.Time) (username, password string) {
	username = strconv.FormatInt(until.Unix(), 10)
	if user != "" {
		username += ":" + user
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return username, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
