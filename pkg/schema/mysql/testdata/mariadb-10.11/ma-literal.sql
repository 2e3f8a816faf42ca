CREATE TABLE `ma literal` (
  `c` text DEFAULT 'it\'s',
  `d` blob DEFAULT 'x',
  `e` date DEFAULT current_timestamp(),
  `f` datetime(3) DEFAULT current_timestamp(3),
  `g` varchar(9) DEFAULT current_timestamp(),
  `h` decimal(10,3) DEFAULT 1.500,
  `i` int(11) DEFAULT 1000,
  `j` double DEFAULT 1e30,
  `k` varchar(10) DEFAULT '5',
  `l` time DEFAULT '10:00:00',
  `m` date DEFAULT '2020-01-01',
  `n` varbinary(5) DEFAULT '\0ÿ'
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
