package mysql

import (
	"fmt"
	"strings"

	"wherry/pkg/schema"
	"wherry/pkg/sqltext"
)

// ParseObject reads what SHOW CREATE printed for an object whose Kind, Name, Session.SQLMode and Definition are set:
// who defined it, and the parts that CreateObject writes it from. Its text was typed by a person, so only its head is
// understood, and the rest is kept as it is. Of
//
//	CREATE DEFINER=`a`@`%` TRIGGER `t` BEFORE INSERT ON `shop`.`o` FOR EACH ROW SET NEW.x = 1
//
// Definer is a@%, Timing is BEFORE INSERT, and Body is SET NEW.x = 1.
func ParseObject(o *schema.Object) error {
	p := &objectParser{o: o, Cursor: sqltext.NewCursor(o.Definition, sqltext.ModeRules(o.Session.SQLMode))}
	p.parse()
	if p.Err != nil {
		return fmt.Errorf("parse definition of %s: %w", o, p.Err)
	}
	return nil
}

// objectParser reads one CREATE of an object.
type objectParser struct {
	sqltext.Cursor
	o *schema.Object
}

// rest returns the text from the next token on.
func (p *objectParser) rest() string { return strings.TrimRight(p.Src[p.Peek().From:], " \t\r\n;") }

// parse reads CREATE .. DEFINER=.. .. KIND name.
func (p *objectParser) parse() {
	p.Expect("CREATE")
	p.Accept("OR REPLACE")
	kind := strings.ToUpper(string(p.o.Kind))
	for p.Err == nil && !p.Accept(kind) {
		switch t := p.Peek(); {
		case t.Is("DEFINER") && p.Tokens[p.At+1].IsMark("="): // not that of SQL SECURITY DEFINER
			p.definer()
		case t.Kind == sqltext.Word || t.IsMark("="):
			p.o.Lead += p.Src[t.From:t.To]
			if p.Next(); !t.IsMark("=") && !p.Peek().IsMark("=") {
				p.o.Lead += " "
			}
		default:
			p.Misunderstood()
		}
	}
	p.o.Lead = strings.TrimSpace(p.o.Lead)
	p.Accept("IF NOT EXISTS")
	p.name()
	if p.Err != nil {
		return
	}
	switch p.o.Kind {
	case schema.TriggerObject:
		p.trigger()
	case schema.EventObject:
		p.event()
	default:
		p.o.Body = p.rest()
	}
}

// definer reads DEFINER=user@host, or a role, which has no host.
func (p *objectParser) definer() {
	p.At += 2
	p.o.Definer.User = p.Next().Text
	if p.AcceptMark("@") {
		p.o.Definer.Host = p.Next().Text
	}
}

// name passes a name with or without its database.
func (p *objectParser) name() {
	for {
		if t := p.Peek(); t.Kind != sqltext.Name && t.Kind != sqltext.Word {
			p.Misunderstood()
			return
		}
		p.Next()
		if !p.Peek().IsMark(".") {
			return
		}
		p.Next()
	}
}

// trigger reads what follows a trigger's name. A trigger that is for several events, or for some columns, is of a newer
// server, and is not understood.
func (p *objectParser) trigger() {
	p.o.Timing = strings.ToUpper(p.Next().Text) + " " + strings.ToUpper(p.Next().Text)
	switch p.o.Timing {
	case "BEFORE INSERT", "BEFORE UPDATE", "BEFORE DELETE", "AFTER INSERT", "AFTER UPDATE", "AFTER DELETE":
	default:
		p.At -= 2
		p.Misunderstood()
	}
	p.Expect("ON") // not after several events, or UPDATE OF columns
	p.name()
	p.Expect("FOR EACH ROW")
	if p.Accept("FOLLOWS") || p.Accept("PRECEDES") { // triggers are created in their order
		p.name()
	}
	p.o.Body = p.rest()
}

// event reads what follows an event's name. Whether it is enabled stands in the middle, after ON COMPLETION, and is
// kept apart: on the target it is made disabled, and enabled only when the target takes over.
func (p *objectParser) event() {
	begin := p.Peek().From
	for !p.Accept("PRESERVE") {
		if p.Next().Kind == sqltext.End {
			p.Misunderstood()
			return
		}
	}
	head := p.Src[begin:p.Tokens[p.At-1].To]
	switch {
	case p.Accept("ENABLE"):
		p.o.Enabled = true
	case p.Accept("DISABLE ON SLAVE"), p.Accept("DISABLE ON REPLICA"):
		p.o.Replica = true
	default:
		p.Expect("DISABLE")
	}
	p.o.Schedule, p.o.Body = head, p.rest()
	p.o.OneTime = strings.HasPrefix(strings.ToUpper(strings.Join(strings.Fields(head), " ")), "ON SCHEDULE AT ")
}
