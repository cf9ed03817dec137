package main

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// mutant is one replacement of bytes in one file.
type mutant struct {
	file     string
	line     int
	from, to int // offsets
	old, new string
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %s => %s", m.file, m.line, oneLine(m.old), oneLine(m.new))
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 70 {
		s = s[:70] + "..."
	}
	if s == "" {
		return "(nothing)"
	}
	return s
}

// find lists every mutant of the folder's Go files, tests apart.
func find(dir string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, file, src, 0)
		if err != nil {
			return nil, err
		}
		f := finder{file: file, src: src, fset: fset}
		for _, decl := range tree.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil && fn.Name.Name != "String" {
				ast.Inspect(fn.Body, f.visit)
			}
		}
		all = append(all, f.found...)
	}
	return all, nil
}

type finder struct {
	file  string
	src   []byte
	fset  *token.FileSet
	found []mutant
}

func (f *finder) add(pos, end token.Pos, text string) {
	from, to := f.fset.Position(pos).Offset, f.fset.Position(end).Offset
	f.found = append(f.found, mutant{
		file: f.file, line: f.fset.Position(pos).Line,
		from: from, to: to, old: string(f.src[from:to]), new: text,
	})
}

// swaps are the operators that stand in for each other.
var swaps = map[token.Token][]string{
	token.EQL: {"!="}, token.NEQ: {"=="},
	token.LSS: {"<=", ">="}, token.LEQ: {"<", ">"},
	token.GTR: {">=", "<="}, token.GEQ: {">", "<"},
	token.LAND: {"||"}, token.LOR: {"&&"},
	token.ADD: {"-"}, token.SUB: {"+"}, token.MUL: {"/"}, token.QUO: {"*"},
	token.SHL: {">>"}, token.SHR: {"<<"}, token.AND: {"|"}, token.OR: {"&"},
}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		for _, op := range swaps[n.Op] {
			f.add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), op)
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			f.add(n.OpPos, n.OpPos+1, "")
		}
	case *ast.Ident:
		if n.Name == "true" {
			f.add(n.Pos(), n.End(), "false")
		} else if n.Name == "false" {
			f.add(n.Pos(), n.End(), "true")
		}
	case *ast.BasicLit:
		if n.Kind == token.INT {
			f.add(n.Pos(), n.End(), n.Value+"+1")
		}
	case *ast.ExprStmt: // a call for its effect
		f.add(n.Pos(), n.End(), "")
	case *ast.IncDecStmt:
		f.add(n.Pos(), n.End(), "")
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN {
			f.add(n.Pos(), n.End(), "")
		}
	case *ast.CallExpr:
		f.swapCall(n)
	}
	return true
}

// swapCall exchanges min and max.
func (f *finder) swapCall(n *ast.CallExpr) {
	if id, ok := n.Fun.(*ast.Ident); ok {
		switch id.Name {
		case "min":
			f.add(id.Pos(), id.End(), "max")
		case "max":
			f.add(id.Pos(), id.End(), "min")
		}
	}
}

type verdict int

const (
	stillborn verdict = iota // does not compile
	dead
	alive
)

// try runs the package's tests with the mutant in place, and answers which ones
// have noticed.
func (m mutant) try(dir string, limit time.Duration) (v verdict, failed []string) {
	tmp, err := os.MkdirTemp("", "mutant")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(tmp)
	binary := filepath.Join(tmp, "test")
	if exec.Command("go", "test", "-c", "-overlay", m.overlay(tmp), "-o", binary, "./"+dir).Run() != nil {
		return stillborn, nil
	}
	output, err := runTests(binary, dir, limit)
	if err == nil {
		return alive, nil
	}
	_, failed = results(output)
	return dead, failed
}

// testsOf are the names of the package's tests.
func testsOf(dir string, limit time.Duration) ([]string, error) {
	tmp, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	binary := filepath.Join(tmp, "test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "./"+dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	output, err := runTests(binary, dir, limit)
	if err != nil {
		return nil, fmt.Errorf("the tests fail without a mutant: %w\n%s", err, output)
	}
	ended, _ := results(output)
	return ended, nil
}

func runTests(binary, dir string, limit time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.v", "-test.short")
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// overlay writes the changed file and the list that names it.
func (m mutant) overlay(tmp string) string {
	src, err := os.ReadFile(m.file)
	if err != nil {
		panic(err)
	}
	changed := string(src[:m.from]) + m.new + string(src[m.to:])
	file := filepath.Join(tmp, filepath.Base(m.file))
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		panic(err)
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		panic(err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: file}})
	if err != nil {
		panic(err)
	}
	path := filepath.Join(tmp, "overlay.json")
	if err := os.WriteFile(path, list, 0o600); err != nil {
		panic(err)
	}
	return path
}
