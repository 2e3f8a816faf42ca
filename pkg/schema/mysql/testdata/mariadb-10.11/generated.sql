CREATE TABLE `generated` (
  `a` int(11) DEFAULT NULL,
  `b` varchar(20) DEFAULT NULL,
  `v` int(11) GENERATED ALWAYS AS (`a` + 1) VIRTUAL,
  `s` varchar(50) GENERATED ALWAYS AS (concat(`b`,'-',`a`)) STORED COMMENT 'x, (y)',
  `w` int(11) GENERATED ALWAYS AS (case when `a` between 1 and 2 then 5 else `a` * (`a` + 2) MOD 7 end) VIRTUAL,
  `x` varchar(20) GENERATED ALWAYS AS (lcase(`b`)) STORED,
  `y` date GENERATED ALWAYS AS ('2020-01-01' + interval `a` day) VIRTUAL,
  UNIQUE KEY `s` (`s`,`v`),
  KEY `v` (`v`),
  KEY `x` (`x`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
