CREATE TABLE `json and defaults` (
  `id` int NOT NULL,
  `j` json DEFAULT NULL,
  `k` json NOT NULL,
  `d` json DEFAULT (json_array()),
  `t` varchar(36) DEFAULT (uuid()),
  `n` int DEFAULT ((1 + (2 * 3))),
  `x` text DEFAULT (_utf8mb4'abc'),
  `dt` date DEFAULT (curdate()),
  `b` blob DEFAULT (_utf8mb4'x'),
  `s` varchar(20) DEFAULT (concat(_utf8mb4'a',_utf8mb4'b')),
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
