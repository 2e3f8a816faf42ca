CREATE TABLE `my regexp` (
  `a` varchar(20) DEFAULT NULL,
  CONSTRAINT `my regexp_chk_1` CHECK (regexp_like(`a`,_utf8mb4'^x\\d'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
