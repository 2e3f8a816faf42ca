package keys

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"wherry/test/internal/lab"
)

// small picks a number that comes back often.
func small(r *rand.Rand) string { return fmt.Sprint(r.IntN(60) - 30) }

// forms are keys of every form: which index, which columns, in which order.
func forms() []shape {
	ints := func(names ...string) func(r *rand.Rand) []string {
		return func(r *rand.Rand) []string {
			values := make([]string, len(names))
			for i := range values {
				values[i] = small(r)
			}
			return values
		}
	}
	abc := []string{"`a` INT NOT NULL", "`b` INT NOT NULL", "`c` INT NOT NULL"}
	table := func(name string, columns []string, set []string, indexes ...string) shape {
		return shape{table: name, columns: columns, indexes: indexes, set: set, values: ints(set...)}
	}
	few := func(r *rand.Rand) []string {
		return []string{fmt.Sprint(r.IntN(3)), fmt.Sprint(r.IntN(5)), fmt.Sprint(r.IntN(9))}
	}
	deep := table("composite", abc, []string{"a", "b", "c"}, "PRIMARY KEY (`a`,`b`,`c`)")
	mixed := table("composite_mixed_order", abc, []string{"a", "b", "c"}, "PRIMARY KEY (`a`,`b` DESC,`c`)")
	deep.values, mixed.values = few, few
	all := []shape{
		deep, mixed,
		table("descending", abc, []string{"a", "b", "c"}, "PRIMARY KEY (`a` DESC)", "KEY (`b`)"),
		table("other_order", abc, []string{"a", "b", "c"}, "KEY (`a`)", "PRIMARY KEY (`c`,`a`)"),
		table("unique_only", abc, []string{"a", "b", "c"}, "UNIQUE KEY `u` (`b`)"),
		table("unique_second", []string{"`a` INT NULL", "`b` INT NOT NULL", "`c` INT NOT NULL"},
			[]string{"a", "b", "c"}, "UNIQUE KEY `n` (`a`)", "UNIQUE KEY `u` (`c`,`b`)"),
		table("three_uniques", abc, []string{"a", "b", "c"}, "PRIMARY KEY (`a`)", "UNIQUE KEY `b` (`b`)",
			"UNIQUE KEY `c` (`c` DESC)"),
		{
			table: "prefix_first", columns: []string{
				"`t` VARCHAR(50) CHARACTER SET utf8mb4 NOT NULL",
				"`id` INT NOT NULL",
			}, set: []string{"t", "id"},
			indexes: []string{"PRIMARY KEY (`t`(3))", "UNIQUE KEY `u` (`id`)"},
			values: func(r *rand.Rand) []string {
				return []string{fmt.Sprintf("'%03d%d'", r.IntN(99), r.IntN(9)), small(r)}
			},
		},
		{
			table: "prefix_besides", columns: []string{"`t` TEXT CHARACTER SET utf8mb4 NOT NULL", "`id` INT NOT NULL"},
			set:     []string{"t", "id"},
			indexes: []string{"PRIMARY KEY (`id`)", "UNIQUE KEY `u` (`t`(3))"},
			values: func(r *rand.Rand) []string {
				return []string{fmt.Sprintf("'%03d%d'", r.IntN(99), r.IntN(9)), small(r)}
			},
		},
		{
			table: "composite_types",
			columns: []string{
				"`d` DATE NOT NULL", "`x` INT NULL", "`t` VARCHAR(10) CHARACTER SET latin1 NOT NULL",
				"`f` DOUBLE NOT NULL", "`e` ENUM('z','y','x') NOT NULL",
			},
			set: []string{"d", "t", "f", "e"}, indexes: []string{"PRIMARY KEY (`e` DESC,`t`,`f` DESC,`d`)"},
			values: func(r *rand.Rand) []string {
				return []string{
					fmt.Sprintf("'2024-01-%02d'", 1+r.IntN(3)), among("'a'", "'A'", "'b '", "'b'", "''")(r),
					among("-0e0", "0e0", "1e-1", "-1e300")(r), fmt.Sprint(1 + r.IntN(3)),
				}
			},
		},
		table("invisible_column", []string{"`a` INT NOT NULL", "`i` INT NOT NULL DEFAULT 7 INVISIBLE"},
			[]string{"a", "i"}, "PRIMARY KEY (`i`,`a`)"),
	}
	mysql := []shape{
		table("functional_besides", abc, []string{"a", "b", "c"}, "PRIMARY KEY (`a`)", "UNIQUE KEY `f` ((`b` + `c`))"),
		table("functional_first", abc, []string{"a", "b", "c"}, "UNIQUE KEY `f` ((`b` + `c`))", "UNIQUE KEY `u` (`a`)"),
		table("generated_stored", append([]string{"`g` INT GENERATED ALWAYS AS (`a` * 3 - `b`) STORED NOT NULL"},
			abc...), []string{"a", "b", "c"}, "PRIMARY KEY (`g`)"),
		table("generated_virtual", append(abc[:3:3], "`g` BIGINT GENERATED ALWAYS AS (`a` * 3 - `b`) VIRTUAL NOT NULL"),
			[]string{"a", "b", "c"}, "UNIQUE KEY `g` (`g`,`c`)"),
		table("generated_passed_over", append(abc[:3:3], "`g` INT GENERATED ALWAYS AS (`a` * 3) STORED NOT NULL"),
			[]string{"a", "b", "c"}, "PRIMARY KEY (`g`)", "UNIQUE KEY `u` (`a`)"),
		table("generated_invisible", []string{
			"`my_row_id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE",
			"`a` INT NULL",
		}, []string{"a"}, "PRIMARY KEY (`my_row_id`)"),
	}
	for i := range mysql {
		mysql[i].on, mysql[i].alike = lab.MySQL, true
	}
	return append(append(all, mysql...), named()...)
}

// named are tables and columns with names that need care.
func named() []shape {
	var all []shape
	for _, name := range []string{
		"select", "a.b", "we`ird \"quoted\" 'name'", "#hash", "%", "_", "x%_", `back\slash`, "ключ 表",
		strings.Repeat("ü", 64), "Case", "case", "-- x", "/* x */", "@v1", "?",
	} {
		s := shape{
			table: name, columns: []string{quote(name) + " INT NOT NULL", "`key` INT NOT NULL"},
			set: []string{name, "key"}, indexes: []string{
				"PRIMARY KEY (" + quote(name) + ")",
				"UNIQUE KEY `k``k` (`key`)",
			},
			values: func(r *rand.Rand) []string { return []string{small(r), small(r)} },
		}
		all = append(all, s)
	}
	wide := shape{table: "wide", indexes: []string{"PRIMARY KEY (`c999`,`c500`)"}, set: []string{"c999", "c500"}}
	for i := range 1015 { // 1,017 columns is the most that InnoDB takes
		wide.columns = append(wide.columns, fmt.Sprintf("`c%d` SMALLINT NOT NULL DEFAULT %d", i, i))
	}
	wide.values = func(r *rand.Rand) []string { return []string{small(r), small(r)} }
	return append(all, wide)
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
