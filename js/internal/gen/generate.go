package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"go/ast"
	"reflect"
	"strings"
	"unicode"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

const head = `// Generated from wasm/abi, client and host by js/internal/gen ("make gen"). Do not edit.

`

// writer collects the file; the first error stays.
type writer struct {
	bytes.Buffer
	err error
}

func generate() ([]byte, error) {
	w := &writer{}
	w.WriteString(head)
	w.abi()
	w.client()
	w.host()
	return w.Bytes(), w.err
}

func (w *writer) load(dir string) *source {
	s, err := load(dir)
	if err != nil && w.err == nil {
		w.err = err
	}
	if s == nil {
		s = &source{}
	}
	return s
}

func (w *writer) abi() {
	s := w.load("wasm/abi")
	if w.err != nil {
		return
	}
	fmt.Fprintf(w, "export const VERSION = %d\nexport const MAGIC = %#x\n", abi.Version, abi.Magic)
	fmt.Fprintf(w, "export const HEADER_SIZE = %d\nexport const DESC_SIZE = %d\n", abi.HeaderSize, abi.DescSize)
	fmt.Fprintf(w, "export const HEADROOM = %d\nexport const TAILROOM = %d\nexport const SEED_SIZE = %d\n\n", abi.Headroom, abi.Tailroom, abi.SeedSize)
	w.numbers("Where the header's live fields lie.", "HEAD", s, "head", "")
	w.numbers("Where a descriptor's fields lie.", "DESC", s, "desc", "")
	w.numbers("What a descriptor is.", "KIND", s, "Kind", "Kind")
	fmt.Fprintf(w, "// What turn_flow says of a flow.\nexport const FLOW_OPENED = %d\nexport const FLOW_CLOSED = %d\nexport const PATH_ERROR = %d\n\n",
		abi.FlowOpened, abi.FlowClosed, abi.PathError)
	w.numbers("Attributes of records.", "ATTR", s, "Attr", "Attr")
	w.numbers("Commands.", "CMD", s, "Cmd", "Cmd")
	w.numbers("Error codes of calls.", "CODE", s, "Code", "Code")
	w.exports()
	w.texts("Texts of the error codes.", "CODE_TEXTS", codeTexts(s, w))
}

// codeTexts are the errors behind the codes: what stands in a status has no
// text beside it.
func codeTexts(s *source, w *writer) (lines []string) {
	list, err := s.numbers("Code", "Code")
	if err != nil && w.err == nil {
		w.err = err
	}
	for _, n := range list {
		if err := abi.Code(n.value).Err(); err != nil {
			lines = append(lines, fmt.Sprintf("[%d, %q]", n.value, err.Error()))
		}
	}
	return lines
}

func (w *writer) exports() {
	var lines []string
	for _, e := range abi.Exports {
		lines = append(lines, fmt.Sprintf("[%q, %d]", e.Name, len(e.Params)))
	}
	w.list("Exports, with the number of their parameters.", "EXPORTS", "readonly [name: string, params: number]", lines)
}

func (w *writer) client() {
	s := w.load("client")
	if w.err != nil {
		return
	}
	w.names("Names of events, by number.", "EVENTS", s, "", "EventKind", lower)
	w.names("Names of outcomes, by number.", "OUTCOMES", s, "", "Outcome", func(n number) string { return client.Outcome(n.value).String() })
	w.names("Names of phases, by number.", "PHASES", s, "Phase", "Phase", func(n number) string { return client.Phase(n.value).String() })
	w.list("Names of the counters, in the order in which they cross the boundary.", "STATS", "string", statNames())
	w.texts("Names of STUN methods.", "METHODS", methodNames())
}

// statNames finds the counters' order by sending each across the boundary.
func statNames() []string {
	var s client.Stats
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		v.Field(i).SetUint(uint64(i))
	}
	wire := abi.AppendStats(nil, &s)
	names := make([]string, len(wire)/8)
	for i := range names {
		field := v.Type().Field(int(binary.LittleEndian.Uint64(wire[8*i:])))
		names[i] = fmt.Sprintf("%q", lower(number{name: field.Name}))
	}
	return names
}

func methodNames() (lines []string) {
	for m := range turntest.Method(0x1000) {
		if name := m.String(); !strings.HasPrefix(name, "method-") {
			lines = append(lines, fmt.Sprintf("[%d, %q]", m, name))
		}
	}
	return lines
}

// host takes over what people read of a failure.
func (w *writer) host() {
	s := w.load("host")
	if w.err != nil {
		return
	}
	w.table("The RFC's own phrases, for servers that send none.", "PHRASES", s, "phrases")
	w.table("What the user of a program can do about a code.", "HINTS", s, "hints")
}

func (w *writer) table(comment, name string, s *source, from string) {
	elements, err := s.table(from)
	if err != nil && w.err == nil {
		w.err = err
	}
	var lines []string
	for _, e := range elements {
		kv := e.(*ast.KeyValueExpr)
		lines = append(lines, fmt.Sprintf("[%s, %s]", kv.Key.(*ast.BasicLit).Value, kv.Value.(*ast.BasicLit).Value))
	}
	w.texts(comment, name, lines)
}

// numbers writes constants as PREFIX_NAME.
func (w *writer) numbers(comment, prefix string, s *source, from, typed string) {
	list, err := s.numbers(from, typed)
	if err != nil && w.err == nil {
		w.err = err
	}
	fmt.Fprintf(w, "// %s\n", comment)
	for _, n := range list {
		fmt.Fprintf(w, "export const %s_%s = %d\n", prefix, upper(n.name), n.value)
	}
	w.WriteByte('\n')
}

// names writes an array of names in which the index is the number.
func (w *writer) names(comment, name string, s *source, from, typed string, spell func(number) string) {
	list, err := s.numbers(from, typed)
	if err != nil && w.err == nil {
		w.err = err
	}
	lines := []string{}
	for _, n := range list {
		for int64(len(lines)) < n.value {
			lines = append(lines, `""`)
		}
		if int64(len(lines)) == n.value {
			lines = append(lines, fmt.Sprintf("%q", spell(n)))
		}
	}
	w.list(comment, name, "string", lines)
}

func (w *writer) list(comment, name, kind string, lines []string) {
	fmt.Fprintf(w, "// %s\n/** @type {ReadonlyArray<%s>} */\nexport const %s = [\n\t%s,\n]\n\n", comment, kind, name, strings.Join(lines, ",\n\t"))
}

func (w *writer) texts(comment, name string, lines []string) {
	fmt.Fprintf(w, "// %s\n/** @type {ReadonlyMap<number, string>} */\nexport const %s = new Map([\n\t%s,\n])\n\n", comment, name, strings.Join(lines, ",\n\t"))
}

// lower spells a Go name as JavaScript does: AllocateFailed is allocateFailed.
func lower(n number) string { return strings.ToLower(n.name[:1]) + n.name[1:] }

// upper spells CreatePermission as CREATE_PERMISSION.
func upper(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}
