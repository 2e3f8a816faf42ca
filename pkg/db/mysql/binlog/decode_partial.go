package binlog

// partialImages carries the documents of a before image over to the after image, whose JSON values may be differences.
type partialImages struct {
	documents [][]byte // of the table's JSON columns; nil is NULL
	differs   []byte   // one bit per JSON column: the after image has differences; nil while the before image is read
}

// reset prepares for the next row. A document that the before image lacks is NULL.
func (p *partialImages) reset(documents int) {
	if cap(p.documents) < documents {
		p.documents = make([][]byte, documents)
	}
	p.documents, p.differs = p.documents[:documents], nil
	clear(p.documents)
}

// options reads what precedes an after image: binlog_row_value_options as a packed integer, and if it has PARTIAL_JSON
// a bit for each JSON column of the table: whether its value is a difference.
func (p *partialImages) options(data []byte) (rest []byte, err error) {
	const partialJSON = 1
	r := logReader{data: data}
	p.differs = []byte{}
	if r.packed()&partialJSON != 0 {
		p.differs = r.bytes((len(p.documents) + 7) / 8)
	}
	if r.bad {
		return nil, errImage
	}
	return r.data, nil
}

func (p *partialImages) differ(document int) bool {
	return document/8 < len(p.differs) && p.differs[document/8]&(1<<(document%8)) != 0
}

// appendPartial decodes a JSON value of either image of a partial update. A document is kept in its binary form, as a
// view into the event: the after image comes right behind.
func (c *decodeColumn) appendPartial(dst, data []byte, p *partialImages) (_, rest []byte, err error) {
	n, size, ok := decodeLength(data, c.prefix)
	if !ok {
		return nil, nil, errImage
	}
	value, rest := data[size:size+n], data[size+n:]
	switch {
	case p.differs == nil:
		p.documents[c.document] = value
	case p.differ(c.document):
		if c.out < 0 {
			return dst, rest, nil
		}
		dst, err = appendJSONDiff(dst, p.documents[c.document], value)
		return dst, rest, err
	}
	if c.out < 0 {
		return dst, rest, nil
	}
	dst, err = appendJSON(dst, value, c.bare)
	return dst, rest, err
}
