CREATE TABLE `foreign` (
  `id` int NOT NULL,
  `p` int DEFAULT NULL,
  `self` int DEFAULT NULL,
  `u` varchar(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `q` int DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `fk``1` (`p`),
  KEY `selfref` (`self`),
  KEY `u` (`u`),
  KEY `q` (`q`),
  CONSTRAINT `fk``1` FOREIGN KEY (`p`) REFERENCES `schema_rt_other`.`parent` (`id`) ON DELETE CASCADE ON UPDATE SET NULL,
  CONSTRAINT `foreign_ibfk_1` FOREIGN KEY (`u`) REFERENCES `schema_rt_other`.`parent` (`u`),
  CONSTRAINT `foreign_ibfk_2` FOREIGN KEY (`q`) REFERENCES `schema_rt_other`.`parent` (`id`) ON DELETE RESTRICT,
  CONSTRAINT `selfref` FOREIGN KEY (`self`) REFERENCES `foreign` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
