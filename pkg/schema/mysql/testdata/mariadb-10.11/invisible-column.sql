CREATE TABLE `invisible column` (
  `a` int(11) NOT NULL,
  `b` int(11) INVISIBLE DEFAULT NULL,
  `c` int(11) NOT NULL INVISIBLE DEFAULT 5 COMMENT 'x',
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
