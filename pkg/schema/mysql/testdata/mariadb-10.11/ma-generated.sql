CREATE TABLE `ma generated` (
  `a` int(11) DEFAULT NULL,
  `p` int(11) GENERATED ALWAYS AS (`a` + 1) STORED,
  `v` int(11) GENERATED ALWAYS AS (`a` MOD 3) VIRTUAL INVISIBLE COMMENT 'c',
  `s` varchar(20) GENERATED ALWAYS AS (substr(concat(`a`,'x'),1,3)) STORED
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
