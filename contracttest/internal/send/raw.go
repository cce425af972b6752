package send

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// linger is how long a connection is watched after the end of a response, for
// bytes that nobody asked for.
const linger = 200 * time.Millisecond

// maxHeader is how many bytes of a response's header, or trailer, are read.
const maxHeader = 1 << 20

func (t *remote) Raw(ctx context.Context, r *wire.Request, how How) (*wire.Response, error) {
	req, identity, err := ready(ctx, r, t.base, how)
	if err != nil {
		return nil, err
	}
	if proxy, err := http.ProxyFromEnvironment(req); proxy != nil || err != nil {
		return t.Do(ctx, r, how) // what a proxy writes is not the target's
	}
	req.Close = true
	start := time.Now()
	conn, err := t.dial(ctx)
	if errors.Is(err, errNoHTTP1) {
		return t.Do(ctx, r, how)
	}
	if err != nil {
		return nil, classify(ctx, err)
	}
	leave := func() { _ = conn.SetDeadline(time.Unix(1, 0)) }
	stop := context.AfterFunc(ctx, leave)
	written := make(chan struct{})
	go func() { // a server may answer before it has read everything
		defer close(written)
		_ = req.Write(conn) // what went wrong shows in the answer
	}()
	defer func() {
		stop()
		_ = conn.Close()
		<-written
	}()
	p := &parser{r: bufio.NewReader(conn), head: r.Method == http.MethodHead, how: how, leave: leave}
	resp, err := p.response()
	if err != nil {
		return nil, classify(ctx, err)
	}
	if resp.BodyErr == nil && !p.toEnd {
		_ = conn.SetReadDeadline(time.Now().Add(linger))
		p.after(resp)
	}
	p.meter.finish(ctx, resp, resp.BodyErr)
	resp.Identity, resp.Faults, resp.Elapsed = identity, p.faults, time.Since(start)
	return resp, nil
}

// errNoHTTP1 is returned for a server that does not take HTTP/1.1 over TLS.
var errNoHTTP1 = errors.New("no HTTP/1.1 over TLS")

func (t *remote) dial(ctx context.Context) (net.Conn, error) {
	port := t.base.Port()
	if port == "" {
		port = t.base.Scheme // a service name, as net knows it
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(t.base.Hostname(), port))
	if err != nil || t.base.Scheme == "http" {
		return conn, err
	}
	cfg := t.tls.Clone()
	cfg.ServerName, cfg.NextProtos = t.base.Hostname(), []string{"http/1.1"}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%w: %w", errNoHTTP1, err)
	}
	return secure, nil
}

// parser reads one response as RFC 9112 has it, and notes where the bytes do
// not keep to it. It goes on wherever it is clear what was meant.
type parser struct {
	r      *bufio.Reader
	head   bool // the request's method is HEAD
	old    bool // the response is HTTP/1.0
	toEnd  bool // the body ends with the connection
	faults []string
	left   int // bytes that the section being read may still have

	how   How
	leave func() // ends the reading
	meter *meter // of the body
}

// fault notes what is wrong, once.
func (p *parser) fault(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(p.faults, text) {
		p.faults = append(p.faults, text)
	}
}

// line reads one line, without its end.
func (p *parser) line() (string, error) {
	var b []byte
	for {
		part, err := p.r.ReadSlice('\n')
		b = append(b, part...)
		if p.left -= len(part); p.left < 0 {
			return "", fmt.Errorf("header of more than %d bytes", maxHeader)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) && len(b) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
	}
	text, ok := strings.CutSuffix(string(b[:len(b)-1]), "\r")
	if !ok {
		p.fault("a line ends with LF alone (RFC 9112 §2.2)")
	}
	return text, nil
}

// response reads the final response: others may come before it.
func (p *parser) response() (*wire.Response, error) {
	for {
		p.left = maxHeader
		resp, err := p.start()
		if err != nil {
			return nil, err
		}
		header, err := p.fields()
		if err != nil {
			return nil, inHeader(err)
		}
		resp.Header = header
		if resp.Status/100 != 1 || resp.Status == http.StatusSwitchingProtocols {
			p.meter = newMeter(resp.Header, p.how)
			stop := p.meter.start(p.leave)
			defer stop()
			p.body(resp)
			return resp, nil
		}
		p.lengthless(resp)
	}
}

