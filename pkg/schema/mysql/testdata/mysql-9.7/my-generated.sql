CREATE TABLE `my generated` (
  `a` int NOT NULL,
  `j` json DEFAULT NULL,
  `v` int GENERATED ALWAYS AS ((`a` * 2)) VIRTUAL NOT NULL /*!80023 INVISIBLE */,
  `w` varchar(20) GENERATED ALWAYS AS (json_unquote(json_extract(`j`,_utf8mb4'$.a.b'))) STORED,
  `x` json GENERATED ALWAYS AS (json_array(_utf8mb4'a',`a`)) VIRTUAL,
  UNIQUE KEY `v` (`v`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
