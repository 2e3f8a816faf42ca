CREATE TABLE `my utf8mb4` (
  `a` varchar(10) DEFAULT NULL,
  `b` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs DEFAULT NULL,
  `c` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin DEFAULT NULL,
  `d` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_de_pb_0900_ai_ci DEFAULT NULL,
  `e` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_ja_0900_as_cs_ks DEFAULT NULL,
  `f` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_es_trad_0900_ai_ci DEFAULT NULL,
  `g` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_sv_0900_as_cs DEFAULT NULL,
  `h` enum('a') CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