// inHeader tells an end inside the header from one inside the body.
func inHeader(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the connection was closed inside the header")
	}
	return err
}

// start reads the status line (RFC 9112 §4).
func (p *parser) start() (*wire.Response, error) {
	text, err := p.line()
	if err == nil && text == "" {
		p.fault("an empty line comes before the status line (RFC 9112 §2.1)")
		text, err = p.line()
	}
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = inHeader(err)
		}
		return nil, err
	}
	version, rest, _ := strings.Cut(text, " ")
	code, _, spaced := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if !strings.HasPrefix(strings.ToUpper(version), "HTTP/") || err != nil || status < 0 {
		return nil, fmt.Errorf("malformed status line %.80q", text)
	}
	if len(version) != len("HTTP/1.1") || version[:7] != "HTTP/1." || version[7] < '0' || version[7] > '9' {
		p.fault("the version is %.20q, want HTTP/1.1 (RFC 9112 §2.3)", version)
	}
	p.old = version == "HTTP/1.0"
	if len(code) != 3 || status < 100 || status > 599 {
		p.fault("the status code %.20q is none (RFC 9110 §15)", code)
	}
	if !spaced {
		p.fault("there is no blank after the status code (RFC 9112 §4)")
	}
	return &wire.Response{Status: status}, nil
}

// fields reads the lines of a header or trailer, and the empty one after them
// (RFC 9112 §5).
func (p *parser) fields() (http.Header, error) {
	h := http.Header{}
	last := ""
	for {
		text, err := p.line()
		if err != nil || text == "" {
			return h, err
		}
		if text[0] == ' ' || text[0] == '\t' {
			p.fault("a header line is folded, or begins with a blank (RFC 9112 §5.2)")
			if values := h[last]; len(values) > 0 {
				values[len(values)-1] += " " + strings.Trim(text, " \t")
			}
			continue
		}
		name, value, ok := strings.Cut(text, ":")
		value = strings.Trim(value, " \t")
		switch {
		case !ok:
			p.fault("a header line has no colon: %.40q (RFC 9112 §5)", text)
			continue
		case strings.ContainsAny(name, " \t"):
			p.fault("there is a blank in the header name %.40q, or after it (RFC 9112 §5.1)", name)
			name = strings.TrimRight(name, " \t")
		case name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
		}):
			p.fault("%.40q is no header name (RFC 9110 §5.1)", name)
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			p.fault("the header %.40q holds a control character (RFC 9110 §5.5)", name)
		}
		last = textproto.CanonicalMIMEHeaderKey(name)
		h[last] = append(h[last], value)
	}
}

// lengthless notes what a response that cannot have a body says of its length.
// Where it says 0 nobody is misled.
func (p *parser) lengthless(resp *wire.Response) {
	if v := resp.Header.Get("Content-Length"); v != "" && v != "0" {
		p.fault("%d has a Content-Length (RFC 9110 §8.6)", resp.Status)
	}
	if resp.Header.Get("Transfer-Encoding") != "" {
		p.fault("%d has a Transfer-Encoding (RFC 9112 §6.1)", resp.Status)
	}
}

