CREATE TABLE `ma long unique` (
  `a` text DEFAULT NULL,
  `b` blob DEFAULT NULL,
  UNIQUE KEY `a` (`a`) USING HASH,
  UNIQUE KEY `h` (`b`) USING HASH
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
