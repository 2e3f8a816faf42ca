CREATE TABLE `integers` (
  `a` tinyint DEFAULT NULL,
  `b` tinyint(1) NOT NULL DEFAULT '1',
  `c` smallint unsigned DEFAULT NULL,
  `d` mediumint(8) unsigned zerofill DEFAULT NULL,
  `e` int NOT NULL AUTO_INCREMENT,
  `f` bigint unsigned DEFAULT '18446744073709551615',
  `g` int(5) unsigned zerofill DEFAULT '00007',
  `h` int DEFAULT '-5',
  `i` tinyint(1) DEFAULT NULL,
  PRIMARY KEY (`e`),
  KEY `a` (`a`,`b`)
) ENGINE=InnoDB AUTO_INCREMENT=1234 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='it''s a \\ "table"'
