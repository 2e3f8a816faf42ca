CREATE TABLE `my cast json` (
  `f` json DEFAULT (cast(_utf8mb4'{"a": "b\'c"}' as json))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
