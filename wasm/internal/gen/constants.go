package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
)

// root is the repository's, from this folder, where tests and go generate run.
const root = "../../.."

// source is a package of ours as it is written.
type source struct {
	files []*ast.File
	scope *types.Scope
}

// load reads a package. What it imports is not resolved: constants need nothing
// of it, and what does is no matter here.
func load(dir string) (*source, error) {
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%s: no Go files: %v", dir, err)
	}
	s, fset := &source{}, token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, file)
	}
	config := types.Config{Error: func(error) {}, Importer: nothing{}}
	pkg, _ := config.Check(dir, fset, s.files, nil)
	s.scope = pkg.Scope()
	return s, nil
}

// nothing imports nothing.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	return nil, fmt.Errorf("%s is not needed", path)
}

// number is a constant of a package.
type number struct {
	name  string
	value int64
}

// numbers are the constants whose names begin with the prefix, without it, in
// the order of their values. typed is the name of their type, "" for any.
func (s *source) numbers(prefix, typed string) ([]number, error) {
	var list []number
	for _, name := range s.scope.Names() {
		c, is := s.scope.Lookup(name).(*types.Const)
		short, has := strings.CutPrefix(name, prefix)
		if !is || !has || typed != "" && !named(c.Type(), typed) {
			continue
		}
		value, exact := constant.Int64Val(constant.ToInt(c.Val()))
		if !exact {
			return nil, fmt.Errorf("%s is no number", name)
		}
		list = append(list, number{short, value})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("there are no constants %s* %s", prefix, typed)
	}
	slices.SortFunc(list, func(a, b number) int { return int(a.value - b.value) })
	return list, nil
}

func named(t types.Type, name string) bool {
	n, is := t.(*types.Named)
	return is && n.Obj().Name() == name
}

// table is a package's map from numbers to texts, in its own order.
func (s *source) table(name string) ([]ast.Expr, error) {
	for _, file := range s.files {
		for _, d := range file.Decls {
			g, is := d.(*ast.GenDecl)
			if !is || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				if v.Names[0].Name == name && len(v.Values) == 1 {
					return v.Values[0].(*ast.CompositeLit).Elts, nil
				}
			}
		}
	}
	return nil, fmt.Errorf("there is no table %s", name)
}
