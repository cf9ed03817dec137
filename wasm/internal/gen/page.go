package main

import (
	"go/ast"
	"strconv"
	"strings"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/internal/names"
)

// A page is what every host wants to know, in no language yet.
type page struct {
	sections []section
	err      error
}

// A section is constants, or one list, or one table.
type section struct {
	comment string
	numbers []number // constants, by their full names
	name    string   // of the list or the table
	list    []string // texts, by number
	table   []entry  // texts by number, or with texts their numbers
	reverse bool     // the table goes from texts to numbers
	foreign bool     // hosts other than JavaScript alone
}

// An entry is a line of a table.
type entry struct {
	number int64
	text   string
}

func newPage() *page {
	p := &page{}
	p.abi()
	p.client()
	p.host()
	return p
}

func (p *page) fail(err error) {
	if err != nil && p.err == nil {
		p.err = err
	}
}

func (p *page) load(dir string) *source {
	s, err := load(dir)
	p.fail(err)
	return s
}

func (p *page) abi() {
	s := p.load("wasm/abi")
	if p.err != nil {
		return
	}
	p.constants("", []number{{"VERSION", abi.Version}, {"MAGIC", abi.Magic}, {"HEADER_SIZE", abi.HeaderSize}, {"DESC_SIZE", abi.DescSize},
		{"HEADROOM", abi.Headroom}, {"TAILROOM", abi.Tailroom}, {"SEED_SIZE", abi.SeedSize}})
	p.numbers("Where the header's live fields lie.", "HEAD", s, "head", "")
	p.numbers("Where a descriptor's fields lie.", "DESC", s, "desc", "")
	p.numbers("What a descriptor is.", "KIND", s, "Kind", "Kind")
	p.constants("What turn_flow says of a flow.", []number{{"FLOW_OPENED", abi.FlowOpened}, {"FLOW_CLOSED", abi.FlowClosed}, {"PATH_ERROR", abi.PathError}})
	p.numbers("Attributes of records.", "ATTR", s, "Attr", "Attr")
	p.numbers("Commands.", "CMD", s, "Cmd", "Cmd")
	p.numbers("Error codes of calls.", "CODE", s, "Code", "Code")
	p.exports()
	p.texts("Texts of the error codes.", "CODE_TEXTS", p.codeTexts(s))
}

// codeTexts are the errors behind the codes: what stands in a status has no
// text beside it.
func (p *page) codeTexts(s *source) (lines []entry) {
	list, err := s.numbers("Code", "Code")
	p.fail(err)
	for _, n := range list {
		if err := abi.Code(n.value).Err(); err != nil {
			lines = append(lines, entry{n.value, err.Error()})
		}
	}
	return lines
}

func (p *page) exports() {
	var lines []entry
	for _, e := range abi.Exports {
		lines = append(lines, entry{int64(len(e.Params)), e.Name})
	}
	p.sections = append(p.sections, section{comment: "Exports, with the number of their parameters.", name: "EXPORTS", table: lines, reverse: true})
}

func (p *page) client() {
	s := p.load("client")
	if p.err != nil {
		return
	}
	p.names("Names of events, by number.", "EVENTS", s, "", "EventKind", lower)
	p.numbers("Events.", "EVENT", s, "", "EventKind")
	p.sections[len(p.sections)-1].foreign = true
	p.names("Names of outcomes, by number.", "OUTCOMES", s, "", "Outcome", func(n number) string { return client.Outcome(n.value).String() })
	p.names("Names of phases, by number.", "PHASES", s, "Phase", "Phase", func(n number) string { return client.Phase(n.value).String() })
	p.sections = append(p.sections, section{comment: "Names of the counters, in the order in which they cross the boundary.", name: "STATS", list: statNames()})
	p.texts("Names of STUN methods.", "METHODS", methodNames())
}

func statNames() []string {
	list := names.Stats()
	for i, name := range list {
		list[i] = lower(number{name: name})
	}
	return list
}

func methodNames() (lines []entry) {
	for m := range turntest.Method(0x1000) {
		if name := m.String(); !strings.HasPrefix(name, "method-") {
			lines = append(lines, entry{int64(m), name})
		}
	}
	return lines
}

// host takes over what people read of a failure.
func (p *page) host() {
	s := p.load("host")
	if p.err != nil {
		return
	}
	p.table("The RFC's own phrases, for servers that send none.", "PHRASES", s, "phrases")
	p.table("What the user of a program can do about a code.", "HINTS", s, "hints")
}

func (p *page) table(comment, name string, s *source, from string) {
	elements, err := s.table(from)
	p.fail(err)
	var lines []entry
	for _, e := range elements {
		kv := e.(*ast.KeyValueExpr)
		key, err := strconv.ParseInt(kv.Key.(*ast.BasicLit).Value, 0, 64)
		p.fail(err)
		text, err := strconv.Unquote(kv.Value.(*ast.BasicLit).Value)
		p.fail(err)
		lines = append(lines, entry{key, text})
	}
	p.texts(comment, name, lines)
}

// numbers takes over constants as PREFIX_NAME.
func (p *page) numbers(comment, prefix string, s *source, from, typed string) {
	list, err := s.numbers(from, typed)
	p.fail(err)
	for i := range list {
		list[i].name = prefix + "_" + names.Upper(list[i].name)
	}
	p.constants(comment, list)
}

func (p *page) constants(comment string, list []number) {
	p.sections = append(p.sections, section{comment: comment, numbers: list})
}

// names takes over names of which the index is the number.
func (p *page) names(comment, name string, s *source, from, typed string, spell func(number) string) {
	list, err := s.numbers(from, typed)
	p.fail(err)
	lines := []string{}
	for _, n := range list {
		for int64(len(lines)) < n.value {
			lines = append(lines, "")
		}
		if int64(len(lines)) == n.value {
			lines = append(lines, spell(n))
		}
	}
	p.sections = append(p.sections, section{comment: comment, name: name, list: lines})
}

func (p *page) texts(comment, name string, lines []entry) {
	p.sections = append(p.sections, section{comment: comment, name: name, table: lines})
}

// lower spells a Go name as JavaScript does: AllocateFailed is allocateFailed.
func lower(n number) string { return strings.ToLower(n.name[:1]) + n.name[1:] }
