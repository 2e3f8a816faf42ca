CREATE TABLE `strings` (
  `a` char(10) COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT 'it''s',
  `b` varchar(255) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'back\\slash',
  `c` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '',
  `d` text COLLATE utf8mb4_unicode_ci,
  `e` mediumtext CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci,
  `f` longtext CHARACTER SET latin1 COLLATE latin1_bin NOT NULL,
  `g` tinytext COLLATE utf8mb4_unicode_ci,
  `h` varchar(10) COLLATE utf8mb4_unicode_ci DEFAULT 'line\nfeed',
  `i` char(0) COLLATE utf8mb4_unicode_ci DEFAULT NULL,
  `j` varchar(20) COLLATE utf8mb4_unicode_ci DEFAULT 'NULL',
  `k` varchar(20) COLLATE utf8mb4_unicode_ci DEFAULT NULL,
  `l` varchar(30) CHARACTER SET ascii COLLATE ascii_general_ci DEFAULT 'current_timestamp()',
  `m` varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin DEFAULT 'ä€',
  `n` varchar(10) COLLATE utf8mb4_unicode_ci DEFAULT '0x41',
  `o` varchar(10) COLLATE utf8mb4_unicode_ci DEFAULT 'é'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
