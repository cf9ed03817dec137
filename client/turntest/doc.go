// Package turntest is what the client is tested against: a codec of its own, a
// scripted TURN server, a simulated network, and a simulation that drives many
// clients through all three and checks the rules of every run after each step.
//
// Nothing here shares code with the client: the codec is written from RFC 8489
// and RFC 8656 with the standard library alone, and the server from the server
// sections of RFC 8656. So a mistake that client and test make together has to
// be made twice.
//
//   - [Decode], [Build], [Describe]: datagrams in and out of readable form.
//   - [Server]: a sans-IO TURN server with the habits of coturn and pion/turn,
//     and with faults that real servers have on bad days.
//   - [Network]: loses, duplicates, delays and reorders datagrams, rebinds NATs.
//   - [Forger]: an attacker off the path.
//   - [Run]: one simulated world from one seed.
//
// Time is a duration since an instant that nobody names, as it is for the
// client; entropy is a seed. The same seed gives the same run, byte for byte.
package turntest
