package main

import "slices"

// limit is what a server does not do. It counts only where the cell fails with
// what it shows.
type limit struct {
	row     string
	servers []string
	shows   string // what the failure's text contains
	why     string
}

var (
	coturns = []string{coturn, coturnNext}
	pions   = []string{pion}
	all     = []string{coturn, coturnNext, pion}
)

const (
	means  = "there are no means" // errNoMeans
	silent = "it does not answer a request for an allocation that it does not hold"
)

// limits are all that there are: facts about servers, none about us. A feature
// that no server has is proven by vectors, scripts and the server model.
var limits = []limit{
	{"authentication: SHA-256", all, "offers no SHA-256", "no server has RFC 8489's password algorithms"},
	{"authentication: USERHASH", all, "takes no USERHASH", "no server has RFC 8489's user hashes"},
	{"authentication: access token (OAuth)", pions, "420", "it does not know RFC 7635"},
	{"authentication: a new password", pions, "does not say 401", "it answers a wrong password 400, unsigned"},
	{"both families", []string{coturn, pion}, "one address is given", "it does not know ADDITIONAL-ADDRESS-FAMILY, or gives one address all the same"},
	{"DONT-FRAGMENT", pions, "420", "it refuses the attribute"},
	{"TCP relay: the success of ConnectionBind is signed", pions, "integrity violated", "it does not sign it; an option of ours takes it"},
	{"442: no TCP relay", pions, means, "it always relays TCP"},
	{"300 Try Alternate: followed", pions, means, "it sends nobody elsewhere"},
	{"300 Try Alternate: unsigned, not followed", pions, means, "it sends nobody elsewhere"},
	{"mobility: the allocation moves", pions, "gave no mobility ticket", "it does not know RFC 8016"},
	{"405 to mobility: allocated without", pions, "does not say 405", "it does not know RFC 8016"},
	{"400: ChannelBind after the server dropped all, the loss is noticed", pions, means, silent},
	{"400: ChannelBind after the server dropped all, the loss is noticed", []string{coturnNext}, "does not say 400", "it answers 437, as the RFC has it"},
	{"401: a wrong password", pions, "400", "it answers a wrong password 400, unsigned"},
	{"403: ChannelBind to a denied peer", pions, "401", "it answers 401, without a realm and a nonce"},
	{"420: allocated without what the server does not know", coturns, means, "it knows every attribute that we send"},
	{"437 to Refresh: the loss is noticed", pions, means, silent},
	{"437 to Refresh: allocated anew", pions, means, silent},
	{"440: no IPv6 there", pions, "508", "it answers 508"},
	{"441: another user's port", pions, means, silent},
	{"442: no UDP relay", pions, means, "it always relays UDP"},
	{"508: an unknown reservation, allocated without", []string{coturn}, "404", "it answers 404, which no RFC has"},
	{"508: an unknown reservation, allocated without", []string{coturnNext}, "unusable success response", "after the 508 its next success on that port has no address"},
}

// limitOf is the one that is listed for the cell, or nil.
func limitOf(row, server string) *limit {
	for i, l := range limits {
		if l.row == row && slices.Contains(l.servers, server) {
			return &limits[i]
		}
	}
	return nil
}
