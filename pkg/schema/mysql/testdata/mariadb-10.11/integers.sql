CREATE TABLE `integers` (
  `a` tinyint(4) DEFAULT NULL,
  `b` tinyint(1) NOT NULL DEFAULT 1,
  `c` smallint(5) unsigned DEFAULT NULL,
  `d` mediumint(8) unsigned zerofill DEFAULT NULL,
  `e` int(11) NOT NULL AUTO_INCREMENT,
  `f` bigint(20) unsigned DEFAULT 18446744073709551615,
  `g` int(5) unsigned zerofill DEFAULT 00007,
  `h` int(11) DEFAULT -5,
  `i` tinyint(1) DEFAULT NULL,
  PRIMARY KEY (`e`),
  KEY `a` (`a`,`b`)
) ENGINE=InnoDB AUTO_INCREMENT=1234 DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci COMMENT='it''s a \\ "table"'
