CREATE TABLE `db.dots, 'quotes' "x" ``tick`` ünï` (
  `a b.c` int(11) NOT NULL,
  `ti``ck` varchar(5) DEFAULT '`',
  `日本` int(11) DEFAULT NULL,
  `select` int(11) DEFAULT NULL,
  `(` int(11) DEFAULT NULL,
  `,` int(11) DEFAULT NULL,
  `x'y` int(11) DEFAULT NULL,
  `/*!` int(11) DEFAULT NULL,
  `--` int(11) DEFAULT NULL,
  PRIMARY KEY (`a b.c`),
  KEY `k``1, ) .` (`ti``ck`,`日本`),
  CONSTRAINT `CONSTRAINT_1` CHECK (`(` > `,`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
