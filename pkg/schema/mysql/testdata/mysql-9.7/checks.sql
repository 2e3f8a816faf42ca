CREATE TABLE `checks` (
  `a` int DEFAULT NULL,
  `b` int DEFAULT NULL,
  `c` varchar(10) DEFAULT NULL,
  CONSTRAINT `c3` CHECK (((`c` in (_utf8mb4'x',_utf8mb4'y,z')) and (`c` like _utf8mb4'x%') and (`c` <> _utf8mb4'it\'s'))),
  CONSTRAINT `checks_chk_1` CHECK ((`a` > 0)),
  CONSTRAINT `checks_chk_2` CHECK ((`a` <> `b`)),
  CONSTRAINT `named` CHECK (((`a` < `b`) or (`b` is null)))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
