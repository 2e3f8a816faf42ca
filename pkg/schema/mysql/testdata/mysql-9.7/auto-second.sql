CREATE TABLE `auto second` (
  `a` int NOT NULL,
  `b` int NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (`a`,`b`),
  UNIQUE KEY `lead2` (`b`,`a`),
  KEY `other` (`a`),
  KEY `lead1` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
