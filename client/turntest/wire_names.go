package turntest

import "fmt"

// Method is what a STUN message is about.
type Method uint16

// The methods of RFC 8489, RFC 8656 and RFC 6062.
const (
	MethodBinding           Method = 0x001
	MethodAllocate          Method = 0x003
	MethodRefresh           Method = 0x004
	MethodSend              Method = 0x006
	MethodData              Method = 0x007
	MethodCreatePermission  Method = 0x008
	MethodChannelBind       Method = 0x009
	MethodConnect           Method = 0x00A
	MethodConnectionBind    Method = 0x00B
	MethodConnectionAttempt Method = 0x00C
)

var methodNames = map[Method]string{
	MethodBinding: "Binding", MethodAllocate: "Allocate", MethodRefresh: "Refresh",
	MethodSend: "Send", MethodData: "Data", MethodCreatePermission: "CreatePermission",
	MethodChannelBind: "ChannelBind", MethodConnect: "Connect",
	MethodConnectionBind: "ConnectionBind", MethodConnectionAttempt: "ConnectionAttempt",
}

func (m Method) String() string {
	if s, ok := methodNames[m]; ok {
		return s
	}
	return fmt.Sprintf("method-0x%03x", uint16(m))
}

// MethodByName is the inverse of String, for scripts.
func MethodByName(name string) (Method, bool) {
	for m, s := range methodNames {
		if s == name {
			return m, true
		}
	}
	return 0, false
}

// Class is a message's part in a transaction.
type Class uint8

// The four classes of RFC 8489.
const (
	Request    Class = 0
	Indication Class = 1
	Success    Class = 2
	Failure    Class = 3 // an error response
)

func (c Class) String() string {
	return [...]string{"request", "indication", "success", "error"}[c&3]
}

// AttributeType is an attribute's number. Below 0x8000 it must be understood.
type AttributeType uint16

// The attributes of RFC 8489, RFC 8656 and its family.
const (
	AttrMappedAddress          AttributeType = 0x0001
	AttrUsername               AttributeType = 0x0006
	AttrMessageIntegrity       AttributeType = 0x0008
	AttrErrorCode              AttributeType = 0x0009
	AttrUnknownAttributes      AttributeType = 0x000A
	AttrChannelNumber          AttributeType = 0x000C
	AttrLifetime               AttributeType = 0x000D
	AttrXORPeerAddress         AttributeType = 0x0012
	AttrData                   AttributeType = 0x0013
	AttrRealm                  AttributeType = 0x0014
	AttrNonce                  AttributeType = 0x0015
	AttrXORRelayedAddress      AttributeType = 0x0016
	AttrRequestedAddressFamily AttributeType = 0x0017
	AttrEvenPort               AttributeType = 0x0018
	AttrRequestedTransport     AttributeType = 0x0019
	AttrDontFragment           AttributeType = 0x001A
	AttrAccessToken            AttributeType = 0x001B
	AttrMessageIntegritySHA256 AttributeType = 0x001C
	AttrPasswordAlgorithm      AttributeType = 0x001D
	AttrUserhash               AttributeType = 0x001E
	AttrXORMappedAddress       AttributeType = 0x0020
	AttrReservationToken       AttributeType = 0x0022
	AttrConnectionID           AttributeType = 0x002A
	AttrAdditionalFamily       AttributeType = 0x8000
	AttrAddressErrorCode       AttributeType = 0x8001
	AttrPasswordAlgorithms     AttributeType = 0x8002
	AttrAlternateDomain        AttributeType = 0x8003
	AttrICMP                   AttributeType = 0x8004
	AttrSoftware               AttributeType = 0x8022
	AttrAlternateServer        AttributeType = 0x8023
	AttrFingerprint            AttributeType = 0x8028
	AttrThirdPartyAuth         AttributeType = 0x802E
	AttrMobilityTicket         AttributeType = 0x8030
)

var attributeNames = map[AttributeType]string{
	AttrMappedAddress: "MAPPED-ADDRESS", AttrUsername: "USERNAME",
	AttrMessageIntegrity: "MESSAGE-INTEGRITY", AttrErrorCode: "ERROR-CODE",
	AttrUnknownAttributes: "UNKNOWN-ATTRIBUTES", AttrChannelNumber: "CHANNEL-NUMBER",
	AttrLifetime: "LIFETIME", AttrXORPeerAddress: "XOR-PEER-ADDRESS", AttrData: "DATA",
	AttrRealm: "REALM", AttrNonce: "NONCE", AttrXORRelayedAddress: "XOR-RELAYED-ADDRESS",
	AttrRequestedAddressFamily: "REQUESTED-ADDRESS-FAMILY", AttrEvenPort: "EVEN-PORT",
	AttrRequestedTransport: "REQUESTED-TRANSPORT", AttrDontFragment: "DONT-FRAGMENT",
	AttrAccessToken: "ACCESS-TOKEN", AttrMessageIntegritySHA256: "MESSAGE-INTEGRITY-SHA256",
	AttrPasswordAlgorithm: "PASSWORD-ALGORITHM", AttrUserhash: "USERHASH",
	AttrXORMappedAddress: "XOR-MAPPED-ADDRESS", AttrReservationToken: "RESERVATION-TOKEN",
	AttrConnectionID: "CONNECTION-ID", AttrAdditionalFamily: "ADDITIONAL-ADDRESS-FAMILY",
	AttrAddressErrorCode: "ADDRESS-ERROR-CODE", AttrPasswordAlgorithms: "PASSWORD-ALGORITHMS",
	AttrAlternateDomain: "ALTERNATE-DOMAIN", AttrICMP: "ICMP", AttrSoftware: "SOFTWARE",
	AttrAlternateServer: "ALTERNATE-SERVER", AttrFingerprint: "FINGERPRINT",
	AttrThirdPartyAuth: "THIRD-PARTY-AUTHORIZATION", AttrMobilityTicket: "MOBILITY-TICKET",
}

func (t AttributeType) String() string {
	if s, ok := attributeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("attribute-0x%04x", uint16(t))
}

// AttributeByName is the inverse of String, for scripts.
func AttributeByName(name string) (AttributeType, bool) {
	for t, s := range attributeNames {
		if s == name {
			return t, true
		}
	}
	return 0, false
}
