package abi

import (
	"github.com/turnwasm/turnwasm/client"
)

// SeedSize is the length of AttrSeed's value.
const SeedSize = 32

// AppendConfig appends the config record of turn_open. Fields that have their
// default are left out. Config.Rand does not cross the boundary: the instance
// has a source of its own, unless seed, of SeedSize bytes, is given.
func AppendConfig(b []byte, cfg *client.Config, seed []byte) []byte {
	r := Record(b)
	r.Addr(AttrServer, cfg.Server)
	if len(cfg.Username) > 0 {
		r.Bytes(AttrUsername, cfg.Username)
	}
	if len(cfg.Password) > 0 {
		r.Bytes(AttrPassword, cfg.Password)
	}
	if len(cfg.AccessToken) > 0 {
		r.Bytes(AttrAccessToken, cfg.AccessToken)
	}
	if cfg.Family != client.FamilyDefault {
		r.U8(AttrFamily, uint8(cfg.Family))
	}
	if cfg.Software != "" {
		r.Text(AttrSoftware, cfg.Software)
	}
	appendTimes(&r, cfg)
	if cfg.Transport != client.TransportDatagram {
		r.U8(AttrTransport, uint8(cfg.Transport))
	}
	r.Flag(AttrSecured, cfg.Secured)
	r.Flag(AttrFingerprint, cfg.Fingerprint)
	r.Flag(AttrAutoPermission, cfg.AutoPermission)
	r.Flag(AttrReclaim, cfg.Reclaim)
	r.Flag(AttrReallocate, cfg.Reallocate)
	r.Flag(AttrAnonymous, cfg.Anonymous)
	r.Flag(AttrMobility, cfg.Mobility)
	appendOptions(&r, cfg)
	if len(seed) > 0 {
		r.Bytes(AttrSeed, seed)
	}
	return r
}

func appendTimes(r *Record, cfg *client.Config) {
	if cfg.Lifetime != 0 {
		r.Time(AttrLifetime, cfg.Lifetime)
	}
	if cfg.RTO != 0 {
		r.Time(AttrRTO, cfg.RTO)
	}
	if cfg.MinRTO != 0 {
		r.Time(AttrMinRTO, cfg.MinRTO)
	}
	appendRoundTrip(r, cfg.RoundTrip)
	if cfg.Rc != 0 {
		r.U32(AttrRc, uint32(cfg.Rc))
	}
	if cfg.Rm != 0 {
		r.U32(AttrRm, uint32(cfg.Rm))
	}
	if cfg.RefreshCap != 0 {
		r.Time(AttrRefreshCap, cfg.RefreshCap)
	}
}

// ParseConfig reads a config record. Username, Password and seed are parts of
// rec; seed is nil or of SeedSize bytes.
func ParseConfig(rec []byte) (cfg client.Config, seed []byte, err error) {
	r := reader{rest: rec}
	for a, ok := r.next(); ok; a, ok = r.next() {
		if a.t == AttrSeed {
			seed = a.value
			if len(seed) != SeedSize {
				r.fail(a, "a seed")
			}
			continue
		}
		configAttr(&r, a, &cfg)
	}
	if r.err == nil && !r.has(AttrServer) {
		r.err = Detail(ErrArgument, "the config has no server")
	}
	return cfg, seed, r.err
}

func configAttr(r *reader, a attribute, cfg *client.Config) {
	switch a.t {
	case AttrServer:
		cfg.Server = r.addr(a)
	case AttrUsername:
		cfg.Username = a.value
	case AttrPassword:
		cfg.Password = a.value
	case AttrAccessToken:
		cfg.AccessToken = a.value
	case AttrFamily:
		cfg.Family = client.Family(r.u8(a))
	case AttrLifetime:
		cfg.Lifetime = r.time(a)
	case AttrSoftware:
		cfg.Software = string(a.value)
	case AttrRTO:
		cfg.RTO = r.time(a)
	case AttrMinRTO:
		cfg.MinRTO = r.time(a)
	case AttrRoundTrip:
		cfg.RoundTrip = r.roundTrip(a)
	case AttrRc:
		cfg.Rc = r.count(a)
	case AttrRm:
		cfg.Rm = r.count(a)
	case AttrRefreshCap:
		cfg.RefreshCap = r.time(a)
	default:
		configFlag(r, a, cfg)
	}
}

func configFlag(r *reader, a attribute, cfg *client.Config) {
	switch a.t {
	case AttrFingerprint:
		cfg.Fingerprint = r.flag(a)
	case AttrAutoPermission:
		cfg.AutoPermission = r.flag(a)
	case AttrReclaim:
		cfg.Reclaim = r.flag(a)
	case AttrReallocate:
		cfg.Reallocate = r.flag(a)
	case AttrTransport:
		cfg.Transport = client.Transport(r.u8(a))
	case AttrSecured:
		cfg.Secured = r.flag(a)
	case AttrAnonymous:
		cfg.Anonymous = r.flag(a)
	case AttrMobility:
		cfg.Mobility = r.flag(a)
	default:
		configOption(r, a, cfg)
	}
}
