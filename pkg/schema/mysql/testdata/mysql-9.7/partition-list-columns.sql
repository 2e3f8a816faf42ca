CREATE TABLE `partition list columns` (
  `a` varchar(10) NOT NULL,
  `b` int DEFAULT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
/*!50500 PARTITION BY LIST  COLUMNS(a)
(PARTITION p0 VALUES IN ('a','b'';)') ENGINE = InnoDB,
 PARTITION `p )` VALUES IN ('c') COMMENT = 'x\'(y' ENGINE = InnoDB) */
