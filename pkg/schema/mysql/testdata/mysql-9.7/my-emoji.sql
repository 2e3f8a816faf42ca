CREATE TABLE `my emoji` (
  `a` varchar(10) DEFAULT 0xF09F9AA2,
  `b` enum('?','b') DEFAULT 'b',
  `c` text DEFAULT (_utf8mb4'????'),
  CONSTRAINT `my emoji_chk_1` CHECK ((`a` <> _utf8mb4'????'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
