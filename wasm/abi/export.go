package abi

import "strings"

// ValueType is the type of a parameter or result of an export.
type ValueType string

const (
	I32 ValueType = "i32"
	F64 ValueType = "f64"
)

// Export is an exported function and its signature.
type Export struct {
	Name    string
	Params  []ValueType
	Results []ValueType
}

// Exports are all of them. A host checks them when it loads a module, so that
// a module of another make is refused with the name of the culprit instead of
// being called with the wrong arguments.
var Exports = []Export{
	{"turn_abi_version", nil, []ValueType{I32}},
	{"turn_memory", nil, []ValueType{I32}},
	{"turn_open", []ValueType{F64, I32}, []ValueType{I32}},
	{"turn_command", []ValueType{F64, I32, I32}, []ValueType{I32}},
	{"turn_flow", []ValueType{F64, I32, I32, I32}, []ValueType{I32}},
	{"turn_peer", []ValueType{I32, I32}, []ValueType{I32}},
	{"turn_input", []ValueType{F64, I32}, []ValueType{I32}},
	{"turn_send", []ValueType{F64, I32}, []ValueType{I32}},
	{"turn_poll", nil, []ValueType{I32}},
	{"turn_tick", []ValueType{F64}, []ValueType{F64}},
	{"turn_close", []ValueType{F64, I32, F64}, []ValueType{I32}},
	{"turn_state", []ValueType{I32}, []ValueType{I32}},
	{"turn_stats", []ValueType{I32}, []ValueType{I32}},
	{"turn_parting", []ValueType{F64, I32}, []ValueType{I32}},
	{"turn_free", []ValueType{I32}, []ValueType{I32}},
	{"turn_snapshot", []ValueType{F64, I32, I32, I32}, []ValueType{I32}},
	{"turn_restore", []ValueType{F64, F64, I32, I32}, []ValueType{I32}},
}

// Signature writes parameters and results as "(f64, i32) i32".
func Signature(params, results []ValueType) string {
	s := "(" + join(params) + ")"
	if len(results) > 0 {
		s += " " + join(results)
	}
	return s
}

func (e Export) String() string { return e.Name + Signature(e.Params, e.Results) }

func join(types []ValueType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
