CREATE TABLE `foreign` (
  `id` int(11) NOT NULL,
  `p` int(11) DEFAULT NULL,
  `self` int(11) DEFAULT NULL,
  `u` varchar(20) DEFAULT NULL,
  `q` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `fk``1` (`p`),
  KEY `selfref` (`self`),
  KEY `u` (`u`),
  KEY `q` (`q`),
  CONSTRAINT `fk``1` FOREIGN KEY (`p`) REFERENCES `schema_rt_other`.`parent` (`id`) ON DELETE CASCADE ON UPDATE SET NULL,
  CONSTRAINT `foreign_ibfk_1` FOREIGN KEY (`u`) REFERENCES `schema_rt_other`.`parent` (`u`) ON DELETE NO ACTION,
  CONSTRAINT `foreign_ibfk_2` FOREIGN KEY (`q`) REFERENCES `schema_rt_other`.`parent` (`id`),
  CONSTRAINT `selfref` FOREIGN KEY (`self`) REFERENCES `foreign` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci
