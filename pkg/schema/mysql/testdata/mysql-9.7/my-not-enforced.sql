CREATE TABLE `my not enforced` (
  `a` int DEFAULT NULL,
  CONSTRAINT `my not enforced_chk_1` CHECK ((`a` > 1)) /*!80016 NOT ENFORCED */,
  CONSTRAINT `myn_x` CHECK ((`a` <> 5))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