// body reads as much as the header says belongs to the response (RFC 9112 §6.3).
func (p *parser) body(resp *wire.Response) {
	coding := strings.ToLower(strings.Join(resp.Header["Transfer-Encoding"], ", "))
	length, sized := p.length(resp.Header["Content-Length"])
	if coding != "" && len(resp.Header["Content-Length"]) > 0 {
		p.fault("there is a Content-Length together with a Transfer-Encoding (RFC 9112 §6.2)")
	}
	if coding != "" && p.old {
		p.fault("there is a Transfer-Encoding in HTTP/1.0 (RFC 9112 §6.1)")
	}
	switch {
	case resp.Status == http.StatusNoContent, resp.Status == http.StatusSwitchingProtocols:
		p.lengthless(resp)
		return
	case p.head, resp.Status == http.StatusNotModified:
		return
	case coding == "chunked":
		p.chunks(resp)
	case coding != "":
		p.fault("the Transfer-Encoding is %.40q, which the request does not allow (RFC 9112 §7.4)", coding)
		if strings.HasSuffix(coding, "chunked") {
			p.chunks(resp)
			return
		}
		p.rest(resp)
	case sized:
		p.take(resp, length)
		if errors.Is(resp.BodyErr, io.ErrUnexpectedEOF) {
			p.fault("the body ends after %d of %d bytes (RFC 9112 §6.3)", len(resp.Body), length)
		}
	default:
		p.rest(resp)
	}
}

// length reads the Content-Length.
func (p *parser) length(values []string) (int64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	all := strings.Split(strings.Join(values, ","), ",")
	if len(all) > 1 {
		p.fault("Content-Length is given more than once (RFC 9110 §8.6)")
	}
	first := strings.TrimSpace(all[0])
	n, err := strconv.ParseUint(first, 10, 63)
	if err != nil {
		p.fault("Content-Length is %.40q (RFC 9110 §8.6)", first)
		return 0, false
	}
	return int64(n), true
}

// rest reads up to the end of the connection.
func (p *parser) rest(resp *wire.Response) {
	p.toEnd = true
	resp.Body, resp.BodyErr = p.meter.read(nil, p.r)
}

// take appends n bytes to the body.
func (p *parser) take(resp *wire.Response, n int64) {
	before := len(resp.Body)
	resp.Body, resp.BodyErr = p.meter.read(resp.Body, io.LimitReader(p.r, n))
	if resp.BodyErr == nil && int64(len(resp.Body)-before) < n {
		resp.BodyErr = io.ErrUnexpectedEOF
	}
}

// chunks reads a chunked body (RFC 9112 §7.1).
func (p *parser) chunks(resp *wire.Response) {
	for resp.BodyErr == nil {
		p.left = maxHeader
		text, err := p.line()
		if err != nil {
			p.cut(resp, err)
			return
		}
		digits, _, _ := strings.Cut(text, ";")
		size, err := strconv.ParseUint(strings.TrimRight(digits, " \t"), 16, 63)
		if err != nil {
			p.fault("a chunk's size is %.20q (RFC 9112 §7.1)", digits)
			resp.BodyErr = fmt.Errorf("malformed chunk size %.20q", digits)
			return
		}
		if size == 0 {
			if _, err := p.fields(); err != nil {
				p.cut(resp, err)
			}
			return
		}
		p.take(resp, int64(size))
		if resp.BodyErr != nil {
			p.cut(resp, resp.BodyErr)
			return
		}
		if text, err = p.line(); err != nil {
			p.cut(resp, err)
		} else if text != "" {
			p.fault("a chunk is longer than its size says (RFC 9112 §7.1)")
			resp.BodyErr = errors.New("malformed chunked encoding")
		}
	}
}

// cut notes that a chunked body ends before its last chunk.
func (p *parser) cut(resp *wire.Response, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		p.fault("the body ends before its last chunk (RFC 9112 §7.1)")
		err = io.ErrUnexpectedEOF
	}
	resp.BodyErr = err
}

// after notes what follows the response on a connection that should be closed.
func (p *parser) after(resp *wire.Response) {
	if resp.Status == http.StatusSwitchingProtocols {
		return // what follows is of another protocol
	}
	if _, err := p.r.Peek(1); err != nil {
		return // closed, or quiet
	}
	start, _ := p.r.Peek(len("HTTP/"))
	switch {
	case string(start) == "HTTP/":
		p.fault("a second response follows the first")
	case p.head:
		p.fault("the response to HEAD has a body (RFC 9110 §9.3.2)")
	case resp.Status == http.StatusNoContent, resp.Status == http.StatusNotModified:
		p.fault("%d has a body (RFC 9110 §6.4.1)", resp.Status)
	default:
		p.fault("bytes follow the end of the response (RFC 9112 §6.3)")
	}
}
