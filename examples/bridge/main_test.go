package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/webtransport-go"
	"go.uber.org/goleak"
)

// asMain makes this test binary the program.
const asMain = "TURNWASM_BRIDGE_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		os.Exit(run(os.Args[1:], os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMain+"=1")
	return cmd
}

// program is the bridge in a process of its own.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, args ...string) *program {
	t.Helper()
	cmd := command(t, append([]string{
		"-json", "-dev", "-listen", "127.0.0.1:0", "-pages-listen", "127.0.0.1:0", "-metrics", "127.0.0.1:0", "-grace", "100ms",
	}, args...)...)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &program{t, cmd, bufio.NewScanner(out)}
}

// await is the next log line with the message.
func (p *program) await(msg string) map[string]any {
	p.t.Helper()
	for p.lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(p.lines.Bytes(), &line); err != nil {
			p.t.Fatalf("the log says %q: %v", p.lines.Text(), err)
		}
		if line["msg"] == msg {
			return line
		}
	}
	p.t.Fatalf("the log ends without %q", msg)
	return nil
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	rsp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer rsp.Body.Close()
	b, err := io.ReadAll(rsp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rsp.StatusCode, string(b)
}

// dial is a page of the origin that trusts the certificate with the hash alone.
func dial(t *testing.T, page devConfig, origin, token string) (*webtransport.Session, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d := &webtransport.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: wantHash(page.Hash)},
		QUICConfig:      &quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true},
	}
	query := "?token=" + url.QueryEscape(token) + "&server=" + url.QueryEscape(page.Servers[0])
	_, s, err := d.Dial(ctx, page.URL+query, http.Header{"Origin": {origin}})
	return s, err
}

func TestDevelopmentMode(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("<p>the page"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "-pages", dir, "-token-file", token)
	pages := p.await("pages")["url"].(string)
	metrics := p.await("metrics")["url"].(string)
	if listening := p.await("listening"); strings.Contains(toJSON(t, listening), "sesame") {
		t.Errorf("the log tells the token: %v", listening)
	}
	if _, body := get(t, pages); body != "<p>the page" {
		t.Errorf("the page is %q", body)
	}
	if status, body := get(t, pages+"link"); status == http.StatusOK {
		t.Errorf("a link out of the folder: %d %q", status, body)
	}
	var page devConfig
	if _, body := get(t, pages+"bridge.json"); json.Unmarshal([]byte(body), &page) != nil || page.Username == "" || page.Peer == "" {
		t.Fatalf("/bridge.json is %s", body)
	}
	if _, body := get(t, pages+"held.json"); body != "{\"held\":0}\n" {
		t.Errorf("/held.json is %q", body)
	}
	origin := strings.TrimSuffix(pages, "/")
	if _, err := dial(t, page, "http://evil.test", "sesame"); err == nil {
		t.Error("a page of another origin may come")
	}
	s, err := dial(t, page, origin, "sesame")
	if err != nil {
		t.Fatal(err)
	}
	wantBinding(t, s)
	_, body := get(t, metrics)
	for _, want := range []string{"turnwasm_bridge_sessions 1\n", `turnwasm_bridge_refused_total{reason="origin"} 1`, "go_goroutines"} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	stop(t, p, s)
}

// stop: SIGTERM ends the session with a reason and the program with status 0.
func stop(t *testing.T, p *program, s *webtransport.Session) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		_, err = s.AcceptStream(t.Context())
	}
	var end *webtransport.SessionError
	if !errors.As(err, &end) || end.ErrorCode != 1001 {
		t.Errorf("the session ends with %v, want code 1001", err)
	}
	p.await("stopped")
	for p.lines.Scan() {
		t.Error(p.lines.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ends with %v", err)
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantBinding asks the TURN server for a STUN Binding through the bridge.
func wantBinding(t *testing.T, s *webtransport.Session) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	if err := s.SendDatagram(request.Raw); err != nil {
		t.Fatal(err)
	}
	b, err := s.ReceiveDatagram(ctx)
	if err != nil {
		t.Fatal(err)
	}
	m := stun.New()
	if err := stun.Decode(b, m); err != nil || m.Type != stun.BindingSuccess || m.TransactionID != request.TransactionID {
		t.Errorf("the answer is %v, %v", m, err)
	}
}

func TestUsage(t *testing.T) {
	for want, args := range map[string]string{
		"-cert and -key, or -dev":     "-server turn:192.0.2.1 -origin *",
		"want a -server":              "-cert c -key k -origin *",
		"want an -origin":             "-cert c -key k -server turn:192.0.2.1",
		"want -pages or an -origin":   "-dev",
		"has to be a loopback":        "-dev -origin * -listen 0.0.0.0:4433",
		"\"0.0.0.0:80\" has to be":    "-dev -pages . -pages-listen 0.0.0.0:80",
		"plain HTTP is for loopback":  "-cert c -key k -server turn:192.0.2.1 -origin * -pages .",
		"makes its own certificate":   "-dev -cert c",
		"is no flag":                  "-dev -origin * more",
		"limits are positive":         "-dev -origin * -sessions 0",
		"flag provided but not defin": "-nonsense",
	} {
		var stderr bytes.Buffer
		if code := run(strings.Fields(args), &stderr); code != 2 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: status %d, want 2 and %q:\n%s", args, code, want, &stderr)
		}
	}
}

func TestFailures(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dev := "-dev -listen 127.0.0.1:0 -pages-listen 127.0.0.1:0 -origin http://a.test "
	for want, args := range map[string]string{
		"holds no token":   dev + "-token-file " + empty,
		"no such file":     dev + "-token-file " + empty + "x",
		"not a TURN URI":   dev + "-server 192.0.2.1",
		"is not an origin": dev + "-origin http://a.test/",
		"open nofolder":    dev + "-pages nofolder",
		"missing port":     dev + "-metrics localhost",
		"open nocert":      "-listen 127.0.0.1:0 -cert nocert -key k -server turn:192.0.2.1 -origin *",
		"unknown port":     "-listen 127.0.0.1:x -cert nocert -key k -server turn:192.0.2.1 -origin *",
	} {
		out, err := command(t, strings.Fields(args)...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, want status 1 and %q:\n%s", args, err, want, out)
		}
	}
}

func wantHash(hash string) func([][]byte, [][]*x509.Certificate) error {
	return func(raw [][]byte, _ [][]*x509.Certificate) error {
		if sum := sha256.Sum256(raw[0]); base64.StdEncoding.EncodeToString(sum[:]) != hash {
			return errors.New("the certificate has another hash")
		}
		return nil
	}
}
