package db

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// EncodeRecord writes a record as text, for a ledger to keep. DecodeRecord returns the same record.
func EncodeRecord(r Record) (string, error) {
	text, err := json.Marshal(r)
	var whole Record // shares nothing with r
	if err == nil {
		err = json.Unmarshal(text, &whole)
	}
	if err == nil {
		copyStrings(reflect.ValueOf(&whole).Elem(), reflect.ValueOf(&r).Elem(), armor)
		text, err = json.Marshal(whole)
	}
	if err != nil {
		return "", fmt.Errorf("record table %s: %w", r.Source, err)
	}
	return string(text), nil
}

// DecodeRecord reads what EncodeRecord wrote.
func DecodeRecord(text string) (r Record, err error) {
	if err = json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("read record of a table: %w", err)
	}
	copyStrings(reflect.ValueOf(&r).Elem(), reflect.ValueOf(&r).Elem(), bare)
	return r, nil
}

// armored begins a string that is written in base64: JSON holds only UTF-8, and a default may be any bytes.
const armored = "base64:"

func armor(s string) string {
	if utf8.ValidString(s) && !strings.HasPrefix(s, armored) {
		return s
	}
	return armored + base64.StdEncoding.EncodeToString([]byte(s))
}

func bare(s string) string {
	text, ok := strings.CutPrefix(s, armored)
	if !ok {
		return s
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return s
	}
	return string(decoded)
}

// copyStrings sets every string within to, which has the form of from, to what f makes of from's.
func copyStrings(to, from reflect.Value, f func(string) string) {
	switch from.Kind() { //nolint:exhaustive // what holds no strings is left alone
	case reflect.String:
		to.SetString(f(from.String()))
	case reflect.Pointer:
		if !from.IsNil() {
			copyStrings(to.Elem(), from.Elem(), f)
		}
	case reflect.Struct:
		for i := range from.NumField() {
			copyStrings(to.Field(i), from.Field(i), f)
		}
	case reflect.Slice:
		for i := range from.Len() {
			copyStrings(to.Index(i), from.Index(i), f)
		}
	}
}
