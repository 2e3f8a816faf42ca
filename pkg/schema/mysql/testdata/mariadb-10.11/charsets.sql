CREATE TABLE `charsets` (
  `a` varchar(5) CHARACTER SET gbk COLLATE gbk_chinese_ci DEFAULT NULL,
  `b` varchar(5) CHARACTER SET sjis COLLATE sjis_japanese_ci DEFAULT NULL,
  `c` varchar(5) CHARACTER SET utf16 COLLATE utf16_general_ci DEFAULT NULL,
  `d` varchar(5) CHARACTER SET ucs2 COLLATE ucs2_general_ci DEFAULT NULL,
  `e` varchar(5) CHARACTER SET big5 COLLATE big5_chinese_ci DEFAULT NULL,
  `f` varchar(5) CHARACTER SET koi8r COLLATE koi8r_general_ci DEFAULT NULL,
  `g` varchar(5) CHARACTER SET cp1251 COLLATE cp1251_general_cs DEFAULT NULL,
  `h` varchar(5) CHARACTER SET latin2 COLLATE latin2_bin DEFAULT NULL,
  `i` varchar(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci DEFAULT NULL,
  `j` varbinary(5) DEFAULT NULL,
  `k` varchar(5) CHARACTER SET utf32 COLLATE utf32_general_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_german1_ci
