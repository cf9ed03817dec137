package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"

	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/internal/names"
)

// kinds are the descriptors'.
func (b *book) kinds() (string, error) {
	var s strings.Builder
	s.WriteString("| kind | | |\n|---|---|---|\n")
	for _, c := range constants(b.abi, "Kind", "") {
		fmt.Fprintf(&s, "| %s | %s | %s |\n", c.value, c.name, c.said)
	}
	return s.String(), nil
}

// flows are what turn_flow takes.
func flows() (string, error) {
	return fmt.Sprintf("In turn_flow `what` is %d, FlowOpened; %d, FlowClosed; or %d, PathError.", abi.FlowOpened, abi.FlowClosed, abi.PathError), nil
}

// formats is what is said of all attributes.
func (b *book) formats() (string, error) { return said(b.abi, "Attr") }

// configFields are the attributes of a configuration, with what package client
// says of the fields that they set.
func (b *book) configFields() (string, error) {
	fields, err := fieldsOf(b.client, "Config")
	if err != nil {
		return "", err
	}
	var s strings.Builder
	s.WriteString("| attribute | |\n|---|---|\n")
	for _, c := range constants(b.abi, "Attr", "Attr") {
		if text := fields[c.name]; text != "" {
			fmt.Fprintf(&s, "| %s | %s |\n", names.Upper(c.name), text)
		}
	}
	return s.String(), nil
}

// fieldsOf is what is said of a struct's fields. Those that share a comment are
// told of together.
func fieldsOf(files []*ast.File, typed string) (map[string]string, error) {
	t := typeOf(files, typed)
	if t == nil {
		return nil, fmt.Errorf("there is no type %s", typed)
	}
	fields := make(map[string]string)
	text := ""
	for _, f := range t.Type.(*ast.StructType).Fields.List {
		if f.Doc != nil {
			text = oneLine(f.Doc.Text())
		}
		for _, name := range f.Names {
			fields[name.Name] = text
		}
	}
	return fields, nil
}

// said is what is said of a type.
func said(files []*ast.File, typed string) (string, error) {
	if t := typeOf(files, typed); t != nil && t.Doc != nil {
		return oneLine(t.Doc.Text()), nil
	}
	return "", fmt.Errorf("nothing is said of the type %s", typed)
}

func typeOf(files []*ast.File, typed string) *ast.TypeSpec {
	for _, file := range files {
		for _, d := range file.Decls {
			g, is := d.(*ast.GenDecl)
			if !is || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				t := spec.(*ast.TypeSpec)
				if t.Name.Name != typed {
					continue
				}
				if t.Doc == nil {
					t.Doc = g.Doc
				}
				return t
			}
		}
	}
	return nil
}
