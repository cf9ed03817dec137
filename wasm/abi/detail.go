package abi

import "strconv"

// detailed is an error with what is the matter behind its text. Package fmt,
// which does the same and more, would be a tenth of the module.
type detailed struct {
	err  error
	what string
}

func (e *detailed) Error() string { return e.err.Error() + ": " + e.what }
func (e *detailed) Unwrap() error { return e.err }

// Detail is err, and behind its text what is the matter.
func Detail(err error, what string) error { return &detailed{err, what} }

func itoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// bytesOf says how many.
func bytesOf(n int) string { return strconv.Itoa(n) + " bytes" }

// hexOf is the number in hexadecimal, of four digits at least.
func hexOf(n uint32) string {
	digits := strconv.FormatUint(uint64(n), 16)
	return "0x" + "0000"[min(len(digits), 4):] + digits
}
