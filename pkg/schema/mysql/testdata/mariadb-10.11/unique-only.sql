CREATE TABLE `unique only` (
  `a` varchar(20) NOT NULL,
  `b` int(11) DEFAULT NULL,
  `n` int(11) DEFAULT NULL,
  UNIQUE KEY `ky` (`a`),
  UNIQUE KEY `nu` (`b`),
  KEY `nn` (`n`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
