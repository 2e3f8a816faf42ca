CREATE TABLE `partition list columns` (
  `a` varchar(10) NOT NULL,
  `b` int(11) DEFAULT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
 PARTITION BY LIST  COLUMNS(`a`)
(PARTITION `p0` VALUES IN ('a','b'';)') ENGINE = InnoDB,
 PARTITION `p )` VALUES IN ('c') COMMENT = 'x\'(y' ENGINE = InnoDB)
