package postgres

// dateFunctions take parts of dates and times. TIMESTAMP is left out: its parts depend on the session's time zone.
var dateFunctions = map[string]function{
	"year":        {1, 1, dayField("year", "")},
	"quarter":     {1, 1, dayField("quarter", "")},
	"month":       {1, 1, dayField("month", "")},
	"day":         {1, 1, dayField("day", "")},
	"dayofmonth":  {1, 1, dayField("day", "")},
	"dayofyear":   {1, 1, dayField("doy", "")},
	"dayofweek":   {1, 1, dayField("dow", " + 1")},
	"weekday":     {1, 1, dayField("isodow", " - 1")},
	"hour":        {1, 1, clockField("trunc(EXTRACT(hour FROM ", ")")},
	"minute":      {1, 1, clockField("trunc(EXTRACT(minute FROM ", ")")},
	"second":      {1, 1, clockField("trunc(EXTRACT(second FROM ", ")")},
	"microsecond": {1, 1, clockField("(EXTRACT(microseconds FROM ", " % 1000000)")},
	"date":        {1, 1, func(t *translator, args []value) value { return t.date(args[0]) }},
	"to_days": {1, 1, func(t *translator, args []value) value {
		return value{sql: "((" + t.date(args[0]).sql + " - '0001-01-01'::date) + 366)", class: whole}
	}},
	"datediff": {2, 2, func(t *translator, args []value) value {
		return value{sql: wrap(t.date(args[0]).sql, "-", t.date(args[1]).sql), class: whole}
	}},
	"last_day": {1, 1, func(t *translator, args []value) value {
		d := t.date(args[0])
		return value{
			sql:   "((date_trunc('month', " + d.sql + "::timestamp) + '1 mon'::interval) - '1 day'::interval)::date",
			class: day,
		}
	}},
}

// date returns the day of a value.
func (t *translator) date(v value) value {
	switch {
	case v.class == day:
		return v
	case v.class == moment:
		return value{sql: v.sql + "::date", class: day}
	case v.literal && v.class == characters:
		return t.dated(v, day)
	default:
		t.fail("the day of %s", v.sql)
		return v
	}
}

// dayField takes a field of a date.
func dayField(field, more string) func(*translator, []value) value {
	return func(t *translator, args []value) value {
		v := args[0]
		if v.class != moment {
			v = t.date(v)
		}
		return value{sql: "(EXTRACT(" + field + " FROM " + v.sql + ")" + more + ")::integer", class: whole}
	}
}

// clockField takes a field of a time of day.
func clockField(before, after string) func(*translator, []value) value {
	return func(t *translator, args []value) value {
		v := args[0]
		if v.class != moment && v.class != clock {
			t.fail("the time of %s", v.sql)
		}
		return value{sql: before + v.sql + ")" + after + "::integer", class: whole}
	}
}
