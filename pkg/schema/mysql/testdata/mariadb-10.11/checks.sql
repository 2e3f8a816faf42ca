CREATE TABLE `checks` (
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT NULL,
  `c` varchar(10) DEFAULT NULL,
  CONSTRAINT `CONSTRAINT_1` CHECK (`a` > 0),
  CONSTRAINT `named` CHECK (`a` < `b` or `b` is null),
  CONSTRAINT `c3` CHECK (`c` in ('x','y,z') and `c` like 'x%' and `c` <> 'it\'s'),
  CONSTRAINT `CONSTRAINT_2` CHECK (`a` <> `b`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
