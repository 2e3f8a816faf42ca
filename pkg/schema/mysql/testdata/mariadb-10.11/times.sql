CREATE TABLE `times` (
  `a` date DEFAULT '2020-02-29',
  `b` time(3) DEFAULT '-12:00:00.500',
  `c` datetime DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `d` datetime(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),
  `e` timestamp NULL DEFAULT NULL,
  `f` timestamp NOT NULL DEFAULT '2020-01-01 00:00:00',
  `g` timestamp(3) NULL DEFAULT NULL,
  `h` year(4) NOT NULL,
  `i` timestamp NOT NULL DEFAULT current_timestamp(),
  `j` datetime(2) DEFAULT '2020-01-01 00:00:00.25'
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
