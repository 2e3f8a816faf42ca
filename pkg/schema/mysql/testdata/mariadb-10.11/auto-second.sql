CREATE TABLE `auto second` (
  `a` int(11) NOT NULL,
  `b` int(11) NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (`a`,`b`),
  UNIQUE KEY `lead2` (`b`,`a`),
  KEY `other` (`a`),
  KEY `lead1` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
