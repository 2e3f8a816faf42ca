CREATE TABLE `db.dots, 'quotes' "x" ``tick`` ünï` (
  `a b.c` int NOT NULL,
  `ti``ck` varchar(5) DEFAULT '`',
  `日本` int DEFAULT NULL,
  `select` int DEFAULT NULL,
  `(` int DEFAULT NULL,
  `,` int DEFAULT NULL,
  `x'y` int DEFAULT NULL,
  `/*!` int DEFAULT NULL,
  `--` int DEFAULT NULL,
  PRIMARY KEY (`a b.c`),
  KEY `k``1, ) .` (`ti``ck`,`日本`),
  CONSTRAINT `db.dots, 'quotes' "x" ``tick`` ünï_chk_1` CHECK ((`(` > `,`))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
