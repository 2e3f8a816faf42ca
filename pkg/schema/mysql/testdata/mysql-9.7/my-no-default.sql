CREATE TABLE `my no default` (
  `a` int NOT NULL DEFAULT '5',
  `d` date DEFAULT (now()),
  `e` datetime DEFAULT ((now() + interval 1 day)),
  `g` text DEFAULT (_latin1'x'),
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
