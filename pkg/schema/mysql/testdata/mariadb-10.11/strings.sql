CREATE TABLE `strings` (
  `a` char(10) NOT NULL DEFAULT 'it''s',
  `b` varchar(255) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'back\\slash',
  `c` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '',
  `d` text DEFAULT NULL,
  `e` mediumtext CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `f` longtext CHARACTER SET latin1 COLLATE latin1_bin NOT NULL,
  `g` tinytext DEFAULT NULL,
  `h` varchar(10) DEFAULT 'line\nfeed',
  `i` char(0) DEFAULT NULL,
  `j` varchar(20) DEFAULT 'NULL',
  `k` varchar(20) DEFAULT NULL,
  `l` varchar(30) CHARACTER SET ascii COLLATE ascii_general_ci DEFAULT 'current_timestamp()',
  `m` varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin DEFAULT 'ä€',
  `n` varchar(10) DEFAULT '0x41',
  `o` varchar(10) DEFAULT 'é'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
