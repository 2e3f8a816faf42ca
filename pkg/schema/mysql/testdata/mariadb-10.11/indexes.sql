CREATE TABLE `indexes` (
  `a` int(11) NOT NULL,
  `b` varchar(300) DEFAULT NULL,
  `c` text DEFAULT NULL,
  `d` int(11) NOT NULL,
  `g` geometry NOT NULL,
  `p` point NOT NULL,
  UNIQUE KEY `u 2``x` (`d`,`a`),
  UNIQUE KEY `u1` (`b`(10),`d`),
  KEY `k1` (`c`(100)) COMMENT 'it''s',
  KEY `k2` (`a`) USING BTREE,
  SPATIAL KEY `sp` (`g`),
  KEY `blk` (`d`) KEY_BLOCK_SIZE=8,
  FULLTEXT KEY `ft` (`c`),
  FULLTEXT KEY `ft2` (`b`,`c`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
