CREATE TABLE `desc` (
  `a` int(11) NOT NULL,
  `b` int(11) NOT NULL,
  `c` int(11) DEFAULT NULL,
  PRIMARY KEY (`a` DESC,`b`),
  KEY `d1` (`b` DESC,`c`),
  KEY `d2` (`c` DESC)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
