CREATE TABLE `ma columns` (
  `a` int(11) DEFAULT NULL CHECK (`a` > 0),
  `b` varchar(20) DEFAULT concat('a',`b2`),
  `b2` varchar(5) DEFAULT 'q',
  `c` text DEFAULT 'it\'s',
  `d` blob DEFAULT 'x',
  `e` int(11) DEFAULT NULL COMMENT 'c' CHECK (`e` <> 3 and `e` < 10),
  `f` int(11) DEFAULT (`a` + 1),
  `g` date DEFAULT current_timestamp(),
  `h` datetime(3) DEFAULT current_timestamp(3),
  `i` datetime DEFAULT (current_timestamp() + interval 1 day),
  `j` varchar(50) DEFAULT current_user(),
  CONSTRAINT `CONSTRAINT_1` CHECK (`e` > `a`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
