CREATE TABLE `my functional` (
  `id` int NOT NULL,
  `a` varchar(20) DEFAULT NULL,
  `b` int DEFAULT NULL,
  `j` json DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `f2` (((`b` + 1)) DESC,`a`),
  KEY `f1` ((lower(`a`))),
  KEY `f3` ((cast(json_extract(`j`,_utf8mb4'$.x') as unsigned array)))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
