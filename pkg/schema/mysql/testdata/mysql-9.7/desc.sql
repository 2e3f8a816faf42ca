CREATE TABLE `desc` (
  `a` int NOT NULL,
  `b` int NOT NULL,
  `c` int DEFAULT NULL,
  PRIMARY KEY (`a` DESC,`b`),
  KEY `d1` (`b` DESC,`c`),
  KEY `d2` (`c` DESC)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
