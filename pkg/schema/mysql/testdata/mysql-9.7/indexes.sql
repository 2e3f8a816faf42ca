CREATE TABLE `indexes` (
  `a` int NOT NULL,
  `b` varchar(300) DEFAULT NULL,
  `c` text,
  `d` int NOT NULL,
  `g` geometry NOT NULL,
  `p` point NOT NULL,
  UNIQUE KEY `u 2``x` (`d`,`a`),
  UNIQUE KEY `u1` (`b`(10),`d`),
  KEY `k1` (`c`(100)) COMMENT 'it''s',
  KEY `k2` (`a`) USING BTREE,
  SPATIAL KEY `sp` (`g`),
  KEY `blk` (`d`),
  FULLTEXT KEY `ft` (`c`),
  FULLTEXT KEY `ft2` (`b`,`c`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
