CREATE TABLE `json and defaults` (
  `id` int(11) NOT NULL,
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`)),
  `k` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL CHECK (json_valid(`k`)),
  `d` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT json_array() CHECK (json_valid(`d`)),
  `t` varchar(36) DEFAULT uuid(),
  `n` int(11) DEFAULT (1 + 2 * 3),
  `x` text DEFAULT 'abc',
  `dt` date DEFAULT curdate(),
  `b` blob DEFAULT 'x',
  `s` varchar(20) DEFAULT concat('a','b'),
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
