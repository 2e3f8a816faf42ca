package schema

import (
	"fmt"
	"strings"
)

// ParseObject reads what SHOW CREATE printed for an object whose Kind, Name, Session.SQLMode and Definition are set: who
// defined it, and the parts that it is written from again. Its text was typed by a person, so that only its head is understood
// and the rest is taken as it is.
func ParseObject(o *Object) error {
	tokens, err := lexFree(o.Definition, o.Session.SQLMode)
	if err != nil {
		return fmt.Errorf("parse definition of %s: %w", o, err)
	}
	p := &objectParser{o: o, src: o.Definition, tokens: tokens}
	p.parse()
	if p.err != nil {
		return fmt.Errorf("parse definition of %s: %w", o, p.err)
	}
	return nil
}

// lexFree splits text that a person wrote under the given sql_mode, comments and all.
func lexFree(src, mode string) ([]token, error) {
	l := &lexer{src: src, free: true}
	for _, m := range strings.Split(mode, ",") {
		l.ansi = l.ansi || m == "ANSI_QUOTES"
		l.plain = l.plain || m == "NO_BACKSLASH_ESCAPES"
	}
	return l.all()
}

type objectParser struct {
	o      *Object
	src    string
	tokens []token
	at     int
	err    error
}

func (p *objectParser) peek() token { return p.tokens[p.at] }

func (p *objectParser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

func (p *objectParser) accept(words ...string) bool {
	for i, word := range words {
		if p.at+i >= len(p.tokens) || !p.tokens[p.at+i].is(word) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *objectParser) misunderstood() {
	if p.err == nil {
		text, _, _ := strings.Cut(p.src[p.peek().begin:], "\n")
		p.err = fmt.Errorf("cannot understand %.60q", text)
	}
}

func (p *objectParser) expect(words ...string) {
	if p.err == nil && !p.accept(words...) {
		p.misunderstood()
	}
}

// rest returns the text from the next token on.
func (p *objectParser) rest() string { return strings.TrimRight(p.src[p.peek().begin:], " \t\r\n;") }

// parse reads CREATE .. DEFINER=.. .. KIND name.
func (p *objectParser) parse() {
	p.expect("CREATE")
	p.accept("OR", "REPLACE")
	kind := strings.ToUpper(string(p.o.Kind))
	for p.err == nil && !p.accept(kind) {
		switch t := p.peek(); {
		case t.is("DEFINER") && p.tokens[p.at+1].punct("="): // not that of SQL SECURITY DEFINER
			p.definer()
		case t.kind == tokenWord || t.punct("="):
			p.o.Lead += p.src[t.begin:t.end]
			if p.next(); !t.punct("=") && !p.peek().punct("=") {
				p.o.Lead += " "
			}
		default:
			p.misunderstood()
		}
	}
	p.o.Lead = strings.TrimSpace(p.o.Lead)
	p.accept("IF", "NOT", "EXISTS")
	p.name()
	if p.err != nil {
		return
	}
	switch p.o.Kind {
	case TriggerObject:
		p.trigger()
	case EventObject:
		p.event()
	default:
		p.o.Body = p.rest()
	}
}

func (p *objectParser) definer() {
	p.at += 2
	user := p.next()
	p.o.Definer.User = user.text
	if p.peek().is("@") {
		p.next()
		p.o.Definer.Host = p.next().text
	} else if user.kind == tokenWord {
		p.o.Definer.User, p.o.Definer.Host, _ = strings.Cut(user.text, "@")
	}
}

// name passes a name with or without its database.
func (p *objectParser) name() {
	for {
		if t := p.peek(); t.kind != tokenIdent && t.kind != tokenWord {
			p.misunderstood()
			return
		}
		p.next()
		if !p.peek().punct(".") {
			return
		}
		p.next()
	}
}

func (p *objectParser) trigger() {
	p.o.Timing = strings.ToUpper(p.next().text) + " " + strings.ToUpper(p.next().text)
	switch p.o.Timing {
	case "BEFORE INSERT", "BEFORE UPDATE", "BEFORE DELETE", "AFTER INSERT", "AFTER UPDATE", "AFTER DELETE":
	default:
		p.at -= 2
		p.misunderstood()
	}
	p.expect("ON") // not after several events, or UPDATE OF columns
	p.name()
	p.expect("FOR", "EACH", "ROW")
	if p.accept("FOLLOWS") || p.accept("PRECEDES") { // triggers are created in their order
		p.name()
	}
	p.o.Body = p.rest()
}

// event takes out whether it is enabled, which servers print after ON COMPLETION.
func (p *objectParser) event() {
	begin := p.peek().begin
	for !p.accept("PRESERVE") {
		if p.next().kind == tokenEnd {
			p.misunderstood()
			return
		}
	}
	head := p.src[begin:p.tokens[p.at-1].end]
	switch {
	case p.accept("ENABLE"):
		p.o.Enabled = true
	case p.accept("DISABLE", "ON", "SLAVE"), p.accept("DISABLE", "ON", "REPLICA"):
		p.o.Replica = true
	default:
		p.expect("DISABLE")
	}
	p.o.Schedule, p.o.Body = head, p.rest()
	p.o.OneTime = strings.HasPrefix(strings.ToUpper(strings.Join(strings.Fields(head), " ")), "ON SCHEDULE AT ")
}
