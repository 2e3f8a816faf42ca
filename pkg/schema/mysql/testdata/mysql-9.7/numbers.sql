CREATE TABLE `numbers` (
  `a` decimal(65,30) DEFAULT '0.000000000000000000000000000000',
  `b` decimal(10,2) unsigned NOT NULL DEFAULT '1.50',
  `c` float DEFAULT '1.5',
  `d` double DEFAULT '10000000000',
  `e` float(7,3) DEFAULT NULL,
  `f` double(10,2) unsigned DEFAULT NULL,
  `g` bit(1) DEFAULT b'1',
  `h` bit(64) NOT NULL DEFAULT b'1010',
  `i` year DEFAULT '2024',
  `j` decimal(5,0) DEFAULT '-3',
  `k` bit(1) DEFAULT b'0'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
