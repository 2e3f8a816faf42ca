CREATE TABLE `ma checks` (
  `a` int(11) DEFAULT NULL CHECK (`a` > 0),
  `b` int(11) DEFAULT 3 CHECK (`b` > 0),
  `c` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`c`)),
  `d` int(11) DEFAULT (`a` + 1),
  CONSTRAINT `CONSTRAINT_1` CHECK (`a` < `b`),
  CONSTRAINT `man` CHECK (`a` <> 7)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
