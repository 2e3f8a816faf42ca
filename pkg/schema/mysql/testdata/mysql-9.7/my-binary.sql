CREATE TABLE `my binary` (
  `a` binary(3) DEFAULT 0x00FF01,
  `b` varbinary(5) DEFAULT 0xFFFE,
  `c` binary(2) NOT NULL DEFAULT '\0\0'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
