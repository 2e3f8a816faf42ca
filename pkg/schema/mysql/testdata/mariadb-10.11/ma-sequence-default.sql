CREATE TABLE `ma sequence default` (
  `a` int(11) DEFAULT NULL,
  `b` varchar(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_croatian_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
