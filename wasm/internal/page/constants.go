package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"

	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/internal/names"
)

// constant is one as it is written, with what is said of it.
type constant struct {
	name  string // without its prefix
	value string
	said  string
}

// constants are those of a type, in the order of the source. Their values are
// literals, or count up from iota.
func constants(files []*ast.File, typed, prefix string) (list []constant) {
	for _, file := range files {
		for _, d := range file.Decls {
			g, is := d.(*ast.GenDecl)
			if !is || g.Tok != token.CONST {
				continue
			}
			list = append(list, group(g, typed, prefix)...)
		}
	}
	return list
}

func group(g *ast.GenDecl, typed, prefix string) (list []constant) {
	counts := false
	for i, spec := range g.Specs {
		v := spec.(*ast.ValueSpec)
		value := fmt.Sprint(i)
		if id, is := v.Type.(*ast.Ident); is && id.Name == typed && len(v.Values) == 1 {
			_, counts = v.Values[0].(*ast.Ident)
			if !counts {
				value = literal(v.Values[0])
			}
		} else if !counts || v.Type != nil || len(v.Values) > 0 || !ast.IsExported(v.Names[0].Name) {
			continue
		}
		said := v.Comment.Text()
		if said == "" {
			said = v.Doc.Text()
		}
		list = append(list, constant{strings.TrimPrefix(v.Names[0].Name, prefix), value, oneLine(said)})
	}
	return list
}

func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value
	case *ast.UnaryExpr:
		return e.Op.String() + literal(e.X)
	}
	return "?"
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func (b *book) attributes() (string, error) {
	var s strings.Builder
	s.WriteString("| number | attribute | format |\n|---|---|---|\n")
	for _, c := range constants(b.abi, "Attr", "Attr") {
		fmt.Fprintf(&s, "| %s | %s | %s |\n", c.value, names.Upper(c.name), c.said)
	}
	return s.String(), nil
}

func (b *book) commands() (string, error) {
	var s strings.Builder
	s.WriteString("| CMD | command | with |\n|---|---|---|\n")
	for _, c := range constants(b.abi, "Cmd", "Cmd") {
		fmt.Fprintf(&s, "| %s | %s | %s |\n", c.value, names.Upper(c.name), c.said)
	}
	return s.String(), nil
}

func (b *book) codes() (string, error) {
	var s strings.Builder
	s.WriteString("| code | | text |\n|---|---|---|\n")
	for _, c := range constants(b.abi, "Code", "") {
		var n int32
		if _, err := fmt.Sscan(c.value, &n); err != nil {
			return "", err
		}
		text := "-"
		if err := abi.Code(n).Err(); err != nil {
			text = err.Error()
		}
		fmt.Fprintf(&s, "| %s | %s | %s |\n", c.value, c.name, text)
	}
	s.WriteString("\nWhat went wrong, in words, stands in control-out; the header says how long it is.\n")
	return s.String(), nil
}

// told are constants of package client with what is said of them there.
func (b *book) told(typed, prefix, title string) (string, error) {
	var s strings.Builder
	fmt.Fprintf(&s, "| number | %s | |\n|---|---|---|\n", title)
	for _, c := range constants(b.client, typed, prefix) {
		_, said, _ := strings.Cut(c.said, ": ")
		fmt.Fprintf(&s, "| %s | %s | %s |\n", c.value, c.name, strings.ReplaceAll(said, "|", `\|`))
	}
	return s.String(), nil
}

// values are those of the attributes that are one of a few numbers.
func (b *book) values() (string, error) {
	var s strings.Builder
	s.WriteString("| attribute | value | |\n|---|---|---|\n")
	for _, typed := range []string{"Family", "Transport", "EvenPort", "Relay"} {
		for _, c := range constants(b.client, typed, "") {
			fmt.Fprintf(&s, "| %s | %s | %s |\n", names.Upper(typed), c.value, c.said)
		}
	}
	return s.String(), nil
}

func counters() (string, error) { return strings.Join(names.Stats(), ", ") + ".", nil }
