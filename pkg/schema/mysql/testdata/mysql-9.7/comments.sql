CREATE TABLE `comments` (
  `a` int DEFAULT NULL COMMENT 'one ''two'' \\ "three" `four` /* five */ -- six \n seven',
  `b` int DEFAULT NULL COMMENT ') ENGINE=x'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='/*!50100 PARTITION BY */ é ?'
