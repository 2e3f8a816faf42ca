CREATE TABLE `unique only` (
  `a` varchar(20) NOT NULL,
  `b` int DEFAULT NULL,
  `n` int DEFAULT NULL,
  UNIQUE KEY `ky` (`a`),
  UNIQUE KEY `nu` (`b`),
  KEY `nn` (`n`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
