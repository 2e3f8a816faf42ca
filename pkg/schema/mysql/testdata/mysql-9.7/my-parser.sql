CREATE TABLE `my parser` (
  `t` text,
  FULLTEXT KEY `ft` (`t`) COMMENT 'n' /*!50100 WITH PARSER `ngram` */ 
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
