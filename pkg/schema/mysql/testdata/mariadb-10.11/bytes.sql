CREATE TABLE `bytes` (
  `a` binary(3) DEFAULT 'abc',
  `b` binary(16) NOT NULL,
  `c` varbinary(20) DEFAULT 'x',
  `d` blob DEFAULT NULL,
  `e` tinyblob DEFAULT NULL,
  `f` mediumblob NOT NULL,
  `g` longblob DEFAULT NULL,
  `i` varbinary(5) DEFAULT '',
  `j` binary(5) DEFAULT 'ab\0\0\0',
  PRIMARY KEY (`b`),
  KEY `pre` (`d`(20),`c`(5))
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
