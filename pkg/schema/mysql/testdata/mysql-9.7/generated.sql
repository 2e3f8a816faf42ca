CREATE TABLE `generated` (
  `a` int DEFAULT NULL,
  `b` varchar(20) DEFAULT NULL,
  `v` int GENERATED ALWAYS AS ((`a` + 1)) VIRTUAL,
  `s` varchar(50) GENERATED ALWAYS AS (concat(`b`,_utf8mb4'-',`a`)) STORED COMMENT 'x, (y)',
  `w` int GENERATED ALWAYS AS ((case when (`a` between 1 and 2) then 5 else ((`a` * (`a` + 2)) % 7) end)) VIRTUAL,
  `x` varchar(20) GENERATED ALWAYS AS (lower(`b`)) STORED,
  `y` date GENERATED ALWAYS AS ((_utf8mb4'2020-01-01' + interval `a` day)) VIRTUAL,
  UNIQUE KEY `s` (`s`,`v`),
  KEY `x` (`x`),
  KEY `v` (`v`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
